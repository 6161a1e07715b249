"""
The ledger in Redis with a witness: after each call the whole database is looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from odim_relay.adapters.redis.backlog import RedisBacklogLedger
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger, _Completion
from odim_relay.adapters.redis.event_service import RedisEventServiceStore
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.inventory import RedisInventoryStore
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.subscription import Mode, Subscription
from odim_relay.ports import (
    Aftermath,
    Claim,
    IngestBatch,
    LastAttempt,
    Passenger,
    Position,
    Refusal,
    ReplayStep,
    Resumed,
    SuspendedBy,
    TaskTicket,
    TopicPartition,
)
from tests.integration.ledger.database import Database
from tests.integration.ledger.history import History, Timeline
from tests.integration.ledger.invariants import check_invariants
from tests.integration.ledger.step_checks import Change, Step, ids_of
from tests.support.moved_clock import ScriptsWithClock

T = TypeVar("T")
START_MS = 1_800_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    Redis's database at one moment, key by key, and what the world knew then.
    """

    dumps: Mapping[bytes, bytes]
    timeline: Timeline


class WatchedLedger:
    """
    All ports of the ledger, `IngestLedger` as far as `Ingest` needs it, and `SubscriptionStore`.

    Attributes:
        seen: the database after the last call.
        history: what the ledger is judged by, beside its own database.
    """

    def __init__(self, scripts: ScriptsWithClock) -> None:
        self._scripts = scripts
        self._client = scripts.client
        self._deliveries = RedisDeliveryLedger(scripts)
        self._backlog = RedisBacklogLedger(scripts)
        self._ingest = RedisIngestLedger(scripts)
        self._store = RedisSubscriptionStore(scripts)
        self.services = RedisEventServiceStore(scripts)
        self.inventory = RedisInventoryStore(scripts)
        self._client.flushall()
        self._scripts.move_to(START_MS)
        self.now_ms = START_MS
        self.history = History()
        self.seen = self.read()

    def read(self) -> Database:
        return Database.read(self._client, self._scripts.prefix)

    def look(self, step: Step) -> None:
        """
        Check what a call left, and what it changed.
        """
        before, after = self.seen, self.read()
        check_invariants(after)
        Change(step=step, before=before, after=after, now_ms=self.now_ms, rules=self._scripts.rules).check()
        self.history.saw(before, after, self.now_ms)
        self.seen = after

    def _watch(self, call: Callable[[], Aftermath], step: Step) -> Aftermath:
        step.aftermath = call()
        self.look(step)
        return step.aftermath

    # --- deliveries ---

    def step(
        self, tickets: Sequence[TaskTicket], completions: Sequence[Claim] = (), *, is_fast: bool = False
    ) -> tuple[list[Claim | Refusal], Aftermath]:
        """
        Complete and claim in one round trip, as a group of threads does.
        """
        for claim in completions:
            self.answered_2xx(claim)
        return self._step(tickets, completions, is_fast=is_fast)

    def _step(
        self, tickets: Sequence[TaskTicket], completions: Sequence[Claim], *, is_fast: bool
    ) -> tuple[list[Claim | Refusal], Aftermath]:
        ops: list[_Completion | TaskTicket] = [*tickets, *(_Completion(claim, is_fast) for claim in completions)]
        replies = self._deliveries._step(ops)
        step = Step(completed=list(completions))
        step.claims = [reply for reply in replies if isinstance(reply, Claim)]
        shares = [reply for reply in replies if isinstance(reply, Aftermath)]
        step.aftermath = Aftermath(
            tickets=[ticket for share in shares for ticket in share.tickets],
            notices=[notice for share in shares for notice in share.notices],
        )
        for ticket, reply in zip(tickets, replies, strict=False):
            if isinstance(reply, Claim):
                self.history.claimed(ticket)
        self.look(step)
        return [reply for reply in replies if not isinstance(reply, Aftermath)], step.aftermath

    def answered_2xx(self, claim: Claim) -> None:
        for id_ in ids_of(claim):
            self.history.answered_2xx(id_, self.seen)

    def join(self, claim: Claim) -> Claim:
        joined = self._deliveries.join(claim, 1_000)
        assert len(joined.passengers) <= claim.room
        self.look(Step(joined=joined))
        return joined

    def unload(self, claim: Claim, passengers: Sequence[Passenger]) -> None:
        self._deliveries.unload(claim, passengers)
        self.look(Step())

    def complete(self, claim: Claim, *, is_fast: bool = False) -> Aftermath:
        return self._step([], [claim], is_fast=is_fast)[1]

    def holds(self, claim: Claim) -> bool:
        holds = self._deliveries.holds(claim)
        state = self.seen.deliveries.get(claim.delivery_id, {})
        if claim.mode is Mode.AT_MOST_ONCE:
            entries: dict[str, float] = self.seen.get(f"inflight:{claim.destination_id}", {})
            until_ms = entries.get(f"{claim.delivery_id}:{claim.lease}", 0)
        else:
            is_mine = state.get("state") == "SENDING" and int(state["seq"]) == claim.lease
            until_ms = self.seen.deadlines[claim.delivery_id] if is_mine else 0
        assert holds == (until_ms > self.now_ms and claim.subscription_id in self.seen.subscriptions), (claim, state)
        return holds

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> Aftermath:
        return self._watch(lambda: self._deliveries.retry(claim, wait_s, last), Step(failed=claim))

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        return self._watch(lambda: self._deliveries.park(claim, reason, last), Step(failed=claim))

    def suspend_with(self, claim: Claim, last: LastAttempt) -> Aftermath:
        return self._watch(lambda: self._deliveries.suspend(claim, ParkReason.GONE, last), Step(failed=claim))

    def give_back(self, claim: Claim) -> Aftermath:
        return self._watch(lambda: self._deliveries.release(claim), Step(failed=claim))

    def told(self, claim: Claim) -> None:
        self._deliveries.told(claim)
        self.look(Step(told=claim))

    def reap(self, *, queue_is_empty: bool) -> Aftermath:
        return self._watch(lambda: self._deliveries.reap(queue_is_empty=queue_is_empty)[0], Step())

    # --- what is parked ---

    def replay(self) -> ReplayStep:
        replay = self._backlog.replay()
        self.look(Step(aftermath=replay.aftermath))
        return replay

    def connected(self, destination_id: str, *, accepts: bool) -> Aftermath:
        step = Step(named={destination_id})
        return self._watch(lambda: self._backlog.connected(destination_id, accepts=accepts), step)

    def expire(self) -> Aftermath:
        return self._watch(lambda: self._backlog.expire(0)[2], Step())

    def release(self, ids: Sequence[str]) -> Aftermath:
        return self._watch(lambda: self._backlog.release(ids)[1], Step(named={*ids}))

    def discard(self, ids: Sequence[str]) -> Aftermath:
        return self._watch(lambda: self._backlog.discard(ids)[1], Step(named={*ids}))

    def suspend(self, subscription_id: str) -> bool | None:
        done = self._backlog.suspend(subscription_id, SuspendedBy.HAND)
        self.look(Step())
        assert "suspended" in self.seen.flows[subscription_id]
        return done

    def resume(self, subscription_id: str, within_s: float | None) -> Resumed | None:
        resumed = self._backlog.resume(subscription_id, within_s)
        self.look(Step(named={subscription_id}, aftermath=resumed.aftermath if resumed else Aftermath()))
        return resumed

    def wake(self, subscription_id: str) -> Aftermath:
        return self._watch(lambda: self._backlog.wake(subscription_id), Step())

    # --- ingest ---

    def ingest(self, batch: IngestBatch) -> Sequence[TaskTicket] | None:
        stands, generation = self.position(batch.partition), self.generation()
        tickets = self._ingest.ingest(batch)
        step = Step()
        if tickets is not None:
            assert (batch.believed, batch.generation) == (stands, generation), "L9: a stale batch was written"
            ids = [delivery.delivery_id for delivery in batch.deliveries]
            step.created = [id_ for id_ in ids if id_ not in self.seen.everything]
            step.aftermath = Aftermath(tickets=tickets)
            keeps_journal = self.services.read().keeps_journal
            self.history.wrote(batch, self.subscriptions(), set(step.created), keeps_journal=keeps_journal)
            assert self.position(batch.partition) == batch.reached
        before = self.seen
        self.look(step)
        self._check_journal(
            before, [event.event_id for event in batch.events if event.is_journaled and tickets is not None]
        )
        return tickets

    def _check_journal(self, before: Database, written: list[str]) -> None:
        was, now = ([one["event"] for one in it.get("journal", {}).values()] for it in (before, self.seen))
        assert now == [*was, *written][len(was) + len(written) - len(now) :], "the journal is not what was taken in"
        size = int(self.seen.get("journal:state", {}).get("bytes", "0"))
        assert size <= self._scripts.rules.journal_bytes
        assert len(now) == len(was) + len(written) or self.seen.get("journal:state", {})["left"]

    def position(self, partition: TopicPartition) -> Position | None:
        return self._ingest.position(partition)

    def set_position(self, partition: TopicPartition, believed: Position | None, position: Position) -> bool:
        return self._ingest.set_position(partition, believed, position)

    # --- subscriptions ---

    def save(self, subscription: Subscription) -> None:
        before = self._store.generation()
        old = self._store.get(subscription.subscription_id)
        self._store.save(subscription)
        assert self._store.generation() > before
        self.history.saved(subscription, self.seen, was_ordered=old is not None and old.mode is Mode.ORDERED)
        self.look(Step())

    def delete(self, subscription_id: str) -> None:
        assert self._store.delete(subscription_id)
        assert not self._store.delete(subscription_id)
        self.look(Step(deletes=True))

    def get(self, subscription_id: str) -> Subscription | None:
        return self._store.get(subscription_id)

    def generation(self) -> int:
        return self._store.generation()

    def changes_since(self, generation: int) -> tuple[int, Sequence[Subscription], Sequence[str] | None]:
        return self._store.changes_since(generation)

    def subscriptions(self) -> dict[str, Subscription]:
        """
        All that there are.
        """
        return {it.subscription_id: it for it in self._store.changes_since(0)[1]}

    def enable(self, *, is_enabled: bool) -> None:
        """
        Let everything be sent, or nothing.
        """
        said = self.services.read()
        self.services.update(lambda found: replace(found, is_enabled=is_enabled))
        assert self.services.read() == replace(said, is_enabled=is_enabled)
        self.look(Step())

    def keep_journal(self, *, keeps: bool) -> None:
        """
        Begin or end the journal.
        """
        self.services.update(lambda found: replace(found, keeps_journal=keeps))
        self.look(Step())

    # --- time and faults ---

    def move(self, seconds: float) -> None:
        """
        Let time pass.
        """
        self._scripts.move(seconds)
        self.now_ms += round(seconds * 1000)
        self.history.saw(self.seen, self.seen, self.now_ms)

    def lapse(self, ids: Sequence[str]) -> None:
        """
        Move deadlines into the past; the order of lapsing is kept.
        """
        if not ids:
            return
        lapsed = {id_: self.now_ms - len(ids) + at for at, id_ in enumerate(ids)}
        self._client.zadd(self._scripts.prefix + "deadlines", lapsed, xx=True)
        self.look(Step())

    def snapshot(self) -> Snapshot:
        keys: Any = self._client.keys(self._scripts.prefix + "*")
        pipe = self._client.pipeline(transaction=False)
        for key in keys:
            pipe.dump(key)
        return Snapshot(dumps=dict(zip(keys, pipe.execute(), strict=True)), timeline=deepcopy(self.history.timeline))

    def restore(self, snapshot: Snapshot) -> None:
        """
        Lose all writes since then; the clock goes on.
        """
        pipe = self._client.pipeline(transaction=False)
        for key in self._client.keys(self._scripts.prefix + "*"):
            pipe.delete(key)
        for key, dump in snapshot.dumps.items():
            pipe.restore(key, 0, dump)
        pipe.execute()
        self.history.rolled_back(snapshot.timeline)
        self.seen = self.read()
