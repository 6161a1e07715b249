"""
The ledger in Redis and the ledger in memory, side by side: each call goes to both, and both must answer the same.
"""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import redis

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.delivery_ledger import LedgerTimes, RedisDeliveryLedger, encode_last
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.shape_codec import encode_shape
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import Claim, IngestBatch, LastAttempt, Position, Refusal, TaskTicket, TopicPartition
from tests.fakes.delivery_ledger import InMemoryDeliveryLedger, Limits
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.ledger_state import Kept, LedgerState
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.integration.ledger.database import Database

T = TypeVar("T")
Changes: TypeAlias = tuple[int, Sequence[Subscription], Sequence[str] | None]

PREFIX = "machine:"
NOW_MS = 10**12
"""
The clock of the ledger in memory stands still; what lapses is moved into the past.
"""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    Redis's database at one moment, key by key.
    """

    dumps: Mapping[bytes, bytes]
    state: LedgerState


class Twin:
    """
    `DeliveryLedger`, `ReapLedger`, `IngestLedger` (as far as `Ingest` needs it) and `SubscriptionStore`.
    """

    def __init__(self, client: redis.Redis, scripts: Scripts, *, countdowns: int, reap_most: int) -> None:
        self.client = client
        # An hour is longer than any run: nothing lapses but what is made to.
        times = LedgerTimes(lease_s=HOUR_S, patience_s=HOUR_S)
        self._real = RedisDeliveryLedger(scripts, times)
        self._real_ingest = RedisIngestLedger(scripts, patience_s=HOUR_S, quarantine_max_bytes=60)
        self._real_store = RedisSubscriptionStore(scripts)
        hour_ms = round(HOUR_S * 1000)
        limits = Limits(
            lease_ms=hour_ms, patience_ms=hour_ms, countdowns_per_destination=countdowns, reap_most=reap_most
        )
        self._limits = limits
        self._lapsed_count = 0
        self._use(LedgerState(now_ms=lambda: NOW_MS))

    def _use(self, state: LedgerState) -> None:
        self.state = state
        self._fake = InMemoryDeliveryLedger(state, self._limits)
        self._fake_ingest = InMemoryIngestLedger(state, patience_ms=self._limits.patience_ms, quarantine_max_bytes=60)
        self._fake_store = InMemorySubscriptionStore(state)

    # --- deliveries ---

    def claim(self, ticket: TaskTicket) -> Claim | Refusal:
        return self.step([ticket])[0]

    def step(self, tickets: Sequence[TaskTicket], completions: Sequence[Claim] = ()) -> list[Claim | Refusal]:
        """
        Complete and claim in one round trip, as a group of threads does.
        """
        ops: list[str | TaskTicket] = [*tickets, *(claim.delivery_id for claim in completions)]
        replies = [reply for reply in self._real._step(ops) if reply is not None]
        for claim in completions:
            self._fake.complete(claim)
        for ticket, reply in zip(tickets, replies, strict=True):
            same(_claimed(reply), _claimed(self._fake.claim(ticket)))
        return replies

    def complete(self, claim: Claim) -> None:
        self._real.complete(claim)
        self._fake.complete(claim)

    def holds(self, claim: Claim) -> bool:
        return same(self._real.holds(claim), self._fake.holds(claim))

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> TaskTicket | None:
        return same(self._real.retry(claim, wait_s, last), self._fake.retry(claim, wait_s, last))

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> bool:
        return same(self._real.park(claim, reason, last), self._fake.park(claim, reason, last))

    def release(self, claim: Claim) -> TaskTicket | None:
        return same(self._real.release(claim), self._fake.release(claim))

    def reap(self, *, queue_is_empty: bool) -> tuple[Sequence[TaskTicket], bool]:
        return same(self._real.reap(queue_is_empty=queue_is_empty), self._fake.reap(queue_is_empty=queue_is_empty))

    # --- ingest ---

    def ingest(self, batch: IngestBatch) -> Sequence[TaskTicket] | None:
        return same(self._real_ingest.ingest(batch), self._fake_ingest.ingest(batch))

    def position(self, partition: TopicPartition) -> Position | None:
        return same(self._real_ingest.position(partition), self._fake_ingest.position(partition))

    def set_position(self, partition: TopicPartition, believed: Position | None, position: Position) -> bool:
        return same(
            self._real_ingest.set_position(partition, believed, position),
            self._fake_ingest.set_position(partition, believed, position),
        )

    # --- subscriptions ---

    def save(self, subscription: Subscription) -> None:
        before = self._real_store.generation()
        self._real_store.save(subscription)
        self._fake_store.save(subscription)
        self._follow_generation(subscription.subscription_id, before)

    def delete(self, subscription_id: str) -> bool:
        before = self._real_store.generation()
        answer = same(self._real_store.delete(subscription_id), self._fake_store.delete(subscription_id))
        if answer:
            self._follow_generation(subscription_id, before)
        return answer

    def get(self, subscription_id: str) -> Subscription | None:
        return same(self._real_store.get(subscription_id), self._fake_store.get(subscription_id))

    def generation(self) -> int:
        return self._real_store.generation()

    def changes_since(self, generation: int) -> Changes:
        real, fake = self._real_store.changes_since(generation), self._fake_store.changes_since(generation)
        same(_changes(real), _changes(fake))
        return real

    def _follow_generation(self, changed: str, before: int) -> None:
        # Only that it rises is promised, not by how much.
        now = self._real_store.generation()
        assert before < now
        self.state.generations.discard(self.state.generation)
        self.state.next_generation(changed, now)

    # --- time and faults ---

    def lapse(self, delivery_ids: Sequence[str]) -> None:
        """
        Move deadlines into the past; the order of lapsing is kept.
        """
        lapsed = {id_: at for at, id_ in enumerate(delivery_ids, self._lapsed_count + 1)}
        self._lapsed_count += len(lapsed)
        self.client.zadd(PREFIX + "deadlines", lapsed, xx=True)
        self.state.deadlines.update(lapsed)

    def snapshot(self) -> Snapshot:
        keys: Any = self.client.keys(PREFIX + "*")
        pipe = self.client.pipeline(transaction=False)
        for key in keys:
            pipe.dump(key)
        return Snapshot(dumps=dict(zip(keys, pipe.execute(), strict=True)), state=copied(self.state))

    def restore(self, snapshot: Snapshot) -> None:
        self.client.flushdb()
        pipe = self.client.pipeline(transaction=False)
        for key, dump in snapshot.dumps.items():
            pipe.restore(key, 0, dump)
        pipe.execute()
        self._use(copied(snapshot.state))

    def read(self) -> Database:
        return Database.read(self.client, PREFIX)


def same(real: T, fake: T) -> T:
    assert real == fake, f"Redis answered {real}, memory {fake}"
    return real


def same_content(database: Database, state: LedgerState) -> None:
    """
    Check that both ledgers hold the same.
    """
    same(
        {id_: _of_redis(fields, database.deadlines.get(id_)) for id_, fields in database.everything.items()},
        {id_: _of_memory(kept, state.deadlines.get(id_)) for id_, kept in state.deliveries.items()},
    )
    same(database.counters, dict(state.counters))
    same(int(database.get("tickets", "0")), state.tickets)
    same(int(database.get("watermark", "0")), state.watermark)
    same(list(database.get("subscriptions:deleted", {})), state.deleted)
    same(database.get("quarantine:values", {}), {id_: it.value.decode() for id_, it in state.quarantine.items()})
    same(list(database.get("quarantine:order", {})), list(state.quarantine))
    same(int(database.get("quarantine:bytes", "0")), sum(len(it.value) for it in state.quarantine.values()))
    same(
        {event: (body["payload"], body["record"]) for event, body in database.bodies.items()},
        {event: (body.payload.decode(), body.record) for event, body in state.bodies.items()},
    )


def copied(state: LedgerState) -> LedgerState:
    clock = state.now_ms
    copy = deepcopy(state)
    copy.now_ms = clock
    return copy


def _claimed(reply: Claim | Refusal) -> Claim | str:
    return reply.reason if isinstance(reply, Refusal) else reply


def _changes(answer: Changes) -> tuple[int, set[Subscription], set[str] | None]:
    return answer[0], set(answer[1]), None if answer[2] is None else set(answer[2])


def _of_redis(fields: dict[str, str], deadline: float | None) -> dict[str, Any]:
    is_due = fields["state"] in {State.RETRYING, State.PARKED} and "due_ms" in fields
    return {
        "state": fields["state"],
        "seq": int(fields["seq"]),
        "ticket": int(fields["ticket"]),
        "number": int(fields["number"]),
        "subscription": fields["subscription"],
        "event": fields["event"],
        "shape": fields["shape"],
        "attempts": int(fields["attempts"]),
        "lapses": int(fields.get("lapses", "0")),
        "patience_ms": int(fields["patience_ms"]),
        "reason": fields.get("reason"),
        "last": _last(json.loads(fields.get("last") or "{}")),
        "is_due": is_due,
        "lapsed": deadline if deadline is not None and deadline < NOW_MS else None,
    }


def _of_memory(kept: Kept, deadline: int | None) -> dict[str, Any]:
    return {
        "state": kept.state,
        "seq": kept.seq,
        "ticket": kept.ticket,
        "number": kept.number,
        "subscription": kept.subscription_id,
        "event": kept.event_id,
        "shape": encode_shape(kept.shape),
        "attempts": kept.attempts,
        "lapses": kept.lapses,
        "patience_ms": kept.patience_ms,
        "reason": kept.reason,
        "last": _last({} if kept.last is None else json.loads(encode_last(kept.last))),
        "is_due": kept.state in {State.RETRYING, State.PARKED} and kept.due_ms is not None,
        "lapsed": deadline if deadline is not None and deadline < NOW_MS else None,
    }


def _last(members: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(members.get(name) for name in ("status", "failure", "detail"))
