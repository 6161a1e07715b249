"""
The two ledgers that must keep one contract: that in Redis, and the one in memory that other tests stand on.
"""

import json
from dataclasses import dataclass, field
from typing import Protocol

import redis

from odim_relay.adapters.redis.connection import Scripts, text
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.delivery import State
from odim_relay.ports import DeliveryLedger, IngestLedger, ReapLedger, SubscriptionStore
from tests.fakes.delivery_ledger import InMemoryDeliveryLedger
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.ledger_state import LedgerState
from tests.fakes.subscription_store import InMemorySubscriptionStore

PATIENCE_S = 30.0
QUARANTINE_MAX_BYTES = 100


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
    def subscriptions(self) -> SubscriptionStore: ...

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

    def counter(self, name: str) -> int: ...
    def quarantined(self) -> list[str]: ...


class LedgerInMemory:
    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 1_000_000)
        self.deliveries = InMemoryDeliveryLedger(self.state)
        self.ingest = InMemoryIngestLedger(self.state, quarantine_max_bytes=QUARANTINE_MAX_BYTES)
        self.subscriptions = InMemorySubscriptionStore(self.state)

    def state_of(self, delivery_id: str) -> State:
        kept = self.state.deliveries.get(delivery_id)
        return State.GONE if kept is None else kept.state

    def lapse(self, delivery_id: str) -> None:
        if delivery_id in self.state.deadlines:
            self.state.deadlines[delivery_id] = 1

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
    subscriptions: RedisSubscriptionStore = field(init=False)

    def __post_init__(self) -> None:
        rules = LedgerRules(patience_ms=round(PATIENCE_S * 1000), quarantine_bytes=QUARANTINE_MAX_BYTES)
        scripts = Scripts(self.client, self.prefix, rules)
        self.deliveries = RedisDeliveryLedger(scripts)
        self.ingest = RedisIngestLedger(scripts)
        self.subscriptions = RedisSubscriptionStore(scripts)

    def state_of(self, delivery_id: str) -> State:
        state = self.client.hget(f"{self.prefix}delivery:{delivery_id}", "state")
        if state is not None:
            return State(text(state))
        letter = self.client.hget(f"{self.prefix}dead-letters", delivery_id)
        return State.GONE if letter is None else State(json.loads(letter)["state"])

    def lapse(self, delivery_id: str) -> None:
        self.client.zadd(f"{self.prefix}deadlines", {delivery_id: 1}, xx=True)

    def counter(self, name: str) -> int:
        return int(self.client.hget(f"{self.prefix}counters", name) or 0)

    def quarantined(self) -> list[str]:
        return sorted(text(id_) for id_ in self.client.hkeys(f"{self.prefix}quarantine"))
