"""
What healthy destinations notice of one that hangs beside them (S9).

    python -m benchmarks.isolation [--quick] [--pairs N] [--seconds S] [--burst N]

The whole relay, Kafka to subscribers: nineteen healthy ones, without and with a twentieth that takes requests and never
answers. First a steady load, for the latency from Kafka's producer to the subscriber; then a burst, for the rate. All
of it while the hanging requests hold their slots.
"""

import argparse
import contextlib
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from benchmarks.bridge import kafka
from benchmarks.engine import clean_environment
from benchmarks.figures import NoResultError, spread
from benchmarks.machine import describe
from benchmarks.measuring import cpu_s
from benchmarks.payload import event_payload
from odim_relay.settings import DeliverySettings
from tests.support.account import Place
from tests.support.receiver import Behaviour, Mode, Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay, Subscriber
from tests.support.waiting import wait_until

HEALTHY = 19
WORKERS = 2
GOAL_P99, GOAL_RATE = 1.2, 0.9
PER_S = 15
_TICK_S = 0.01
_WARM_UP = 40
_FROM, _TO = 0.03, 0.97
_SETTLES_S = 60.0
# Longer than a run: who hangs holds its slots all the while.
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """
    What the healthy ones got.

    Attributes:
        p99_ms: from the producer's call to the request's last byte, under the steady load.
        rate: deliveries per second in the burst.
        cpu_us: CPU time of the relay and of Redis per delivery to a healthy one, in the burst. It moves less than time
            with what else the machine does.
    """

    p99_ms: float
    rate: float
    cpu_us: float

    def __str__(self) -> str:
        return f"p99 {self.p99_ms:4.0f} ms, {self.rate:4.0f}/s, {self.cpu_us:4.0f} us"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    What stays from run to run.
    """

    relay: Relay
    healthy: Receiver
    hanging: Receiver
    seconds: float
    burst: int


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Measure and print. Returns 1 when a delivery was missing or doubled, or the bad one did not hang.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="2 pairs of shorter runs")
    parser.add_argument("--pairs", type=int, help="of runs without and with; 5 if not told")
    parser.add_argument("--seconds", type=float, help="of the steady load")
    parser.add_argument("--burst", type=int, help="events in the burst, each for every subscriber")
    chosen = parser.parse_args(arguments)
    pairs = chosen.pairs or (2 if chosen.quick else 5)
    seconds, burst = chosen.seconds or (4.0 if chosen.quick else 8.0), chosen.burst or (150 if chosen.quick else 300)
    try:
        with world(seconds, burst) as around:
            _compare(around, pairs)
    except (NoResultError, AssertionError) as exc:
        print(f"no result: {exc}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def world(seconds: float, burst: int) -> Iterator[World]:
    """
    Start everything; the settings of production, as far as they matter here.
    """
    clean_environment()
    concurrency = DeliverySettings.model_fields["concurrency"].default
    settings = {
        "DELIVERY__CONCURRENCY": concurrency,
        "DELIVERY__TIMEOUT_S": _TIMEOUT_S,
        "LEDGER__REAP_INTERVAL_S": 5,
        "LEDGER__QUEUE_PATIENCE_S": 30,
    }
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        broker = stack.enter_context(kafka())
        redis = stack.enter_context(RedisServer(folder / "redis"))
        healthy = stack.enter_context(Receiver.start(keep_bodies=False))
        hanging = stack.enter_context(Receiver.start(keep_bodies=False))
        relay = Relay(
            folder,
            redis=redis,
            kafka=broker.bootstrap_servers,
            receiver=healthy,
            workers=WORKERS,
            settings=settings,
        )
        stack.enter_context(relay)
        print(
            f"\n{HEALTHY} healthy destinations, {WORKERS} workers of {concurrency} slots, {broker.description}: "
            f"{PER_S} events/s for {seconds:g} s, then {burst} at once",
            flush=True,
        )
        yield World(relay=relay, healthy=healthy, hanging=hanging, seconds=seconds, burst=burst)


def _compare(around: World, pairs: int) -> None:
    _run(around, is_beside=False)  # the first one finds everything cold
    p99s, rates, cpus = [], [], []
    for number in range(pairs):
        if number % 2:
            beside, alone = _run(around, is_beside=True), _run(around, is_beside=False)
        else:
            alone, beside = _run(around, is_beside=False), _run(around, is_beside=True)
        p99s.append(beside.p99_ms / alone.p99_ms)
        rates.append(beside.rate / alone.rate)
        cpus.append(beside.cpu_us / alone.cpu_us)
        ratios = f"p99 {p99s[-1]:.2f}x, rate {rates[-1]:.2f}x, CPU {cpus[-1]:.2f}x"
        print(f"  alone: {alone}   beside it: {beside}   {ratios}", flush=True)
    print(f"  p99, median ratio {spread(p99s)}; goal at most {GOAL_P99}: {_met(median(p99s) <= GOAL_P99)}")
    print(f"  rate, median ratio {spread(rates)}; goal at least {GOAL_RATE}: {_met(median(rates) >= GOAL_RATE)}")
    print(f"  CPU per delivery, median ratio {spread(cpus)}")


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def _run(around: World, *, is_beside: bool) -> Figures:
    relay = around.relay
    healthy = [relay.subscribe() for _ in range(HEALTHY)]
    path = f"/hangs-{uuid4().hex[:8]}"
    around.hanging.behave(path, Behaviour(mode=Mode.HANG))
    if is_beside:
        relay.subscribe(destination=around.hanging.url(path))
    _send(relay, _WARM_UP)
    _wait_for_healthy(around, healthy, _WARM_UP)
    if is_beside:
        around.hanging.wait_for_requests(path, 1, timeout_s=10)
    published = _steady(around)
    _wait_for_healthy(around, healthy, _WARM_UP + len(published))
    arrivals = dict(arrival for one in healthy for arrival in around.healthy.arrivals(one.path))
    latencies = sorted(arrivals[id_] - at for at, ids in published for id_ in ids if id_ in arrivals)
    before = len(arrivals)
    pids = [process.pid for process in (*relay.processes, relay.redis)]
    cpu_before = cpu_s(pids)
    _send(relay, around.burst)
    _wait_for_healthy(around, healthy, _WARM_UP + len(published) + around.burst)
    cpu_us = 1e6 * (cpu_s(pids) - cpu_before) / (around.burst * HEALTHY)
    times = sorted(at for one in healthy for _, at in around.healthy.arrivals(one.path))[before:]
    hung = around.hanging.request_count(path)
    if is_beside and (not hung or around.hanging.connections().open < hung):
        raise NoResultError(f"of {hung} requests some did not hang to the end")
    _end(around)
    p99_ms = 1000 * latencies[math.ceil(0.99 * len(latencies)) - 1]
    return Figures(p99_ms=p99_ms, rate=_rate(times), cpu_us=cpu_us)


def _send(relay: Relay, count: int) -> None:
    relay.publish(event_payload(number) for number in range(count))


def _steady(around: World) -> list[tuple[float, set[str]]]:
    """
    Publish at a steady pace. Returns when each event was, and its deliveries.
    """
    places: list[tuple[float, Place]] = []
    began_at = time.monotonic()
    while (elapsed := time.monotonic() - began_at) < around.seconds:
        due = math.ceil(elapsed * PER_S) - len(places)
        if due > 0:
            at = time.time()
            places += [(at, place) for place in around.relay.publish(event_payload(number) for number in range(due))]
        time.sleep(_TICK_S)
    return [(at, around.relay.expected([place])) for at, place in places]


def _wait_for_healthy(around: World, healthy: Sequence[Subscriber], count: int) -> None:
    for one in healthy:
        accepted = around.healthy.wait_for_accepted(one.path, count, timeout_s=_SETTLES_S)
        if len(accepted) != count or set(accepted.values()) != {1}:
            raise NoResultError(f"{len(accepted)} of {count} deliveries came, {sum(accepted.values())} in all")


def _rate(times: Sequence[float]) -> float:
    first, last = int(len(times) * _FROM), int(len(times) * _TO) - 1
    return (last - first) / (times[last] - times[first])


def _end(around: World) -> None:
    """
    Free the slots and have nothing left to do.
    """
    relay = around.relay
    for subscriber in tuple(relay.subscribers.values()):
        relay.unsubscribe(subscriber)
    around.hanging.drop_connections()
    relay.forget()
    wait_until(
        lambda: relay.is_settled() and not relay.ledger.dead_letters(), timeout_s=_SETTLES_S, what="the end of all work"
    )


if __name__ == "__main__":
    print(describe())
    sys.exit(main())
