"""
The whole product as processes, as in production, and the account of what became of every event.

    with Relay(folder, redis=redis, kafka=kafka.bootstrap_servers, receiver=receiver) as relay:
        relay.subscribe()
        relay.publish(events(2_000))
        relay.workers[0].kill()
        relay.workers[0].start()
        account = relay.settle()
        assert (account.lost, account.doubled) == (0, 0)
"""

import json
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import redis

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.inventory import RedisInventoryStore
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.event import EventFormat
from odim_relay.domain.identity import delivery_id, event_id
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription
from tests.support.account import Account, Place
from tests.support.events import event
from tests.support.kafka_client import KafkaClient
from tests.support.ledger_view import PREFIX, LedgerView
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay_process import RelayProcess, procfile_command, start_all, wait_for_end
from tests.support.relay_settings import QUICK
from tests.support.subscriber import Subscriber
from tests.support.topic_writer import ACKNOWLEDGED_S, TopicWriter
from tests.support.waiting import wait_until

__all__ = ["Relay", "Subscriber"]

STARTS_READING_S = 30.0
SIGNS_OF_FAULTS = (
    "raised unexpected",
    "delivery.broken",
    "Unrecoverable error",
    '"level": "critical"',
    "UnexpectedFrame",  # two threads on one connection to RabbitMQ
)


class Relay:
    """
    Bridge, workers, maintenance and beat over one Redis, one topic of one Kafka, and one receiver.

    Entering it starts all of them at once and leaving it ends them. Each is a `LocalProcess`: to be killed, hung,
    terminated and started again. `settings` are environment variables without their prefix, beside or instead of QUICK;
    of the topics they may name, `publish` writes to the first.
    """

    def __init__(
        self,
        folder: Path,
        *,
        redis: RedisServer,
        kafka: str,
        receiver: Receiver,
        partitions: int = 1,
        bridges: int = 1,
        workers: int = 1,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.redis = redis
        self.receiver = receiver
        topics: list[str] = json.loads(str((settings or {}).get("KAFKA__TOPICS", "[]")))
        self.topic = topics[0] if topics else f"events-{uuid.uuid4().hex[:8]}"
        self.group_id = f"group-{uuid.uuid4().hex[:8]}"
        self.kafka = KafkaClient(kafka)
        self.partitions = partitions
        self.ledger = LedgerView(redis)
        self._client = redis.client()
        scripts = Scripts(self._client, PREFIX)
        self.store = RedisSubscriptionStore(scripts)
        self.inventory = RedisInventoryStore(scripts)
        self.subscribers: dict[str, Subscriber] = {}
        self._paths: set[str] = set()
        chosen: dict[str, object] = {
            "REDIS__URL": redis.url(),
            "KAFKA__BOOTSTRAP_SERVERS": kafka,
            "KAFKA__TOPICS": json.dumps([self.topic]),
            "KAFKA__GROUP_ID": self.group_id,
            **QUICK,
            **(settings or {}),
        }
        if receiver.ca_file:
            chosen.setdefault("DELIVERY__CA_FILE", receiver.ca_file)
        self.env = {f"ODIM_RELAY_{name}": str(value) for name, value in chosen.items()}
        self.concurrency = int(str(chosen["DELIVERY__CONCURRENCY"]))
        self.folder = folder
        self.bridges = [self.make_bridge(f"bridge{number}") for number in range(1, bridges + 1)]
        self.workers = [self.make_worker(f"worker{number}") for number in range(1, workers + 1)]
        self.maintenance = self.make_worker("maintenance", kind="maintenance")
        self.beat = RelayProcess("beat", procfile_command("beat"), folder, self.env, ready="beat: Starting...")
        self._writer = TopicWriter(kafka, self.topic, partitions)

    # --- processes ---

    def make_bridge(self, name: str, command: Sequence[str] | None = None) -> RelayProcess:
        """
        A bridge that is not started yet. Ready when it has joined the group; it may not have partitions then.
        """
        return RelayProcess(name, command or procfile_command("bridge"), self.folder, self.env, ready="bridge.started")

    def make_worker(self, name: str, kind: str = "worker") -> RelayProcess:
        """
        A worker that is not started yet. Ready when it takes tasks.
        """
        command = [*procfile_command(kind), "-n", f"{name}@%h"]
        return RelayProcess(name, command, self.folder, self.env, ready=" ready.")

    def command(self, *arguments: str) -> RelayProcess:
        """
        A command of `odim-relay` that is not started yet.
        """
        return RelayProcess("-".join(arguments[:2]), ["-m", "odim_relay", *arguments], self.folder, self.env, ready="")

    def run(self, *arguments: str, stdin: str = "") -> str:
        """
        Run a command of `odim-relay` to its end, and give what it prints; fails when that is not well.
        """
        command = [sys.executable, "-m", "odim_relay", *arguments]
        env = {**self.worker.env, "COLUMNS": "1000"}
        done = subprocess.run(
            command, cwd=self.folder, env=env, input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def operate(self, action: Literal["resume", "suspend", "release"], *ids: str) -> None:
        """
        Do to what is parked what an operator may do; returns when it is done.
        """
        argv = ["-m", "tests.support.backlog_program", action, *ids]
        process = RelayProcess(f"{action}-{ids[0][:8]}", argv, self.folder, self.env, ready="")
        process.launch()
        status = wait_for_end(process)
        assert status == 0, process.log_tail()

    @property
    def processes(self) -> list[RelayProcess]:
        return [*self.bridges, *self.workers, self.maintenance, self.beat]

    @property
    def bridge(self) -> RelayProcess:
        return self.bridges[0]

    @property
    def worker(self) -> RelayProcess:
        return self.workers[0]

    def __enter__(self) -> Self:
        try:
            self.create_topic()
            start_all(self.processes)
            # From now on it can be told which deliveries a record must become.
            wait_until(self._reads_all, timeout_s=STARTS_READING_S, what="the bridges to have all partitions")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc is not None:
            self.tell()
        self.close()

    def create_topic(self) -> None:
        self.kafka.create_topic(self.topic, self.partitions)

    def forget(self) -> None:
        """
        Begin a new account: what was published before is not counted any more.
        """
        self._writer.forget_places()
        self._paths = {subscriber.path for subscriber in self.subscribers.values()}

    def _reads_all(self) -> bool:
        return len(self.ledger.positions(self.topic)) == self.partitions

    def recreate_topic(self) -> None:
        """
        Delete the topic with its records and make it anew. What was published before is not accounted for any more.
        """
        self.kafka.delete_topic(self.topic)
        self.create_topic()
        self._writer.forget()

    def close(self) -> None:
        """
        Ends all processes.
        """
        for process in self.processes:
            process.kill()
        self.ledger.close()
        self._client.close()

    def tell(self) -> None:
        """
        Prints how far things got and the logs' tails, for the report of a failed test.
        """
        with suppress(redis.RedisError):
            print(f"--- ledger: {self.ledger.counters()}, open {self.ledger.open_count()}")
            print(f"    in the queue {self.ledger.queue_depth()}, positions {self.ledger.positions(self.topic)}")
        print(f"    records published: {self._writer.ends}")
        for process in self.processes:
            state = "runs" if process.running else f"ended with {process.returncode}"
            print(f"--- {process.name} {state}; the end of its log:\n{process.log_tail()}")

    def check_health(self) -> None:
        """
        Fails when a process has ended or has met an exception that nobody expected.
        """
        for process in self.processes:
            assert process.running, f"{process.name} ended with {process.returncode}:\n{process.log_tail()}"
            # Celery cannot acknowledge on a connection that its broker dropped: what it had taken is in the ledger.
            lines = [line for line in process.log().splitlines() if "Couldn't ack" not in line]
            for sign in SIGNS_OF_FAULTS:
                assert not any(sign in line for line in lines), f"{process.name}: {sign}\n{process.log_tail()}"

    # --- subscriptions ---

    def subscribe(
        self,
        path: str = "",
        *,
        filters: Filters = Filters(),  # noqa: B008 - frozen
        event_format: EventFormat = EventFormat.EVENT,
        context: str | None = None,
        destination: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        retry_policy: RetryPolicy = RetryPolicy.FOREVER_WITH_BACKOFF,
        mode: Mode = Mode.AT_LEAST_ONCE,
    ) -> Subscriber:
        """
        Subscribe a path of the receiver; by default one of its own.
        """
        subscription_id = str(uuid.uuid4())
        path = path or f"/{subscription_id[:8]}"
        subscription = Subscription(
            subscription_id=subscription_id,
            destination=destination or self.receiver.url(path),
            name=path,
            filters=filters,
            event_format=event_format,
            context=context,
            headers=headers,
            retry_policy=retry_policy,
            mode=mode,
        )
        self.store.save(subscription)
        self.subscribers[subscription_id] = Subscriber(subscription, path)
        self._paths.add(path)
        return self.subscribers[subscription_id]

    def expect(self, subscription_id: str, path: str) -> Subscriber:
        """
        Account for a subscription of a path that is kept elsewhere, and followed.
        """
        subscription = Subscription(subscription_id=subscription_id, destination=self.receiver.url(path), name=path)
        self.subscribers[subscription_id] = Subscriber(subscription, path)
        self._paths.add(path)
        return self.subscribers[subscription_id]

    def change(self, subscriber: Subscriber, **members: Any) -> None:
        """
        Replace members of its subscription.
        """
        subscriber.subscription = replace(subscriber.subscription, **members)
        self.store.save(subscriber.subscription)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        assert self.store.delete(subscriber.id)
        del self.subscribers[subscriber.id]

    # --- events ---

    def publish(
        self,
        payloads: Iterable[bytes],
        *,
        wanted_by: Sequence[Subscriber] | None = None,
        wrapped: bool = True,
        event_type: str = "",
    ) -> list[Place]:
        """
        Write payloads to Kafka as ODIM's plugins do, or as they are; returns when Kafka has acknowledged them.

        Args:
            wanted_by: who is to get them; by default every subscriber.
        """
        wanted = tuple(subscriber.id for subscriber in (self.subscribers.values() if wanted_by is None else wanted_by))
        return self._writer.write(payloads, wanted, wrapped=wrapped, event_type=event_type)

    @contextmanager
    def under_load(self, per_s: int, *, wanted_by: Sequence[Subscriber] | None = None) -> Iterator[None]:
        """
        Publish so many events each second, in the background, until the end of the block; `wanted_by` as `publish`.
        """
        numbers = iter(range(sys.maxsize))
        stop = threading.Event()
        failures: list[BaseException] = []
        batch = max(per_s // 20, 1)

        def publish_on() -> None:
            try:
                while not stop.wait(batch / per_s):
                    self.publish([event(next(numbers)) for _ in range(batch)], wanted_by=wanted_by)
            except BaseException as exc:  # noqa: BLE001 - raised by the block
                failures.append(exc)

        thread = threading.Thread(target=publish_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(2 * ACKNOWLEDGED_S)
        if failures:
            raise failures[0]

    def publish_until_written(self, payloads: list[bytes], bridge: RelayProcess) -> None:
        """
        Publish what `bridge` needs several writes for, and return right after the first: the time to do it harm.
        """
        wait_until(lambda: self.unread_count() == 0, timeout_s=30, what="the bridge to be at the end")
        before = self.ledger.positions(self.topic)
        bridge.stop()
        self.publish(payloads)
        bridge.cont()
        give_up_at = time.monotonic() + 30
        while self.ledger.positions(self.topic) == before:  # without a pause: the next write comes in milliseconds
            assert time.monotonic() < give_up_at, f"{bridge.name} writes nothing"

    # --- the account ---

    def expected(self, places: Sequence[Place] | None = None) -> set[str]:
        """
        The ids of the deliveries that must be made of some records, or of all.
        """
        epochs = {partition: epoch for partition, (epoch, _) in self.ledger.positions(self.topic).items()}
        if places is None:
            places = self._writer.places
        return {
            delivery_id(event_id(epochs.get(at.partition, ""), self.topic, at.partition, at.offset, 0), subscriber)
            for at in places
            for subscriber in at.wanted_by
        }

    def accepted(self) -> Counter[str]:
        """
        How often each delivery was answered 2xx.
        """
        accepted: Counter[str] = Counter()
        for path in self._paths:
            accepted.update(self.receiver.accepted(path))
        return accepted

    def account(self) -> Account:
        """
        Count what became of everything, as it stands now.
        """
        expected = self.expected()
        accepted = self.accepted()
        parked = {id_: letter["reason"] for id_, letter in self.ledger.dead_letters().items()}
        return Account(
            published=len(expected),
            delivered=len(expected & accepted.keys()),
            lost_ids=frozenset(expected - accepted.keys() - parked.keys()),
            doubled=sum(accepted.values()) - len(accepted),
            strange_ids=frozenset(accepted.keys() - expected),
            parked=parked,
            quarantined=self.ledger.quarantine_count(),
        )

    def unread_count(self) -> int:
        """
        How many published records the ledger has not taken in.
        """
        positions = self.ledger.positions(self.topic)
        return sum(max(end - positions.get(p, ("", 0))[1], 0) for p, end in self._writer.ends.items())

    def is_settled(self) -> bool:
        """
        Whether everything published is read, and nothing is queued, under way or waiting for its time.
        """
        try:
            return not (self.unread_count() or self.ledger.open_count() or self.ledger.queue_depth())
        except redis.RedisError:
            return False

    def wait_for_all(self, timeout_s: float = 60.0) -> Account:
        """
        Wait until every delivery was made and nothing is to be done any more, or the time is up, and count.
        """
        with suppress(AssertionError):
            wait_until(
                lambda: self.is_settled() and self.account().delivered == self.account().published,
                timeout_s=timeout_s,
                what="every delivery to be made",
            )
        return self.account()

    def settle(self, timeout_s: float = 60.0) -> Account:
        """
        Wait until nothing is to be done any more, or the time is up, and count.
        """
        with suppress(AssertionError):
            wait_until(self.is_settled, timeout_s=timeout_s, what="the end of all work")
        return self.account()
