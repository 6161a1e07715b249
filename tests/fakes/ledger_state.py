"""
What the in-memory ledger holds: the one truth that its ports share, as Redis is for the real ones.

The plain case only: no breaker, window, cap, quota or pace.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from odim_relay.domain.delivery import DEAD_LETTER_REASONS, ParkReason, State
from odim_relay.domain.event import Shape
from odim_relay.domain.event_service import EventServiceSettings
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.notices import Change, ChangeKind
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import (
    InventoryContent,
    LastAttempt,
    Notice,
    Position,
    QuarantineEntry,
    TaskTicket,
    TopicEpoch,
    TopicPartition,
)

PATIENCE_MS = 30_000
BY_HAND = frozenset({ParkReason.REJECTED, ParkReason.BROKEN})


@dataclass(slots=True, kw_only=True)
class Kept:
    """
    A delivery in the ledger.
    """

    delivery_id: str
    subscription_id: str
    event_id: str
    shape: Shape
    number: int
    ticket: int
    patience_ms: int
    taken_ms: int
    state: State = State.QUEUED
    seq: int = 1
    attempts: int = 0
    is_replay: bool = False
    replays: int = 0
    lapses: int = 0
    due_ms: int | None = None
    last: LastAttempt | None = None
    reason: ParkReason | None = None
    together: int | None = None
    leader: tuple[str, int] | None = None


@dataclass(slots=True, kw_only=True)
class Body:
    payload: bytes
    record: str
    recorded_at_ms: int
    traceparent: str = ""
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
    untold: dict[int, Change] = field(default_factory=dict)
    change_count: int = 0
    told_lately: Counter[str] = field(default_factory=Counter)
    topics: dict[str, TopicEpoch] = field(default_factory=dict)
    birth: str = ""
    quarantine: dict[str, QuarantineEntry] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    suspended: dict[str, str] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)
    generation: int = 0
    generations: set[int] = field(default_factory=set)
    settings: EventServiceSettings = field(default_factory=EventServiceSettings)
    inventory: dict[Keeper, InventoryContent] = field(default_factory=dict)
    inventory_version: int = 0
    reading: tuple[int, str] | None = None

    def is_parked(self, delivery_id: str) -> bool:
        return delivery_id in self.deliveries and self.deliveries[delivery_id].state is State.PARKED

    def parked_of(self, subscription_id: str) -> list[Kept]:
        """
        In order of their ingest number.
        """
        found = (kept for kept in self.deliveries.values() if kept.subscription_id == subscription_id)
        return sorted((kept for kept in found if kept.state is State.PARKED), key=lambda kept: kept.number)

    def next_generation(self, changed: str = "") -> None:
        """
        Of a change of one subscription, or of what is said for all.
        """
        self.generation = max(self.generation + 1, self.now_ms())
        self.generations.add(self.generation)
        if changed:
            self.changes[changed] = self.generation

    def is_held(self, subscription_id: str) -> bool:
        """
        Whether nothing is sent for it: it is suspended, or everything is.
        """
        return subscription_id in self.suspended or not self.settings.is_enabled

    def count(self, name: str, by: int = 1) -> None:
        if by > 0:
            self.counters[name] += by

    def queue(self, kept: Kept, *, seq: int, patience_ms: int) -> TaskTicket:
        self.tickets += 1
        kept.state, kept.seq, kept.ticket, kept.patience_ms = State.QUEUED, seq, self.tickets, patience_ms
        kept.reason = kept.due_ms = None
        self.deadlines[kept.delivery_id] = self.now_ms() + patience_ms
        return TaskTicket(delivery_id=kept.delivery_id, subscription_id=kept.subscription_id, seq=seq)

    def park(self, kept: Kept, reason: ParkReason, last: LastAttempt | None, due_ms: int | None = None) -> None:
        kept.state, kept.reason, kept.lapses, kept.due_ms = State.PARKED, reason, 0, due_ms
        kept.leader = None
        if last is not None:
            kept.last = last
        if due_ms is None:
            self.deadlines.pop(kept.delivery_id, None)
        else:
            self.deadlines[kept.delivery_id] = due_ms
        self.count(f"{'dead_letters' if reason in DEAD_LETTER_REASONS else 'waiting'}:{reason}")

    def put_back(self, kept: Kept, together: int | None) -> None:
        """
        To its place, as if it had not gone.
        """
        if self.forget_orphan(kept):
            return
        kept.attempts -= 1
        kept.together = together or kept.together
        self.park(kept, ParkReason.BEHIND, None)

    def ready(self, subscription_id: str) -> list[Kept]:
        """
        What waits for nothing but its turn, in order.
        """
        parked = self.parked_of(subscription_id)
        return [kept for kept in parked if kept.reason not in BY_HAND and kept.due_ms is None]

    def admit(self, kept: Kept) -> TaskTicket:
        """
        Hand a parked delivery out; earlier attempts make it a replay.
        """
        kept.is_replay = kept.attempts > 0
        return self.queue(kept, seq=kept.seq + 1, patience_ms=PATIENCE_MS)

    def admit_ready(self, subscription_id: str) -> list[TaskTicket]:
        """
        Hand out everything that waits for nothing but its turn.
        """
        if self.is_held(subscription_id) or subscription_id not in self.subscriptions:
            return []
        ready = self.ready(subscription_id)
        # Of one that wants batches, so that there is something to go with the next one.
        return [self.admit(kept) for kept in (ready[:1] if self.subscriptions[subscription_id].batch_size else ready)]

    def change(self, kind: ChangeKind, subject: str, detail: str = "") -> None:
        self.change_count += 1
        self.untold[self.change_count] = Change(
            number=self.change_count, kind=kind, subject=subject, detail=detail, noted_at_ms=self.now_ms()
        )

    def suspend(self, subscription_id: str, reason: str) -> list[Notice]:
        if subscription_id in self.suspended:
            return []
        self.suspended[subscription_id] = reason
        self.count(f"subscriptions_suspended:{reason}")
        self.change(ChangeKind.SUSPENDED, subscription_id, reason)
        return [Notice(name=f"suspended_{reason}", subject=subscription_id)]

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
