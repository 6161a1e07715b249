"""
A ledger that the product's own scripts have written, for what an operator sees of it and does to it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import redis

from odim_relay.adapters.redis.backlog import RedisBacklogLedger
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.event import WHOLE
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import (
    Aftermath,
    Claim,
    IngestBatch,
    LastAttempt,
    NewDelivery,
    NewEvent,
    Position,
    QuarantineEntry,
    TaskTicket,
    TopicPartition,
)

PARTITION = TopicPartition(topic="a:b", partition=3)
RECORDED_AT_MS = 1_767_225_600_000
REFUSED = LastAttempt(
    outcome=Outcome(failure=Failure.CONNECT, detail="connection refused", duration_s=0.25), destination="http://a/x"
)
REJECTED = LastAttempt(outcome=Outcome(status=400, detail="no"), destination="http://a/x")
BUSY = LastAttempt(outcome=Outcome(status=503, detail="busy"), destination="http://a/x")


@dataclass(slots=True)
class Filled:
    """
    A ledger, and hands to fill it. Its breakers stay closed unless `rules` say otherwise.
    """

    client: redis.Redis
    prefix: str
    rules: LedgerRules = field(
        default_factory=lambda: LedgerRules(breaker_failures=1_000_000, drain_failures=1_000_000)
    )
    offset: int = 0
    scripts: Scripts = field(init=False)
    ledger: RedisDeliveryLedger = field(init=False)
    backlog: RedisBacklogLedger = field(init=False)
    ingest_ledger: RedisIngestLedger = field(init=False)
    store: RedisSubscriptionStore = field(init=False)

    def __post_init__(self) -> None:
        self.scripts = Scripts(self.client, self.prefix, self.rules)
        self.ledger = RedisDeliveryLedger(self.scripts)
        self.backlog = RedisBacklogLedger(self.scripts)
        self.ingest_ledger = RedisIngestLedger(self.scripts)
        self.store = RedisSubscriptionStore(self.scripts)
        assert self.ingest_ledger.set_position(PARTITION, None, Position(topic_epoch="epoch", offset=0))

    def subscribe(self, *ids: str) -> None:
        for id_ in ids:
            self.store.save(
                Subscription(
                    subscription_id=id_, destination=f"http://{id_}/x?key=1", headers=(("Authorization", "hunter2"),)
                )
            )

    def ingest(self, *deliveries: tuple[str, str], quarantine: Sequence[QuarantineEntry] = ()) -> list[TaskTicket]:
        """
        One event per (delivery, subscription).
        """
        tickets = self.ingest_ledger.ingest(
            IngestBatch(
                partition=PARTITION,
                believed=Position(topic_epoch="epoch", offset=self.offset),
                reached=Position(topic_epoch="epoch", offset=self.offset + 1),
                generation=self.store.generation(),
                events=[
                    NewEvent(
                        event_id=f"event-of-{delivery_id}",
                        payload=b'{"Id":"1"}',
                        record=f"a:b/3/{self.offset}",
                        recorded_at_ms=RECORDED_AT_MS + index,
                    )
                    for index, (delivery_id, _) in enumerate(deliveries)
                ],
                deliveries=[
                    NewDelivery(
                        delivery_id=delivery_id, subscription_id=subscription_id, event_index=index, shape=WHOLE
                    )
                    for index, (delivery_id, subscription_id) in enumerate(deliveries)
                ],
                quarantine=quarantine,
                record_count=1,
                event_count=len(deliveries),
            )
        )
        assert tickets is not None
        self.offset += 1
        return list(tickets)

    def claim(self, ticket: TaskTicket) -> Claim:
        claim = self.ledger.claim(ticket)
        assert isinstance(claim, Claim), claim.reason
        return claim

    def park(self, ticket: TaskTicket, reason: ParkReason, last: LastAttempt = REFUSED) -> Aftermath:
        park = self.ledger.suspend if reason is ParkReason.GONE else self.ledger.park
        aftermath = park(self.claim(ticket), reason, last)
        assert self.letter(ticket.delivery_id)["reason"] == reason
        return aftermath

    def fill(self, subscription_id: str, count: int, reason: ParkReason = ParkReason.REJECTED) -> list[str]:
        """
        Park so many deliveries of one subscription, and return their ids in order. What waits for its turn is parked
        as its turn comes.
        """
        names = [f"{subscription_id}-{number:05}" for number in range(count)]
        for start in range(0, count, 100):
            tickets = self.ingest(*((name, subscription_id) for name in names[start : start + 100]))
            while tickets:
                tickets += self.park(
                    tickets.pop(0), reason, REJECTED if reason is ParkReason.REJECTED else BUSY
                ).tickets
        return names

    def letter(self, delivery_id: str) -> dict[str, object]:
        """
        What the dead-letter hash holds; empty when it is not parked.
        """
        document = self.client.hget(f"{self.prefix}dead-letters", delivery_id)
        return {} if document is None else dict(json.loads(document))

    def counter(self, name: str) -> int:
        return int(self.client.hget(f"{self.prefix}counters", name) or 0)
