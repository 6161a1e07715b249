"""
The two ledgers that must keep one contract: that in Redis, and the one in memory that other tests stand on.
"""

import json
from dataclasses import dataclass, field
from typing import Protocol

import redis

from odim_relay.adapters.redis.announcing import RedisAnnouncingLedger
from odim_relay.adapters.redis.backlog import RedisBacklogLedger
from odim_relay.adapters.redis.connection import Scripts, text
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.event_service import RedisEventServiceStore
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.inventory import RedisInventoryStore
from odim_relay.adapters.redis.journal import RedisJournal
from odim_relay.adapters.redis.outbox import RedisNoticeOutbox
from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.adapters.security.sealing import AesGcmSealer
from odim_relay.domain.delivery import State
from odim_relay.ports import (
    AnnouncingLedger,
    BacklogLedger,
    Claim,
    DeliveryLedger,
    EventServiceStore,
    IngestLedger,
    InventoryStore,
    Journal,
    NoticeOutbox,
    Position,
    ReapLedger,
    Refusal,
    SubscriptionStore,
    TaskTicket,
)
from tests.fakes.announcing_ledger import InMemoryAnnouncingLedger
from tests.fakes.backlog_ledger import InMemoryBacklogLedger
from tests.fakes.delivery_ledger import InMemoryDeliveryLedger
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.journal import InMemoryJournal
from tests.fakes.ledger_state import LedgerState
from tests.fakes.notice_outbox import InMemoryNoticeOutbox
from tests.fakes.samples import START, batch
from tests.fakes.subscription_store import InMemorySubscriptionStore

QUARANTINE_MAX_BYTES = 100
JOURNAL_MAX_BYTES = 3_000
PLENTY = 1_000_000
"""
Of window, cap and failures: what the ledger in memory knows nothing of does not happen.
"""
RETENTION_S = 86_400
RULES = LedgerRules(
    retention_ms=RETENTION_S * 1000,
    quarantine_bytes=QUARANTINE_MAX_BYTES,
    journal_bytes=JOURNAL_MAX_BYTES,
    window=PLENTY,
    cap=PLENTY,
    slots=PLENTY,
    breaker_failures=PLENTY,
)


class SendAndReap(DeliveryLedger, ReapLedger, Protocol):
    pass


class Ledger(Protocol):
    """
    The ports over one store, and a look into it that no port gives.
    """

    @property
    def deliveries(self) -> SendAndReap: ...
    @property
    def ingest(self) -> IngestLedger: ...
    @property
    def backlog(self) -> BacklogLedger: ...
    @property
    def subscriptions(self) -> SubscriptionStore: ...
    @property
    def services(self) -> EventServiceStore: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def inventory(self) -> InventoryStore: ...
    @property
    def announcing(self) -> AnnouncingLedger: ...
    @property
    def outbox(self) -> NoticeOutbox: ...

    def state_of(self, delivery_id: str) -> State:
        """
        GONE when the ledger does not hold it.
        """
        ...

    def lapse(self, delivery_id: str) -> None:
        """
        Let its deadline pass.
        """
        ...

    def age(self, delivery_id: str, by_s: int) -> None:
        """
        Let a parked one have been taken in so much earlier.
        """
        ...

    def counter(self, name: str) -> int: ...
    def quarantined(self) -> list[str]: ...


class LedgerInMemory:
    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 10**12)
        self.deliveries = InMemoryDeliveryLedger(self.state)
        self.journal = InMemoryJournal(state=self.state, most_bytes=JOURNAL_MAX_BYTES)
        self.ingest = InMemoryIngestLedger(self.state, quarantine_max_bytes=QUARANTINE_MAX_BYTES, journal=self.journal)
        self.announcing = InMemoryAnnouncingLedger(self.ingest)
        self.backlog = InMemoryBacklogLedger(self.state, retention_ms=RETENTION_S * 1000)
        self.subscriptions = InMemorySubscriptionStore(self.state)
        self.services = InMemoryEventServiceStore(self.state, self.journal)
        self.inventory = InMemoryInventoryStore(self.state)
        self.outbox = InMemoryNoticeOutbox(self.state)

    def state_of(self, delivery_id: str) -> State:
        kept = self.state.deliveries.get(delivery_id)
        return State.GONE if kept is None else kept.state

    def lapse(self, delivery_id: str) -> None:
        if delivery_id in self.state.deadlines:
            self.state.deadlines[delivery_id] = 1

    def age(self, delivery_id: str, by_s: int) -> None:
        self.state.deliveries[delivery_id].taken_ms -= by_s * 1000

    def counter(self, name: str) -> int:
        return self.state.counters[name]

    def quarantined(self) -> list[str]:
        return sorted(self.state.quarantine)


@dataclass
class LedgerInRedis:
    client: redis.Redis
    prefix: str
    deliveries: RedisDeliveryLedger = field(init=False)
    ingest: RedisIngestLedger = field(init=False)
    backlog: RedisBacklogLedger = field(init=False)
    subscriptions: RedisSubscriptionStore = field(init=False)
    services: RedisEventServiceStore = field(init=False)
    journal: RedisJournal = field(init=False)
    inventory: RedisInventoryStore = field(init=False)
    announcing: RedisAnnouncingLedger = field(init=False)
    outbox: RedisNoticeOutbox = field(init=False)

    def __post_init__(self) -> None:
        scripts = Scripts(self.client, self.prefix, RULES)
        self.deliveries = RedisDeliveryLedger(scripts)
        self.ingest = RedisIngestLedger(scripts)
        self.backlog = RedisBacklogLedger(scripts)
        # With encryption, of which nobody is to notice anything: the same secrets are another document each time.
        self.subscriptions = RedisSubscriptionStore(scripts, AesGcmSealer([bytes(32)]))
        self.services = RedisEventServiceStore(scripts)
        self.journal = RedisJournal(scripts)
        self.inventory = RedisInventoryStore(scripts)
        self.announcing = RedisAnnouncingLedger(scripts)
        self.outbox = RedisNoticeOutbox(scripts)

    def state_of(self, delivery_id: str) -> State:
        state = self.client.hget(f"{self.prefix}delivery:{delivery_id}", "state")
        if state is not None:
            return State(text(state))
        letter = self.client.hget(f"{self.prefix}dead-letters", delivery_id)
        return State.GONE if letter is None else State(json.loads(letter)["state"])

    def lapse(self, delivery_id: str) -> None:
        self.client.zadd(f"{self.prefix}deadlines", {delivery_id: 1}, xx=True)

    def age(self, delivery_id: str, by_s: int) -> None:
        letter = json.loads(self.client.hget(f"{self.prefix}dead-letters", delivery_id) or "")
        letter["taken_ms"] = str(int(letter["taken_ms"]) - by_s * 1000)
        self.client.hset(f"{self.prefix}dead-letters", delivery_id, json.dumps(letter))

    def counter(self, name: str) -> int:
        return int(self.client.hget(f"{self.prefix}counters", name) or 0)

    def quarantined(self) -> list[str]:
        return sorted(text(id_) for id_ in self.client.hkeys(f"{self.prefix}quarantine"))


def write(ledger: Ledger, *ids: str, believed: Position = START) -> list[TaskTicket]:
    """
    One event for these subscriptions.
    """
    tickets = ledger.ingest.ingest(batch(*ids, believed=believed, generation=ledger.subscriptions.generation()))
    assert tickets is not None
    return list(tickets)


def claimed(ledger: Ledger, ticket: TaskTicket) -> Claim:
    claim = ledger.deliveries.claim(ticket)
    assert isinstance(claim, Claim)
    return claim


def refused(ledger: Ledger, ticket: TaskTicket) -> bool:
    return isinstance(ledger.deliveries.claim(ticket), Refusal)
