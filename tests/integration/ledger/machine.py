"""
Everything that can happen to the ledger, in any order.

The machine drives the real scripts on a real Redis. Beside it stand

* `Twin`: the same ledger in memory; both must answer the same to each call, and hold the same after it;
* `invariants`: what must be true of Redis's database alone;
* `History`: what the world saw, that is records, 2xx answers and faults, and what the ledger therefore owes.

To extend it: a new operation of the ledger gets a method of `Twin` and a rule here; a new state, index or key its place
in `invariants` (replay and drain: parked implies due, draining or suspended, L4; window: QUEUED per subscription, L14;
breaker: its table and its probes, L29); a new way to leave the ledger a counter in `History.check`; a new promise to
a destination (pacing, order) a line in `History.answered_2xx`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import ClassVar, TypeVar

import pytest
import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from odim_relay.adapters.redis import delivery_ledger
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.ports import Claim, IngestBatch, LastAttempt, Position, Refusal, TaskTicket, TopicPartition
from odim_relay.use_cases import ingest as ingest_use_case
from odim_relay.use_cases.directory import MatcherDirectory, SubscriptionDirectory
from odim_relay.use_cases.ingest import Ingest, PositionMovedError
from tests.integration.ledger.history import (
    EPOCH,
    FIRST_OFFSET,
    NOT_FOR_SUBSCRIBERS,
    PARTITION,
    UNREADABLE,
    History,
    Timeline,
    decode,
)
from tests.integration.ledger.invariants import check_invariants
from tests.integration.ledger.twin import PREFIX, Snapshot, Twin, same_content

T = TypeVar("T")

MOST_DELIVERIES = 3
COUNTDOWNS = 2
REAP_MOST = 4
_ROUNDS_TO_REST = 200

events = st.lists(st.sampled_from(["A", "B", "C", "AB", "ABC", "AZ", "Z"]), min_size=1, max_size=4).map("|".join)
texts = st.one_of(events, events, events, st.sampled_from([UNREADABLE * 25, NOT_FOR_SUBSCRIBERS]))
prefixes = st.sampled_from([("A",), ("B",), ("A", "B"), ("A", "B", "C")])
picks = st.integers(min_value=0, max_value=1_000_000)
publishing = st.sampled_from(["once", "once", "once", "twice", "never"])
fates = st.lists(st.sampled_from(["2xx", "countdown", "due", "exhausted", "rejected"]), max_size=4)
transient = st.sampled_from([Outcome(status=503), Outcome(failure=Failure.CONNECT, detail="refused")])


@contextmanager
def small_limits() -> Iterator[None]:
    """
    Limits so small that a short run meets them.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest_use_case, "MOST_DELIVERIES", MOST_DELIVERIES)
        patch.setattr(delivery_ledger, "_COUNTDOWNS_PER_DESTINATION", COUNTDOWNS)
        patch.setattr(delivery_ledger, "REAP_MOST", REAP_MOST)
        yield


class Bridge:
    """
    A bridge, which may be a zombie: it goes by what it believes, not by what the ledger says.
    """

    def __init__(self, ledger: "LedgerMachine", position: Position) -> None:
        self.matchers = MatcherDirectory(ledger.twin)
        self.ingest = Ingest(ledger=ledger, matchers=self.matchers, decoders={PARTITION.topic: decode})  # type: ignore[arg-type]
        self.position = position
        self.matchers.refresh()


class LedgerMachine(RuleBasedStateMachine):
    client: ClassVar[redis.Redis]
    new_scripts: ClassVar[type[Scripts]] = Scripts

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.twin = Twin(self.client, self.new_scripts(self.client, PREFIX), countdowns=COUNTDOWNS, reap_most=REAP_MOST)
        self.history = History()
        self.before = self.twin.read()
        self.next_offset = FIRST_OFFSET
        self.subscription_count = 0
        self.deleted: list[Subscription] = []
        self.broker: list[TaskTicket] = []
        self.seen: list[TaskTicket] = []
        self.working: list[Claim] = []
        self.saved: list[tuple[Snapshot, Timeline, list[Subscription]]] = []
        start = Position(topic_epoch=EPOCH, offset=FIRST_OFFSET)
        assert self.twin.set_position(PARTITION, None, start)
        self.bridges = [Bridge(self, start), Bridge(self, start)]
        self.directory = SubscriptionDirectory(self.twin)

    # --- Kafka and the bridges ---

    @rule(texts=st.lists(texts, min_size=1, max_size=3), gap=st.integers(min_value=0, max_value=2))
    def records_come(self, texts: list[str], gap: int) -> None:
        for text in texts:
            self.history.log[self.next_offset] = text
            self.next_offset += 1
        self.next_offset += gap

    @rule(pick=picks, dies_after=st.sampled_from([None, None, None, 0, 1, 2]), publish=publishing)
    def a_bridge_takes_records_in(self, pick: int, dies_after: int | None, publish: str) -> None:
        bridge = one_of(self.bridges, pick)
        written: list[TaskTicket] = []
        steps = 0
        believed = bridge.position
        try:
            records = self.history.records_from(bridge.position.offset)
            for position, tickets in bridge.ingest.take(PARTITION, bridge.position, records):
                believed, bridge.position = bridge.position, position
                written += tickets
                steps += 1
                if steps == dies_after:
                    break
        except PositionMovedError:
            bridge.position = self.stands()
        if dies_after is None:
            self.publish(written, publish)
        else:
            # Dead between ledger and broker; another starts where the ledger stands, and a zombie a step behind.
            self.bridges = [Bridge(self, self.stands()), Bridge(self, believed)]

    @rule(text=events, publish=publishing)
    def a_zombie_writes_too(self, text: str, publish: str) -> None:
        self.records_come([text], 0)
        self.a_bridge_takes_records_in(0, 1, publish)
        self.a_bridge_takes_records_in(1, None, publish)

    @rule(pick=picks, by=st.integers(min_value=0, max_value=1))
    def a_bridge_was_here_before(self, pick: int, by: int) -> None:
        """
        A zombie stands at the record that the ledger is in, or one before.
        """
        stands = self.stands()
        offset = max(FIRST_OFFSET, stands.offset - by)
        one_of(self.bridges, pick).position = Position(topic_epoch=EPOCH, offset=offset)

    @precondition(lambda self: self.history.log)
    @rule(pick=picks)
    def the_position_is_reset(self, pick: int) -> None:
        stands = self.stands()
        offset = FIRST_OFFSET + pick % (self.next_offset - FIRST_OFFSET)
        if offset < stands.offset:
            assert self.twin.set_position(PARTITION, stands, Position(topic_epoch=EPOCH, offset=offset))
            self.history.timeline.again.update(range(offset, stands.offset + 1))

    def ingest(self, batch: IngestBatch) -> list[TaskTicket] | None:
        """
        `IngestLedger.ingest` with a witness.
        """
        assert len(batch.deliveries) <= MOST_DELIVERIES
        before, stood, generation = self.twin.read(), self.twin.position(PARTITION), self.twin.generation()
        tickets = self.twin.ingest(batch)
        if tickets is None:
            return None
        assert (batch.believed, batch.generation) == (stood, generation), "L9: a stale batch was written"
        self.history.wrote(batch, list(tickets), self.twin.state.subscriptions, before)
        return list(tickets)

    def position(self, partition: TopicPartition) -> Position | None:
        return self.twin.position(partition)

    def stands(self) -> Position:
        found = self.twin.position(PARTITION)
        assert found is not None
        return found

    # --- subscriptions ---

    @initialize(first=prefixes, second=prefixes, texts=st.lists(texts, min_size=1, max_size=3), fates=fates)
    def two_subscribe_and_records_come(
        self, first: tuple[str, ...], second: tuple[str, ...], texts: list[str], fates: list[str]
    ) -> None:
        self.one_subscribes(first, None)
        self.one_subscribes(second, "mine")
        self.records_come_and_are_sent(texts, fates)

    @rule(texts=st.lists(texts, min_size=1, max_size=2), fates=fates)
    def records_come_and_are_sent(self, texts: list[str], fates: list[str]) -> None:
        """
        Nothing that the other rules could not do; but what comes after a claim is to come often.
        """
        self.records_come(texts, 0)
        self.a_bridge_takes_records_in(0, None, "once")
        self.claim([self.broker.pop() for _ in range(min(len(self.broker), len(fates) + 1))])
        for fate in fates[: len(self.working)]:
            self.before = self.twin.read()
            match fate:
                case "2xx":
                    self.a_destination_answers_2xx(0, 1)
                case "countdown":
                    self.an_attempt_fails(0, Outcome(status=503), 15.0, "once")
                case "due":
                    self.an_attempt_fails(0, Outcome(status=503), 5000.0, "once")
                case reason:
                    self.an_attempt_fails_for_good(0, ParkReason(reason))

    @precondition(lambda self: len(self.twin.state.subscriptions) < 6)
    @rule(wanted=prefixes, context=st.sampled_from([None, "mine"]))
    def one_subscribes(self, wanted: tuple[str, ...], context: str | None) -> None:
        # Ids that do not come in order of creation.
        self.subscription_count += 1
        number = self.subscription_count * 7919 % 9973
        self.twin.save(subscription(f"subscription-{number:04}", wanted, context))

    @precondition(lambda self: self.twin.state.subscriptions)
    @rule(pick=picks, wanted=prefixes)
    def one_changes_its_subscription(self, pick: int, wanted: tuple[str, ...]) -> None:
        old = self.pick_subscription(pick)
        self.twin.save(subscription(old.subscription_id, wanted, old.context))

    @precondition(lambda self: self.twin.state.subscriptions)
    @rule(pick=picks, is_swept=st.booleans(), then_fails=st.booleans())
    def one_unsubscribes(self, pick: int, is_swept: bool, then_fails: bool) -> None:
        old = self.pick_subscription(pick)
        assert self.twin.delete(old.subscription_id)
        assert not self.twin.delete(old.subscription_id)
        self.deleted.append(old)
        while is_swept and old.subscription_id in self.twin.state.deleted:
            self.the_reaper_comes(queue_is_empty=False, often=1, publish="once")
            self.everything_is_as_it_must_be()
        for claim in [claim for claim in self.working if then_fails and claim.subscription_id == old.subscription_id]:
            self.an_attempt_fails_for_good(self.working.index(claim), ParkReason.EXHAUSTED)

    @precondition(lambda self: self.deleted)
    @rule(pick=picks)
    def one_comes_back_under_its_old_id(self, pick: int) -> None:
        old = self.deleted.pop(pick % len(self.deleted))
        self.history.came_back(old.subscription_id, self.before)
        self.twin.save(old)

    def pick_subscription(self, pick: int) -> Subscription:
        return one_of(sorted(self.twin.state.subscriptions.values(), key=lambda it: it.subscription_id), pick)

    # --- the broker ---

    def publish(self, tickets: list[TaskTicket], how: str = "once") -> None:
        self.seen += tickets
        self.broker += tickets * {"once": 1, "twice": 2, "never": 0}[how]

    @precondition(lambda self: self.broker)
    @rule(pick=picks)
    def the_broker_delivers_twice(self, pick: int) -> None:
        self.broker.append(one_of(self.broker, pick))

    @precondition(lambda self: self.broker)
    @rule()
    def the_broker_is_emptied(self) -> None:
        self.broker.clear()

    # --- workers ---

    @precondition(lambda self: self.broker)
    @rule(pick=picks)
    def a_worker_claims(self, pick: int) -> None:
        self.claim([self.broker.pop(pick % len(self.broker))])

    @precondition(lambda self: self.seen)
    @rule(pick=picks, by=st.integers(min_value=-2, max_value=2))
    def a_worker_claims_with_an_old_or_wrong_ticket(self, pick: int, by: int) -> None:
        ticket = one_of(self.seen, pick)
        # A ticket that the ledger has not given yet would be a good one.
        given = int(self.before.everything.get(ticket.delivery_id, {}).get("seq", "0"))
        self.claim([TaskTicket(delivery_id=ticket.delivery_id, seq=max(1, min(ticket.seq + by, given)))])

    @precondition(lambda self: self.broker or self.working)
    @rule(pick=picks, claims=st.integers(min_value=1, max_value=4), completions=st.integers(min_value=0, max_value=2))
    def a_group_of_threads_completes_and_claims(self, pick: int, claims: int, completions: int) -> None:
        done, self.working = self.working[:completions], self.working[completions:]
        for claim in done:
            self.history.answered_2xx(claim.delivery_id)
            self.history.completed(claim.delivery_id, self.before)
        tickets = [self.broker.pop((pick + at) % len(self.broker)) for at in range(min(claims, len(self.broker)))]
        self.claim(tickets, done)

    def claim(self, tickets: list[TaskTicket], done: list[Claim] | None = None) -> None:
        for ticket, reply in zip(tickets, self.twin.step(tickets, done or ()), strict=True):
            if isinstance(reply, Refusal):
                continue
            self.history.claimed(ticket)
            found = self.directory.find(reply.subscription_id, reply.generation)
            assert found == self.twin.state.subscriptions[reply.subscription_id], "a worker knows an old subscription"
            self.working.append(reply)

    @precondition(lambda self: self.working)
    @rule(pick=picks, often=st.sampled_from([1, 1, 1, 2]))
    def a_destination_answers_2xx(self, pick: int, often: int) -> None:
        claim = self.working.pop(pick % len(self.working))
        self.history.answered_2xx(claim.delivery_id)
        self.history.completed(claim.delivery_id, self.before)
        for _ in range(often):
            self.twin.complete(claim)

    @precondition(lambda self: self.working)
    @rule(pick=picks)
    def a_worker_dies_after_the_2xx(self, pick: int) -> None:
        self.history.answered_2xx(self.working.pop(pick % len(self.working)).delivery_id)

    @precondition(lambda self: self.working)
    @rule(pick=picks)
    def a_worker_dies_before_it_sends(self, pick: int) -> None:
        self.working.pop(pick % len(self.working))

    @precondition(lambda self: self.working)
    @rule(pick=picks)
    def a_worker_looks_whether_it_may_send(self, pick: int) -> None:
        self.twin.holds(one_of(self.working, pick))

    @precondition(lambda self: self.working)
    @rule(pick=picks, outcome=transient, wait_s=st.sampled_from([15.0, 15.0, 45.0, 5000.0]), publish=publishing)
    def an_attempt_fails(self, pick: int, outcome: Outcome, wait_s: float, publish: str) -> None:
        claim = self.working.pop(pick % len(self.working))
        ticket = self.twin.retry(claim, wait_s, self.last(claim, outcome))
        if ticket is not None:
            self.publish([ticket], publish)

    @precondition(lambda self: self.working)
    @rule(outcome=transient, reason=st.sampled_from([None, ParkReason.EXHAUSTED, ParkReason.REJECTED]))
    def a_destination_fails_for_all(self, outcome: Outcome, reason: ParkReason | None) -> None:
        while self.working:
            if reason is None:
                self.an_attempt_fails(0, outcome, 15.0, "once")
            else:
                self.an_attempt_fails_for_good(0, reason)

    @precondition(lambda self: self.working)
    @rule(pick=picks, reason=st.sampled_from([ParkReason.EXHAUSTED, ParkReason.REJECTED, ParkReason.GONE]))
    def an_attempt_fails_for_good(self, pick: int, reason: ParkReason) -> None:
        claim = self.working.pop(pick % len(self.working))
        self.twin.park(claim, reason, self.last(claim, Outcome(status=400)))

    @precondition(lambda self: self.working)
    @rule(pick=picks, publish=publishing)
    def a_worker_gives_back(self, pick: int, publish: str) -> None:
        ticket = self.twin.release(self.working.pop(pick % len(self.working)))
        if ticket is not None:
            self.publish([ticket], publish)

    @staticmethod
    def last(claim: Claim, outcome: Outcome) -> LastAttempt:
        destination = f"https://example.test/{ord(claim.subscription_id[-1]) % 4 == 0}"
        return LastAttempt(outcome=outcome, destination=destination)

    @precondition(lambda self: self.working)
    @rule(
        pick=picks,
        meanwhile=st.sampled_from(["nothing", "it is reaped", "another claims"]),
        then=st.sampled_from(["is answered", "fails", "fails for good", "gives back"]),
    )
    def a_worker_wakes_up_after_its_lease(self, pick: int, meanwhile: str, then: str) -> None:
        claim = self.working[pick % len(self.working)]
        at = self.working.index(claim)
        if claim.delivery_id in self.before.deadlines:
            self.lapse([claim.delivery_id])
        if meanwhile != "nothing":
            self.the_reaper_comes(queue_is_empty=False, often=1, publish="once")
        if meanwhile == "another claims":
            mine = [ticket for ticket in self.broker if ticket.delivery_id == claim.delivery_id]
            self.broker = [ticket for ticket in self.broker if ticket not in mine]
            self.claim(mine)
        self.everything_is_as_it_must_be()
        self.twin.holds(claim)
        match then:
            case "is answered":
                self.a_destination_answers_2xx(at, 1)
            case "fails":
                self.an_attempt_fails(at, Outcome(failure=Failure.TIMEOUT), 15.0, "once")
            case "fails for good":
                self.an_attempt_fails_for_good(at, ParkReason.EXHAUSTED)
            case _:
                self.a_worker_gives_back(at, "once")

    @precondition(lambda self: self.working)
    @rule(pick=picks, times=st.integers(min_value=1, max_value=3))
    def an_event_kills_its_workers(self, pick: int, times: int) -> None:
        id_ = one_of(self.working, pick).delivery_id
        for _ in range(times):
            if self.before.deliveries.get(id_, {}).get("state") != State.SENDING:
                break
            self.working = [claim for claim in self.working if claim.delivery_id != id_]
            self.lapse([id_])
            tickets, _ = self.twin.reap(queue_is_empty=False)
            self.publish(list(tickets))
            self.claim([ticket for ticket in tickets if ticket.delivery_id == id_])
            self.everything_is_as_it_must_be()

    # --- time, repair and lost writes ---

    @precondition(lambda self: self.before.deadlines)
    @rule(pick=picks)
    def time_passes_for_one(self, pick: int) -> None:
        self.lapse([one_of(sorted(self.before.deadlines), pick)])

    @precondition(lambda self: self.before.deadlines)
    @rule()
    def time_passes_for_all(self) -> None:
        self.lapse(sorted(self.before.deadlines))

    def lapse(self, ids: list[str]) -> None:
        self.twin.lapse(ids)
        self.history.excused.update(id_ for id_ in ids if self.before.everything[id_]["state"] == State.SENDING)

    @rule(queue_is_empty=st.booleans(), often=st.sampled_from([1, 1, 2]), publish=publishing)
    def the_reaper_comes(self, queue_is_empty: bool, often: int, publish: str) -> None:
        reaped: list[TaskTicket] = []
        for _ in range(often):
            reaped += self.twin.reap(queue_is_empty=queue_is_empty)[0]
        self.publish(reaped, publish)

    @rule()
    def redis_writes_to_disk(self) -> None:
        self.saved.append((self.twin.snapshot(), deepcopy(self.history.timeline), list(self.deleted)))

    @precondition(lambda self: self.saved)
    @rule(pick=picks)
    def redis_loses_its_last_writes(self, pick: int) -> None:
        snapshot, timeline, deleted = one_of(self.saved, pick)
        self.twin.restore(snapshot)
        self.history.rolled_back(timeline)
        self.deleted = list(deleted)

    @precondition(lambda self: self.twin.state.subscriptions)
    @rule(pick=picks, other=picks, wanted=prefixes, who=picks)
    def redis_loses_a_change_of_subscriptions(self, pick: int, other: int, wanted: tuple[str, ...], who: int) -> None:
        self.redis_writes_to_disk()
        self.one_changes_its_subscription(pick, wanted)
        one_of(self.bridges, who).matchers.refresh()
        self.directory.find("any", self.twin.generation())
        self.redis_loses_its_last_writes(len(self.saved) - 1)
        self.one_changes_its_subscription(other, wanted)

    # --- judgement ---

    @invariant()
    def everything_is_as_it_must_be(self) -> None:
        database = self.before = self.twin.read()
        check_invariants(database)
        same_content(database, self.twin.state)
        self.history.check(database, self.twin.state.subscriptions)

    def teardown(self) -> None:
        """
        When all is well for long enough, everything that is not parked for good gets there; then nothing is left over.
        """
        if sys.exc_info()[0] is not None:
            return  # it failed before: what follows would only hide how
        self.bridges = [Bridge(self, self.stands())]
        self.a_bridge_takes_records_in(0, None, "never")
        self.working.clear()
        for _ in range(_ROUNDS_TO_REST):
            self.everything_is_as_it_must_be()
            if not self.before.deadlines and not self.twin.state.deleted:
                break
            if self.before.deadlines:
                self.time_passes_for_all()
            self.the_reaper_comes(queue_is_empty=True, often=1, publish="once")
            self.everything_is_as_it_must_be()
            while self.broker or self.working:
                self.a_group_of_threads_completes_and_claims(0, len(self.broker), len(self.working))
                self.everything_is_as_it_must_be()
        assert not self.before.deliveries, "the ledger does not come to rest"
        self.check_all_arrived()
        self.check_nothing_stays()

    def check_all_arrived(self) -> None:
        line = self.history.timeline
        for id_, owner in line.owed.items():
            if id_ not in self.before.dead_letters and owner in self.twin.state.subscriptions:
                assert self.history.answered[id_], f"never answered: {id_}"

    def check_nothing_stays(self) -> None:
        while self.twin.state.subscriptions:
            self.one_unsubscribes(0, is_swept=False, then_fails=False)
        while self.twin.state.deleted:
            self.the_reaper_comes(queue_is_empty=True, often=1, publish="once")
        self.everything_is_as_it_must_be()
        per_delivery = ("delivery:", "body:", "parked:", "by-hand:", "countdowns:", "dead-letters", "deadlines")
        stays = [key for key in self.before.content if key.startswith(per_delivery)]
        assert not stays, f"left over: {stays}"


def one_of(items: list[T], pick: int) -> T:
    return items[pick % len(items)]


def subscription(id_: str, wanted: tuple[str, ...], context: str | None) -> Subscription:
    return Subscription(
        subscription_id=id_,
        destination="https://example.test/",
        filters=Filters(registry_prefixes=wanted),
        context=context,
    )
