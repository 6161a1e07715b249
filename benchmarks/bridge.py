"""
The bridge's rate, Kafka to task, beside a bare loop of `apply_async` that only publishes.

    python -m benchmarks.bridge [--quick] [--pairs N]

The bridge is the real process: it reads Kafka, decodes ODIM's envelope, matches it with 100 subscriptions, writes the
ledger, publishes and commits. Measured from 3 % of the tasks in the broker to the last of them.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import redis

from benchmarks.engine import clean_environment
from benchmarks.figures import NoResultError, Run, compare
from benchmarks.machine import describe
from benchmarks.measuring import Stretch, measure
from benchmarks.payload import SYSTEMS, event_payload
from odim_relay.adapters.redis.connection import Scripts, connect
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.subscription import Filters, Subscription
from tests.support.kafka_client import KafkaClient, odim_envelope
from tests.support.kafka_distribution import KafkaMissingError
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.processes import LocalProcess
from tests.support.redis_server import RedisServer

SUBSCRIPTIONS = SYSTEMS
# The faster side gets more, so that both are looked at for about the same time.
PLAIN_COUNT, OURS_COUNT = 6_000, 20_000
# What the mock broker can hold.
_MOST_IN_MOCK = 10_000
QUICK = 3
_PARTITIONS = 4
_FROM = 0.03
_PREFIX = "odim-relay:"


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Measure and print. Returns 1 when a delivery was missing or doubled.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a third of the deliveries, 2 pairs")
    parser.add_argument("--pairs", type=int, help="of runs in both cases; 5 if not told")
    parser.add_argument("--count", type=int, help="deliveries of every run, both sides")
    chosen = parser.parse_args(arguments)
    divisor = QUICK if chosen.quick else 1
    plain_count, ours_count = chosen.count or PLAIN_COUNT // divisor, chosen.count or OURS_COUNT // divisor
    pairs = chosen.pairs or (2 if chosen.quick else 5)
    try:
        with kafka() as broker:
            for matches in (1, 5):
                _against(broker, pairs, plain_count, ours_count, matches)
    except NoResultError as exc:
        print(f"no result: {exc}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def kafka() -> Iterator[KafkaServer | KafkaMock]:
    """
    Apache Kafka where it can be had, else librdkafka's mock.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-kafka-") as folder:
        broker: KafkaServer | KafkaMock
        try:
            broker = KafkaServer(Path(folder))
        except KafkaMissingError:
            broker = KafkaMock(Path(folder))
        with broker:
            yield broker


def _against(broker: KafkaServer | KafkaMock, pairs: int, plain_count: int, ours_count: int, matches: int) -> float:
    """
    Compare the two where `matches` of the subscriptions want each event.
    """
    records = (ours_count if broker.is_durable else min(ours_count, _MOST_IN_MOCK)) // matches
    topic = f"matched-by-{matches}"
    client = KafkaClient(broker.bootstrap_servers)
    client.create_topic(topic, _PARTITIONS)
    systems = SUBSCRIPTIONS // matches
    envelopes = [odim_envelope(event_payload(system)) for system in range(systems)]
    client.produce(topic, ((str(number).encode(), envelopes[number % systems], []) for number in range(records)))

    def run_ours() -> Run:
        return _bridge(broker, topic, records, matches)

    def run_plain() -> Run:
        return _loop(plain_count)

    title = (
        f"Kafka to task, {matches} of {SUBSCRIPTIONS} subscriptions match, {records} records in {_PARTITIONS} "
        f"partitions of {broker.description}; the loop reads nothing"
    )
    ratio = compare(title, pairs, run_plain, run_ours)
    print("  every delivery has its record in the ledger and one task; the group's commits reach the end")
    return ratio


def _bridge(broker: KafkaServer | KafkaMock, topic: str, records: int, matches: int) -> Run:
    group = f"benchmark-{uuid4().hex[:8]}"
    count = records * matches
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        server = stack.enter_context(RedisServer(folder / "redis"))
        _subscribe(server, matches)
        env = {
            **clean_environment(),
            "ODIM_RELAY_REDIS__URL": server.url(0),
            "ODIM_RELAY_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "ODIM_RELAY_KAFKA__TOPICS": json.dumps([topic]),
            "ODIM_RELAY_KAFKA__GROUP_ID": group,
            "ODIM_RELAY_LOG__LEVEL": "WARNING",
        }
        bridge = LocalProcess("bridge", [sys.executable, "-m", "odim_relay", "bridge"], folder, env=env)
        run = _watch(bridge, server, "deliveries", count, stack)
        try:
            bridge.terminate(30)
        except RuntimeError as exc:
            raise NoResultError(str(exc)) from exc
        with server.client(0) as ledger, server.client(1) as tasks:
            _check_tasks(_task_ids(tasks, "deliveries"), count)
            known = {key.decode().rpartition(":")[2] for key in ledger.scan_iter(f"{_PREFIX}delivery:*", count=1000)}
            if known != set(_task_ids(tasks, "deliveries")):
                raise NoResultError(f"the ledger has {len(known)} deliveries, not those of the {count} tasks")
        committed = KafkaClient(broker.bootstrap_servers).committed(group, topic)
        reached = sum(commit.offset for commit in committed.values())
        if reached != records:
            raise NoResultError(f"the group has committed {reached} of {records} records")
        return run


def _loop(count: int) -> Run:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        server = stack.enter_context(RedisServer(folder / "redis"))
        env = {**clean_environment(), "PLAIN_BROKER": server.url(1)}
        argv = [sys.executable, "-m", "benchmarks.plain_loop", "--count", str(count)]
        loop = LocalProcess("loop", argv, folder, env=env)
        run = _watch(loop, server, "celery", count, stack)
        with server.client(1) as tasks:
            _check_tasks(_task_ids(tasks, "celery"), count)
        return run


def _subscribe(server: RedisServer, matches: int) -> None:
    """
    Subscribe to the systems in turn, so that each event is wanted by `matches` of 100.
    """
    with contextlib.closing(connect(server.url(0))) as client:
        store = RedisSubscriptionStore(Scripts(client, _PREFIX))
        for number in range(SUBSCRIPTIONS):
            system = number % (SUBSCRIPTIONS // matches)
            filters = Filters(origin_resources=(f"/redfish/v1/Systems/{system}",), subordinate_resources=True)
            store.save(
                Subscription(
                    subscription_id=f"subscription-{number}",
                    destination=f"https://subscriber.example/hook?s={number}",
                    filters=filters,
                )
            )


def _watch(process: LocalProcess, server: RedisServer, queue: str, count: int, stack: contextlib.ExitStack) -> Run:
    stack.callback(process.kill)
    tasks: redis.Redis = stack.enter_context(server.client(1))
    process.launch()

    def published() -> int:
        now = int(str(tasks.llen(queue)))
        if now < count and not process.running:
            raise NoResultError(f"{process.name} ended after {now} of {count}:\n{process.log_tail()}")
        return now

    pids = {process.name: [process.pid], "redis": [server.pid]}
    stretch: Stretch = measure(published, start_at=int(count * _FROM), stop_at=count, pids=pids)
    return Run(rate=stretch.rate, cpu_us=stretch.cpu_us(process.name), redis_us=stretch.cpu_us("redis"))


def _task_ids(tasks: redis.Redis, queue: str) -> list[str]:
    return [json.loads(message)["headers"]["id"] for message in tasks.lrange(queue, 0, -1)]


def _check_tasks(ids: Sequence[str], count: int) -> None:
    if len(ids) != count or len(set(ids)) != count:
        raise NoResultError(f"{len(ids)} tasks, {len(set(ids))} different ones, of {count} deliveries")


if __name__ == "__main__":
    print(describe())
    sys.exit(main())
