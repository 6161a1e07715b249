"""
A ledger in Redis to try single operations on, and to look into.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import redis

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.backlog import RedisBacklogLedger
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.event import WHOLE
from odim_relay.domain.outcome import Outcome
from odim_relay.ports import (
    Claim,
    IngestBatch,
    LastAttempt,
    NewDelivery,
    NewEvent,
    Position,
    TaskTicket,
    TopicPartition,
)
from tests.fakes.samples import PARTITION, START, subscription
from tests.integration.ledger.database import Database
from tests.integration.ledger.invariants import check_invariants

PREFIX = "bench:"
LEASE_S, PATIENCE_S, MAX_COUNTDOWN_S = 30.0, 40.0, 900.0
MOST = 500
RULES = LedgerRules(
    lease_ms=round(LEASE_S * 1000),
    patience_ms=round(PATIENCE_S * 1000),
    max_countdown_ms=round(MAX_COUNTDOWN_S * 1000),
    slots=64,
    quarantine_bytes=10_000,
)


def last(destination: str = "https://example.test/hook", *, status: int = 503) -> LastAttempt:
    return LastAttempt(outcome=Outcome(status=status), destination=destination)


@dataclass(frozen=True, slots=True)
class Work:
    """
    What an operation asked of Redis.
    """

    round_trips: int
    commands: int


class Bench:
    def __init__(self, client: redis.Redis, **rules: Any) -> None:
        self.client = client
        scripts = Scripts(client, PREFIX, replace(RULES, **rules))
        self.deliveries = RedisDeliveryLedger(scripts)
        self.backlog = RedisBacklogLedger(scripts)
        self.ingest = RedisIngestLedger(scripts)
        self.store = RedisSubscriptionStore(scripts)

    def fill(
        self,
        count: int,
        *,
        subscription_id: str = "s",
        payload: bytes = b"payload",
        partition: TopicPartition = PARTITION,
    ) -> list[TaskTicket]:
        """
        Take in so many events for one subscription, which is saved if it is not there.
        """
        if self.store.get(subscription_id) is None:
            self.store.save(subscription(subscription_id))
        position = self.ingest.position(partition)
        if position is None:
            position = START
            assert self.ingest.set_position(partition, None, START)
        tickets: list[TaskTicket] = []
        taken = 0
        while taken < count:
            some = min(MOST, count - taken)
            taken += some
            written = self.ingest.ingest(self.batch(subscription_id, some, position, payload, partition))
            assert written is not None
            tickets += written
            position = Position(topic_epoch=position.topic_epoch, offset=position.offset + some)
        return tickets

    def batch(
        self, subscription_id: str, count: int, position: Position, payload: bytes, partition: TopicPartition
    ) -> IngestBatch:
        names = [f"{partition.partition}-{position.offset + number:05}" for number in range(count)]
        return IngestBatch(
            partition=partition,
            believed=position,
            reached=Position(topic_epoch=position.topic_epoch, offset=position.offset + count),
            generation=self.store.generation(),
            events=[NewEvent(event_id=f"e-{it}", payload=payload, record=it, recorded_at_ms=1_000) for it in names],
            deliveries=[
                NewDelivery(delivery_id=f"d-{it}", subscription_id=subscription_id, event_index=at, shape=WHOLE)
                for at, it in enumerate(names)
            ],
            record_count=count,
            event_count=count,
        )

    def claim(self, ticket: TaskTicket) -> Claim:
        claim = self.deliveries.claim(ticket)
        assert isinstance(claim, Claim), claim.reason
        return claim

    def park(self, tickets: Sequence[TaskTicket], reason: str) -> None:
        for ticket in tickets:
            self.deliveries.park(self.claim(ticket), ParkReason(reason), last())

    def reap(self, *, queue_is_empty: bool = False) -> list[TaskTicket]:
        return list(self.deliveries.reap(queue_is_empty=queue_is_empty)[0].tickets)

    def lapse(self, *tickets: TaskTicket) -> None:
        """
        Let deadlines pass, in this order.
        """
        for at, ticket in enumerate(tickets, 1):
            assert self.client.zadd(f"{PREFIX}deadlines", {ticket.delivery_id: at}, xx=True, ch=True) == 1

    def due_in_s(self, ticket: TaskTicket) -> float:
        """
        How long until the reaper looks at a delivery.
        """
        seconds, micros = self.client.time()
        score = self.client.zscore(f"{PREFIX}deadlines", ticket.delivery_id)
        assert score is not None
        return float(score) / 1000 - (seconds + micros / 1e6)

    @property
    def database(self) -> Database:
        """
        What is there; checked to be sound.
        """
        database = Database.read(self.client, PREFIX)
        check_invariants(database)
        return database

    def fields(self, ticket: TaskTicket) -> dict[str, str]:
        return self.database.everything[ticket.delivery_id]

    def work_of(self, operation: Callable[[], object]) -> Work:
        """
        Count what Redis does for an operation, inside its scripts too.
        """
        self.client.config_resetstat()
        operation()
        stats = self.client.info("commandstats")
        calls = {name.removeprefix("cmdstat_"): one["calls"] for name, one in stats.items()}
        for own in ("config|resetstat", "config", "info"):
            calls.pop(own, None)
        scripts = calls.pop("evalsha", 0)
        return Work(round_trips=scripts, commands=sum(calls.values()))
