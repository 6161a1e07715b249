"""
What waiting costs: worker memory while 100,000 deliveries wait, Redis memory of each, and how fast a gap is drained.

    python -m benchmarks.waiting_memory [--waiting N] [--drained N]
"""

import argparse
import contextlib
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import psutil
import redis

from benchmarks.engine import HOOK, ROOT, clean_environment
from benchmarks.figures import NoResultError, check_counts
from benchmarks.machine import describe
from benchmarks.payload import PAYLOAD_BYTES, event_payload
from odim_relay.adapters.redis.rules import LedgerRules
from tests.support.processes import LocalProcess
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

WAITING, DRAINED = 100_000, 10_000
MOST_MIB, MOST_DRAIN_S = 20, 30
_WARM: Final = 5_000
"""
Deliveries before the first look: by then a worker has grown to what it needs.
"""
_BATCH: Final = 500
_OUTAGE_S: Final = 30.0
_REPLAY_S: Final = 5
_MIB: Final = 1_048_576
_PREFIX: Final = "odim-relay:"
_QUIET: Final = 2.0


class Relay:
    """
    Redis, one worker, maintenance and beat, with one subscriber.
    """

    def __init__(self, server: RedisServer, receiver: Receiver, folder: Path) -> None:
        self.receiver = receiver
        self.redis: redis.Redis = server.client()
        self._environment = {
            "ODIM_RELAY_REDIS__URL": server.url(),
            "ODIM_RELAY_EGRESS__ALLOW": '["127.0.0.0/8"]',
            "ODIM_RELAY_DEAD_LETTERS__REPLAY_INTERVAL_S": str(_REPLAY_S),
            "ODIM_RELAY_FLOWER__TASK_EVENTS": "false",
            "ODIM_RELAY_LOG__LEVEL": "WARNING",
        }
        commands = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
        self.processes = {
            name: LocalProcess(
                name,
                [sys.executable, "-m", *shlex.split(commands[name])],
                folder,
                env={**clean_environment(), **self._environment},
            )
            for name in ("worker", "maintenance", "beat")
        }
        os.environ.update(self._environment)
        self._taken_in = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """
        Start the processes; they end with the block.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(self.redis.close)
            for process in self.processes.values():
                stack.callback(process.kill)
                process.launch()
            self._subscribe()
            yield

    def _subscribe(self) -> None:
        from odim_relay import bootstrap  # noqa: PLC0415 - reads its settings from the environment
        from odim_relay.domain.subscription import Subscription  # noqa: PLC0415
        from odim_relay.ports import Position, TopicPartition  # noqa: PLC0415

        self._partition = TopicPartition(topic="BENCHMARK", partition=0)
        bootstrap.subscription_store().save(Subscription(subscription_id="s", destination=self.receiver.url(HOOK)))
        bootstrap.ingest_ledger().set_position(self._partition, None, Position(topic_epoch="epoch", offset=0))

    def take_in(self, count: int) -> None:
        """
        Write deliveries into the ledger as the bridge does.
        """
        from odim_relay import bootstrap  # noqa: PLC0415 - reads its settings from the environment
        from odim_relay.domain.event import WHOLE  # noqa: PLC0415
        from odim_relay.ports import IngestBatch, NewDelivery, NewEvent, Position  # noqa: PLC0415

        ledger, generation = bootstrap.ingest_ledger(), bootstrap.subscription_store().generation()
        until = self._taken_in + count
        while self._taken_in < until:
            numbers = range(self._taken_in, min(self._taken_in + _BATCH, until))
            events = [
                NewEvent(
                    event_id=str(uuid4()),
                    payload=event_payload(number),
                    record=f"BENCHMARK/0/{number}",
                    recorded_at_ms=time.time_ns() // 1_000_000,
                )
                for number in numbers
            ]
            deliveries = [
                NewDelivery(delivery_id=str(uuid4()), subscription_id="s", event_index=index, shape=WHOLE)
                for index in range(len(events))
            ]
            tickets = ledger.ingest(
                IngestBatch(
                    partition=self._partition,
                    believed=Position(topic_epoch="epoch", offset=numbers.start),
                    reached=Position(topic_epoch="epoch", offset=numbers.stop),
                    generation=generation,
                    events=events,
                    deliveries=deliveries,
                    record_count=len(events),
                    event_count=len(events),
                )
            )
            if tickets is None:
                raise NoResultError("the ledger refused a batch")
            bootstrap.publisher().publish(tickets)
            self._taken_in = numbers.stop

    @property
    def taken_in(self) -> int:
        """
        How many deliveries there have been.
        """
        return self._taken_in

    def arrived(self) -> int:
        """
        How many of them have arrived.
        """
        return len(self.receiver.accepted(HOOK))

    def waiting(self) -> int:
        """
        How many are parked.
        """
        return int(str(self.redis.hlen(f"{_PREFIX}dead-letters")))

    def used_bytes(self) -> int:
        """
        Redis's memory.
        """
        return int(self.redis.info("memory")["used_memory"])

    def worker_bytes(self) -> int:
        """
        The worker's resident memory.
        """
        process = psutil.Process(self.processes["worker"].pid)
        return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))

    def settle(self, count: Callable[[], int], expected: int, what: str, *, timeout_s: float) -> None:
        """
        Wait until there are so many.
        """
        try:
            wait_until(lambda: count() >= expected, timeout_s=timeout_s, what=what)
        except AssertionError as exc:
            logs = "\n".join(process.log_tail() for process in self.processes.values())
            raise NoResultError(f"{count()} of {expected}: {exc}\n{logs}") from exc


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Measure and print. Returns 1 when a delivery was missing or doubled.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--waiting", type=int, default=WAITING, help="deliveries that wait while memory is measured")
    parser.add_argument("--drained", type=int, default=DRAINED, help="deliveries that wait when draining is measured")
    chosen = parser.parse_args(arguments)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="benchmark-") as name,
            RedisServer(Path(name, "redis")) as server,
            Receiver.start(keep_bodies=False) as receiver,
        ):
            relay = Relay(server, receiver, Path(name))
            with relay.running():
                warm_up(relay)
                drain(relay, chosen.drained)
                wait(relay, chosen.waiting)
    except NoResultError as exc:
        print(f"no result: {exc}", file=sys.stderr)
        return 1
    return 0


def warm_up(relay: Relay) -> None:
    """
    Deliver some.
    """
    relay.take_in(_WARM // 10)
    relay.settle(relay.arrived, _WARM // 10, "the first deliveries", timeout_s=120)
    began_at_s, count = time.monotonic(), _WARM - _WARM // 10
    relay.take_in(count)
    relay.settle(relay.arrived, _WARM, "the next deliveries", timeout_s=120)
    print(f"while all is well: {count / (time.monotonic() - began_at_s):,.0f}/s, taking in and sending", flush=True)


def close(relay: Relay) -> None:
    """
    Refuse connections, until that is known.
    """
    relay.receiver.refuse()
    relay.take_in(10)
    relay.settle(relay.waiting, 10, "the breaker to open", timeout_s=60)


def drain(relay: Relay, count: int) -> None:
    """
    Let some wait, come back, and measure until all have arrived.
    """
    before = relay.arrived()
    close(relay)
    relay.take_in(count - relay.waiting())
    back_at_s = time.monotonic()
    relay.receiver.listen()
    relay.settle(relay.arrived, before + 1, "the first event", timeout_s=60)
    first_s = time.monotonic() - back_at_s
    relay.settle(relay.arrived, relay.taken_in, "the gap to be drained", timeout_s=300)
    drained_s = time.monotonic() - back_at_s - first_s
    check_counts(relay.receiver.counts(HOOK), relay.taken_in)
    print(
        f"{count:,} waiting deliveries, no rate limit, one worker: the first {first_s:.1f} s after the return (it is "
        f"knocked at every {_REPLAY_S} s), all others {drained_s:.1f} s later, {count / drained_s:,.0f}/s "
        f"(goal: {MOST_DRAIN_S} s)",
        flush=True,
    )


def wait(relay: Relay, count: int) -> None:
    """
    Let many wait, and measure the worker and Redis.
    """
    worker_before, redis_before = relay.worker_bytes(), relay.used_bytes()
    close(relay)
    relay.take_in(count - relay.waiting())
    relay.settle(relay.waiting, count, "all to wait", timeout_s=120)
    peak = relay.worker_bytes()
    end_at_s = time.monotonic() + _OUTAGE_S
    while time.monotonic() < end_at_s:
        time.sleep(_QUIET)
        peak = max(peak, relay.worker_bytes())
    grown, per_delivery = peak - worker_before, (relay.used_bytes() - redis_before) / count
    print(
        f"{count:,} waiting deliveries: the worker's memory goes from {worker_before / _MIB:.1f} to {peak / _MIB:.1f} "
        f"MiB, {grown / _MIB:+.1f} MiB (goal: at most {MOST_MIB}); Redis {per_delivery:,.0f} bytes for each, "
        f"{per_delivery - PAYLOAD_BYTES:,.0f} beside its payload of {PAYLOAD_BYTES:,} (the ledger reckons with "
        f"{LedgerRules().overhead_bytes:,})",
        flush=True,
    )
    arrived = relay.arrived()
    relay.receiver.listen()
    some = min(_WARM, count)
    relay.settle(relay.arrived, arrived + some, "the drain to get going", timeout_s=300)
    drained = relay.worker_bytes() - worker_before
    print(f"while they are drained, after {some:,} of them: {drained / _MIB:+.1f} MiB")
    if max(relay.receiver.accepted(HOOK).values()) > 1:
        raise NoResultError("a delivery came twice")


if __name__ == "__main__":
    print(describe())
    sys.exit(main())
