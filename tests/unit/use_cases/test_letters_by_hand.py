from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pytest

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.ports import (
    Aftermath,
    Connection,
    DeliveryRecord,
    DestinationFlow,
    Index,
    ReplayStep,
    Resumed,
    SubscriptionFlow,
    SuspendedBy,
    TaskTicket,
    Workforce,
)
from odim_relay.use_cases.letters_by_hand import LettersByHand, Obstacle, Verb
from tests.fakes.publisher import InMemoryPublisher


def letter(delivery_id: str, reason: str, index: Index, subscription_id: str = "s1") -> DeliveryRecord:
    return DeliveryRecord(
        delivery_id=delivery_id,
        subscription_id=subscription_id,
        event_id="e",
        state=State.PARKED,
        attempts=1,
        reason=reason,
        index=index,
    )


REJECTED = letter("rejected", ParkReason.REJECTED, Index.BY_HAND)
EXHAUSTED = letter("exhausted", ParkReason.EXHAUSTED, Index.READY)
DELAYED = replace(letter("delayed", ParkReason.OVER_CAP, Index.DELAYED), due_at_ms=5)
BLOCKING = replace(letter("blocking", ParkReason.BEHIND, Index.READY), due_at_ms=5)
BEHIND = letter("behind", ParkReason.BEHIND, Index.READY)
BEHIND_TOO = letter("behind too", ParkReason.BEHIND, Index.READY)
NEWER = replace(letter("newer", "odd", Index.BY_HAND), is_newer=True, index=None)
ORPHAN = letter("orphan", ParkReason.REJECTED, Index.BY_HAND, "gone")
PAUSED = letter("paused", ParkReason.SUSPENDED, Index.READY, "suspended")
PAUSED_DEAD = letter("paused dead", ParkReason.GONE, Index.READY, "suspended")
ALL = [REJECTED, EXHAUSTED, DELAYED, BLOCKING, BEHIND, BEHIND_TOO, NEWER, ORPHAN, PAUSED, PAUSED_DEAD]


class Backlog:
    """
    `BacklogLedger` that keeps the ids of each call, and counts those of `parked` that are released or discarded.
    """

    def __init__(self, *parked: str) -> None:
        self.parked = set(parked)
        self.calls: list[list[str]] = []

    def release(self, delivery_ids: Sequence[str]) -> tuple[int, Aftermath]:
        assert len(delivery_ids) <= 200
        self.calls.append(list(delivery_ids))
        taken = [id_ for id_ in delivery_ids if id_ in self.parked]
        self.parked -= set(taken)
        return len(taken), Aftermath(tickets=[TaskTicket(delivery_id=id_, seq=1) for id_ in taken])

    discard = release

    def replay(self) -> ReplayStep:
        raise NotImplementedError

    def connected(self, destination_id: str, *, accepts: bool) -> Aftermath:
        raise NotImplementedError(destination_id, accepts, Connection)

    def expire(self, cursor: int) -> tuple[int, int, Aftermath]:
        raise NotImplementedError(cursor)

    def suspend(self, subscription_id: str, reason: SuspendedBy) -> bool | None:
        raise NotImplementedError(subscription_id, reason)

    def resume(self, subscription_id: str, within_s: float | None) -> Resumed | None:
        raise NotImplementedError(subscription_id, within_s)

    def wake(self, subscription_id: str) -> Aftermath:
        raise NotImplementedError(subscription_id)


class Flows:
    """
    `FlowListing` that knows subscriptions by their name, and counts how often it is asked.
    """

    def __init__(self) -> None:
        self.asked = 0

    def subscriptions(self, subscription_ids: Iterable[str]) -> Mapping[str, SubscriptionFlow]:
        self.asked += 1
        return {
            id_: SubscriptionFlow(
                subscription_id=id_, exists=id_ != "gone", suspended_by="by_hand" if id_ == "suspended" else ""
            )
            for id_ in subscription_ids
        }

    def destinations(self, destination_ids: Iterable[str]) -> Mapping[str, DestinationFlow]:
        raise NotImplementedError(destination_ids)

    def workforce(self) -> Workforce:
        raise NotImplementedError


class World:
    def __init__(self, *parked: str) -> None:
        self.backlog = Backlog(*parked)
        self.publisher = InMemoryPublisher()
        self.flows = Flows()
        self.pauses: list[float] = []
        self.letters = LettersByHand(
            ledger=self.backlog, flows=self.flows, publisher=self.publisher, pause=self.pauses.append
        )


def test_a_survey_tells_what_would_be_replayed_and_what_stands_in_the_way() -> None:
    world = World()
    survey = world.letters.survey(Verb.REPLAY, ALL)
    assert dict(survey.counts) == {
        ("s1", "rejected"): 1,
        ("s1", "exhausted"): 1,
        ("s1", "over_cap"): 1,
        ("s1", "behind"): 1,
        ("suspended", "gone"): 1,
    }
    assert dict(survey.left) == {
        Obstacle.IN_TURN: 2,
        Obstacle.NEWER: 1,
        Obstacle.GONE: 1,
        Obstacle.SUSPENDED: 1,
    }
    assert dict(survey.waiting_for_resume) == {"suspended": 2}
    assert survey.total == 5
    assert world.backlog.calls == []
    assert world.flows.asked == 3


def test_everything_but_what_a_newer_version_wrote_may_be_discarded() -> None:
    world = World(*(one.delivery_id for one in ALL))
    assert world.letters.survey(Verb.DISCARD, ALL).total == len(ALL) - 1
    assert world.letters.apply(Verb.DISCARD, ALL).count == len(ALL) - 1
    assert world.backlog.parked == {"newer"}


def test_a_replay_leaves_out_what_cannot_go_and_looks_at_a_turn_once_per_subscription() -> None:
    world = World("behind", "behind too")
    world.letters.apply(Verb.REPLAY, [BEHIND, BEHIND_TOO, NEWER, ORPHAN, PAUSED])
    assert world.backlog.calls == [["behind"]]


def test_a_limit_counts_what_is_changed_so_that_each_run_gets_further() -> None:
    world = World("rejected", "exhausted")
    assert world.letters.survey(Verb.REPLAY, [BEHIND, REJECTED, EXHAUSTED], limit=1).total == 1
    world.letters.apply(Verb.REPLAY, [BEHIND, REJECTED, EXHAUSTED], limit=1)
    assert world.backlog.parked == {"exhausted"}


def many(count: int) -> list[DeliveryRecord]:
    return [letter(str(number), ParkReason.REJECTED, Index.BY_HAND) for number in range(count)]


def test_what_somebody_else_took_meanwhile_is_theirs() -> None:
    world = World(*map(str, range(100)))
    told: list[int] = []
    done = world.letters.apply(Verb.REPLAY, many(450), progressed=told.append)
    assert (done.count, told) == (100, [100, 0, 0])
    assert [len(call) for call in world.backlog.calls] == [200, 200, 50]


@pytest.mark.parametrize(("rate", "calls", "pauses"), [(100.0, [25] * 4, [0.25] * 3), (0.5, [1, 1], [2.0])])
def test_a_rate_is_kept_and_waits_only_between_steps(rate: float, calls: list[int], pauses: list[float]) -> None:
    world = World(*map(str, range(1_000)))
    world.letters.apply(Verb.REPLAY, many(sum(calls)), rate=rate)
    assert [len(call) for call in world.backlog.calls] == calls
    assert world.pauses == pauses


def test_what_is_not_changed_costs_no_wait() -> None:
    world = World()
    world.letters.apply(Verb.REPLAY, many(100), rate=100)
    assert world.pauses == []


def test_a_broker_that_is_away_is_asked_once_and_told_of() -> None:
    world = World(*map(str, range(600)))
    world.publisher.is_down = True
    done = world.letters.apply(Verb.REPLAY, many(600))
    assert (done.count, done.is_published) == (600, False)
    assert len(world.publisher.queue) == 100


def test_tasks_are_published_as_they_come() -> None:
    world = World("rejected")
    assert world.letters.apply(Verb.REPLAY, [REJECTED]).is_published
    assert [ticket.delivery_id for ticket in world.publisher.queue] == ["rejected"]
