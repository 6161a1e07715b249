"""
How long an event takes that comes while ten thousand others are drained, beside one that comes while nothing waits.

    python -m benchmarks.drain [--quick] [--pairs N] [--gap N]

The whole relay, Kafka to one subscriber that is suspended while the gap grows. Latency is from the producer's call to
the request's last byte.
"""

import argparse
import contextlib
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.bridge import kafka
from benchmarks.engine import clean_environment
from benchmarks.figures import NoResultError, spread
from benchmarks.machine import describe
from benchmarks.payload import event_payload
from odim_relay.settings import DeliverySettings
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.subscriber import Subscriber
from tests.support.waiting import wait_until

GOAL_P99 = 2.0
WORKERS = 2
PER_S = 40
_TICK_S = 0.005
_IDLE_S = 5.0
_SETTLES_S = 120.0


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Measure and print. Returns 1 when a delivery was missing or doubled.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="2 pairs of smaller gaps")
    parser.add_argument("--pairs", type=int, help="of stretches without and with a gap; 5 if not told")
    parser.add_argument("--gap", type=int, help="events that wait; 10,000 if not told")
    chosen = parser.parse_args(arguments)
    pairs, gap = chosen.pairs or (2 if chosen.quick else 5), chosen.gap or (3_000 if chosen.quick else 10_000)
    try:
        with started() as relay:
            _compare(relay, pairs, gap)
    except (NoResultError, AssertionError) as exc:
        print(f"no result: {exc}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def started() -> Iterator[Relay]:
    """
    Start everything; the settings of production, as far as they matter here.
    """
    clean_environment()
    settings = {
        "DELIVERY__CONCURRENCY": DeliverySettings.model_fields["concurrency"].default,
        "LEDGER__REAP_INTERVAL_S": 5,
        "LEDGER__QUEUE_PATIENCE_S": 30,
    }
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        broker = stack.enter_context(kafka())
        redis = stack.enter_context(RedisServer(folder / "redis"))
        receiver = stack.enter_context(Receiver.start(keep_bodies=False))
        servers = broker.bootstrap_servers
        relay = Relay(folder, redis=redis, kafka=servers, receiver=receiver, workers=WORKERS, settings=settings)
        yield stack.enter_context(relay)


def _compare(relay: Relay, pairs: int, gap: int) -> None:
    print(f"\n{gap} events wait for one subscriber, {PER_S} events/s come meanwhile; {WORKERS} workers", flush=True)
    ratios = []
    _stretch(relay, 0)  # the first one finds everything cold
    for _ in range(pairs):
        (idle, _), (draining, rate) = _stretch(relay, 0), _stretch(relay, gap)
        ratios.append(draining / idle)
        said = f"draining {draining:.0f} ms at {rate:.0f}/s, {ratios[-1]:.2f}x"
        print(f"  p99 while nothing waits {idle:.0f} ms, {said}", flush=True)
    verdict = "met" if median(ratios) <= GOAL_P99 else "MISSED"
    print(f"  p99, median ratio {spread(ratios)}; goal at most {GOAL_P99}: {verdict}")


def _stretch(relay: Relay, gap: int) -> tuple[float, float]:
    """
    Publish at a steady pace, until the gap is drained where there is one.

    Returns:
        the 99th percentile in ms, and how many a second were delivered.
    """
    subscriber = relay.subscribe()
    if gap:
        relay.operate("suspend", subscriber.id)
        relay.publish(event_payload(number) for number in range(gap))
        wait_until(
            lambda: len(relay.ledger.parked_of(subscriber.id)) == gap, timeout_s=_SETTLES_S, what="everything to wait"
        )
        relay.operate("resume", subscriber.id)
    began_at = time.monotonic()
    sent = list(_publish_while(relay, lambda: _goes_on(relay, subscriber, gap, began_at)))
    accepted = relay.receiver.wait_for_accepted(subscriber.path, gap + len(sent), timeout_s=_SETTLES_S)
    if len(accepted) != gap + len(sent) or set(accepted.values()) != {1}:
        raise NoResultError(f"{len(accepted)} of {gap + len(sent)} deliveries came, {sum(accepted.values())} in all")
    arrivals = dict(relay.receiver.arrivals(subscriber.path))
    latencies = sorted(arrivals[id_] - at for at, id_ in sent)
    times = sorted(arrivals.values())
    rate = len(times) / (times[-1] - times[0])
    relay.unsubscribe(subscriber)
    relay.forget()
    wait_until(relay.is_settled, timeout_s=_SETTLES_S, what="the end of all work")
    return 1000 * latencies[math.ceil(0.99 * len(latencies)) - 1], rate


def _goes_on(relay: Relay, subscriber: Subscriber, gap: int, began_at: float) -> bool:
    if not gap:
        return time.monotonic() - began_at < _IDLE_S
    return bool(relay.ledger.parked_of(subscriber.id))


def _publish_while(relay: Relay, goes_on: Callable[[], bool]) -> Iterator[tuple[float, str]]:
    """
    Publish at a steady pace. Yields when each event was, and its delivery.
    """
    began_at, count = time.monotonic(), 0
    while goes_on():
        due = math.ceil((time.monotonic() - began_at) * PER_S) - count
        if due > 0:
            at = time.time()
            places = relay.publish(event_payload(count + number) for number in range(due))
            count += due
            for place in places:
                (id_,) = relay.expected([place])
                yield at, id_
        time.sleep(_TICK_S)


if __name__ == "__main__":
    print(describe())
    sys.exit(main())
