"""
A ledger in Redis to try single operations on, and to look into.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import redis

from odim_relay.adapters.redis.backlog import RedisBacklogLedger
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.event_service import RedisEventServiceStore
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.inventory import RedisInventoryStore
from odim_relay.adapters.redis.journal import RedisJournal
from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.event import WHOLE
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import (
    Aftermath,
    Claim,
    IngestBatch,
    LastAttempt,
    NewDelivery,
    NewEvent,
    Position,
    Refusal,
    TaskTicket,
    TopicPartition,
)
from tests.fakes.samples import PARTITION, START, subscription
from tests.integration.ledger.database import Database
from tests.integration.ledger.invariants import check_invariants
from tests.integration.ledger.steady_scripts import SteadyScripts
from tests.support.moved_clock import ScriptsWithClock

PREFIX = "bench:"
LEASE_S, PATIENCE_S, MAX_COUNTDOWN_S = 30.0, 40.0, 900.0
MOST = 500
_UNLIMITED = 100_000
RULES = LedgerRules(
    lease_ms=round(LEASE_S * 1000),
    patience_ms=round(PATIENCE_S * 1000),
    max_countdown_ms=round(MAX_COUNTDOWN_S * 1000),
    window=_UNLIMITED,
    passing=0,
    cap=_UNLIMITED,
    slots=4 * _UNLIMITED,
    breaker_failures=_UNLIMITED,
    drain_failures=_UNLIMITED,
    quarantine_bytes=10_000,
)
"""
Nothing is held back: tests say what they limit, by `Bench.under`.
"""
UNAVAILABLE = Outcome(status=503)
UNREACHABLE = Outcome(failure=Failure.CONNECT, detail="refused")


def last(destination: str = "https://example.test/hook", *, status: int = 503) -> LastAttempt:
    return LastAttempt(outcome=Outcome(status=status), destination=destination)


def ended(outcome: Outcome) -> LastAttempt:
    return LastAttempt(outcome=outcome, destination="")


@dataclass(frozen=True, slots=True)
class Work:
    """
    What an operation asked of Redis.
    """

    round_trips: int
    commands: int


class Bench:
    def __init__(
        self, client: redis.Redis, scripts_type: type[ScriptsWithClock] = SteadyScripts, rules: LedgerRules = RULES
    ) -> None:
        self.client = client
        self.rules = rules
        self.scripts = scripts_type(client, PREFIX, rules)
        self.deliveries = RedisDeliveryLedger(self.scripts)
        self.backlog = RedisBacklogLedger(self.scripts)
        self.ingest = RedisIngestLedger(self.scripts)
        self.store = RedisSubscriptionStore(self.scripts)
        self.services = RedisEventServiceStore(self.scripts)
        self.journal = RedisJournal(self.scripts)
        self.inventory = RedisInventoryStore(self.scripts)

    def under(self, **rules: Any) -> "Bench":
        """
        The same ledger and clock under other rules.
        """
        return Bench(self.client, type(self.scripts), replace(self.rules, **rules))

    @property
    def now_ms(self) -> int:
        return self.scripts.now_ms

    def move(self, seconds: float) -> None:
        """
        Let time pass, or jump back.
        """
        self.scripts.move(seconds)

    def subscribe(self, id_: str = "s", *, destination: str = "https://a.test/", **members: Any) -> str:
        """
        Save a subscription; returns the id of its destination.
        """
        saved = replace(subscription(id_), destination=destination, **members)
        self.store.save(saved)
        return destination_id(saved)

    def say(self, **members: Any) -> None:
        """
        Change what the EventService says for all.
        """
        self.services.update(lambda said: replace(said, **members))

    def fill(
        self,
        count: int,
        *,
        subscription_id: str = "s",
        payload: bytes = b"payload",
        partition: TopicPartition = PARTITION,
        is_urgent: bool = False,
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
            written = self.ingest.ingest(
                self.batch(subscription_id, some, position, payload, partition, is_urgent=is_urgent)
            )
            assert written is not None
            tickets += written
            position = Position(topic_epoch=position.topic_epoch, offset=position.offset + some)
        return tickets

    def batch(
        self,
        subscription_id: str,
        count: int,
        position: Position,
        payload: bytes,
        partition: TopicPartition,
        *,
        is_urgent: bool = False,
    ) -> IngestBatch:
        names = [f"{partition.partition}-{position.offset + number:05}" for number in range(count)]
        return IngestBatch(
            partition=partition,
            believed=position,
            reached=Position(topic_epoch=position.topic_epoch, offset=position.offset + count),
            generation=self.store.generation(),
            events=[NewEvent(event_id=f"e-{it}", payload=payload, record=it, recorded_at_ms=1_000) for it in names],
            deliveries=[
                NewDelivery(
                    delivery_id=f"d-{it}",
                    subscription_id=subscription_id,
                    event_index=at,
                    shape=WHOLE,
                    is_urgent=is_urgent,
                )
                for at, it in enumerate(names)
            ],
            record_count=count,
            event_count=count,
        )

    def claim(self, ticket: TaskTicket) -> Claim:
        claim = self.deliveries.claim(ticket)
        assert isinstance(claim, Claim), claim.reason
        return claim

    def refusal(self, ticket: TaskTicket) -> str:
        reply = self.deliveries.claim(ticket)
        assert isinstance(reply, Refusal), reply
        return reply.reason

    def park(self, tickets: Sequence[TaskTicket], reason: str) -> None:
        for ticket in tickets:
            status = 400 if reason == ParkReason.REJECTED else 500
            self.deliveries.park(self.claim(ticket), ParkReason(reason), last(status=status))

    def fail(self, ticket: TaskTicket, outcome: Outcome = UNAVAILABLE, wait_s: float = 15.0) -> Aftermath:
        """
        Claim and fail.
        """
        return self.deliveries.retry(self.claim(ticket), max(wait_s, outcome.retry_after_s or 0), ended(outcome))

    def succeed(self, ticket: TaskTicket, *, is_fast: bool = False) -> Aftermath:
        """
        Claim and complete.
        """
        return self.deliveries.complete(self.claim(ticket), is_fast=is_fast)

    def reap(self, *, queue_is_empty: bool = False) -> list[TaskTicket]:
        return list(self.deliveries.reap(queue_is_empty=queue_is_empty)[0].tickets)

    def replay(self) -> list[TaskTicket]:
        return list(self.backlog.replay().aftermath.tickets)

    def states(self, subscription_id: str = "s") -> Counter[str]:
        """
        How many deliveries of a subscription are in each state; the parked ones by their reason.
        """
        own = [it for it in self.database.everything.values() if it["subscription"] == subscription_id]
        return Counter(it.get("reason", it["state"]) for it in own)

    def breaker(self, destination: str) -> dict[str, str]:
        """
        What is kept of a destination; its state is never missing.
        """
        return {"state": "closed", **self.database.destinations.get(destination, {})}

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
        score = self.client.zscore(f"{PREFIX}deadlines", ticket.delivery_id)
        assert score is not None
        return (float(score) - self.now_ms) / 1000

    @property
    def database(self) -> Database:
        """
        What is there; checked to be sound.
        """
        database = Database.read(self.client, PREFIX)
        check_invariants(database)
        return database

    def fields(self, ticket: TaskTicket | str) -> dict[str, str]:
        return self.database.everything[ticket if isinstance(ticket, str) else ticket.delivery_id]

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
