"""
What the in-memory ledger holds: the one truth that its four ports share, as Redis is for the real ones.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.event import Shape
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import LastAttempt, Position, QuarantineEntry, TopicEpoch, TopicPartition

BY_HAND = frozenset({ParkReason.REJECTED, ParkReason.BROKEN})


@dataclass(slots=True, kw_only=True)
class Kept:
    """
    A delivery in the ledger. `countdown` is the destination whose countdowns it is among, empty for none.
    """

    delivery_id: str
    subscription_id: str
    event_id: str
    shape: Shape
    number: int
    ticket: int
    patience_ms: int
    state: State = State.QUEUED
    seq: int = 1
    attempts: int = 0
    lapses: int = 0
    countdown: str = ""
    due_ms: int | None = None
    last: LastAttempt | None = None
    reason: ParkReason | None = None


@dataclass(slots=True, kw_only=True)
class Body:
    payload: bytes
    record: str
    recorded_at_ms: int
    needed_by: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class LedgerState:
    """
    `now_ms` is the clock that Redis has. Not for several threads.
    """

    now_ms: Callable[[], int]
    deliveries: dict[str, Kept] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    deadlines: dict[str, int] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=Counter)
    tickets: int = 0
    watermark: int = 0
    positions: dict[TopicPartition, Position] = field(default_factory=dict)
    starts: dict[TopicPartition, tuple[int, int]] = field(default_factory=dict)
    topics: dict[str, TopicEpoch] = field(default_factory=dict)
    birth: str = ""
    quarantine: dict[str, QuarantineEntry] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    generation: int = 0
    generations: set[int] = field(default_factory=set)

    def is_parked(self, delivery_id: str) -> bool:
        return delivery_id in self.deliveries and self.deliveries[delivery_id].state is State.PARKED

    def parked_of(self, subscription_id: str, *, by_hand: bool) -> list[str]:
        """
        Ids in order of their ingest number.
        """
        found = [
            kept
            for kept in self.deliveries.values()
            if kept.subscription_id == subscription_id
            and kept.state is State.PARKED
            and (kept.reason in BY_HAND) == by_hand
        ]
        return [kept.delivery_id for kept in sorted(found, key=lambda kept: kept.number)]

    def next_generation(self, changed: str, generation: int) -> None:
        self.generation = self.changes[changed] = generation
        self.generations.add(generation)

    def count(self, name: str, by: int = 1) -> None:
        if by > 0:
            self.counters[name] += by

    def queue(self, kept: Kept, *, seq: int, patience_ms: int) -> None:
        self.tickets += 1
        kept.state, kept.seq, kept.ticket, kept.patience_ms = State.QUEUED, seq, self.tickets, patience_ms
        kept.reason = None
        self.deadlines[kept.delivery_id] = self.now_ms() + patience_ms

    def park(self, kept: Kept, reason: ParkReason, last: LastAttempt | None, due_ms: int | None = None) -> None:
        kept.state, kept.reason, kept.countdown, kept.lapses, kept.due_ms = State.PARKED, reason, "", 0, due_ms
        if last is not None:
            kept.last = last
        if due_ms is None:
            self.deadlines.pop(kept.delivery_id, None)
        else:
            self.deadlines[kept.delivery_id] = due_ms
        self.count(f"dead_letters:{reason}")

    def forget(self, delivery_id: str) -> bool:
        self.deadlines.pop(delivery_id, None)
        kept = self.deliveries.pop(delivery_id, None)
        if kept is None:
            return False
        body = self.bodies[kept.event_id]
        body.needed_by.discard(delivery_id)
        if not body.needed_by:
            del self.bodies[kept.event_id]
        return True

    def forget_orphan(self, kept: Kept) -> bool:
        """
        Let a delivery go whose subscription is gone. Returns whether it was.
        """
        if kept.subscription_id in self.subscriptions:
            return False
        self.forget(kept.delivery_id)
        self.count("deliveries:subscription_deleted")
        return True
