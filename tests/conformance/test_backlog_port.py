"""
What the port to the backlog promises, kept by Redis and by memory alike.
"""

from dataclasses import replace

import pytest

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.ports import Notice, Position, Refusal, SuspendedBy, TaskTicket
from tests.conformance.ledgers import RETENTION_S, Ledger, claimed, write
from tests.fakes.samples import LAST, START, subscription

NEXT = Position(topic_epoch="epoch", offset=1)


def park(ledger: Ledger, ticket: TaskTicket, reason: ParkReason = ParkReason.REJECTED) -> str:
    ledger.deliveries.park(claimed(ledger, ticket), reason, LAST)
    assert ledger.state_of(ticket.delivery_id) is State.PARKED
    return ticket.delivery_id


# --- suspended ---


def test_a_suspended_subscription_goes_on_collecting_by_semantics_s18(ledger: Ledger, ticket: TaskTicket) -> None:
    assert ledger.backlog.suspend("s", SuspendedBy.HAND) is True

    assert write(ledger, "s", believed=NEXT) == []

    claim = ledger.deliveries.claim(ticket)
    assert isinstance(claim, Refusal)
    assert claim.reason == "suspended"
    assert ledger.state_of(ticket.delivery_id) is State.PARKED
    assert ledger.counter("waiting:suspended") == 2
    assert ledger.counter("deliveries_created") == 2


def test_a_suspended_subscription_lets_nothing_go(ledger: Ledger, ticket: TaskTicket) -> None:
    ledger.backlog.suspend("s", SuspendedBy.HAND)
    ledger.deliveries.claim(ticket)

    assert [*ledger.backlog.replay().aftermath.tickets] == []
    assert [*ledger.backlog.wake("s").tickets] == []
    assert [*ledger.backlog.release([ticket.delivery_id])[1].tickets] == []


def test_resuming_lets_go_what_waited(ledger: Ledger, ticket: TaskTicket) -> None:
    ledger.backlog.suspend("s", SuspendedBy.HAND)
    ledger.deliveries.claim(ticket)

    resumed = ledger.backlog.resume("s", None)

    assert resumed is not None
    assert (resumed.was_suspended, resumed.parked_count) == (True, 1)
    (again,) = resumed.aftermath.tickets
    claim = claimed(ledger, again)
    assert (claim.delivery_id, claim.attempt, claim.is_replay) == (ticket.delivery_id, 1, False)


def test_resuming_discards_what_is_older_than_wanted(ledger: Ledger, ticket: TaskTicket) -> None:
    ledger.backlog.suspend("s", SuspendedBy.HAND)
    ledger.deliveries.claim(ticket)
    ledger.age(ticket.delivery_id, 120)
    write(ledger, "s", believed=NEXT)

    resumed = ledger.backlog.resume("s", 60.0)

    assert resumed is not None
    assert resumed.parked_count == 2
    assert len(resumed.aftermath.tickets) == 1
    assert ledger.state_of(ticket.delivery_id) is State.GONE
    assert ledger.counter("deliveries:discarded") == 1


def test_suspending_and_resuming_twice_is_told(ledger: Ledger, ticket: TaskTicket) -> None:
    assert ticket.seq == 1
    assert ledger.backlog.suspend("s", SuspendedBy.HAND) is True
    assert ledger.backlog.suspend("s", SuspendedBy.HAND) is False
    found = [ledger.backlog.resume("s", None) for _ in range(2)]
    assert [one is not None and one.was_suspended for one in found] == [True, False]


def test_who_is_not_there_can_be_neither_suspended_nor_resumed(ledger: Ledger) -> None:
    assert ledger.backlog.suspend("unknown", SuspendedBy.HAND) is None
    assert ledger.backlog.resume("unknown", None) is None


def test_a_destination_that_says_it_is_gone_suspends_by_semantics_s2(ledger: Ledger, ticket: TaskTicket) -> None:
    aftermath = ledger.deliveries.suspend(claimed(ledger, ticket), ParkReason.GONE, LAST)

    assert [*aftermath.notices] == [Notice(name="suspended_gone", subject="s")]
    assert ledger.state_of(ticket.delivery_id) is State.PARKED
    assert ledger.counter("dead_letters:gone") == 1
    assert write(ledger, "s", believed=NEXT) == []
    resumed = ledger.backlog.resume("s", None)
    assert resumed is not None
    assert (resumed.was_suspended, resumed.parked_count) == (True, 2)


def test_what_fails_while_its_subscription_is_suspended_waits(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = claimed(ledger, ticket)
    ledger.backlog.suspend("s", SuspendedBy.HAND)

    assert ledger.deliveries.retry(claim, 15, LAST).retry is None

    assert ledger.state_of(ticket.delivery_id) is State.PARKED
    assert ledger.counter("waiting:suspended") == 1


# --- by hand ---


@pytest.mark.parametrize("reason", [ParkReason.REJECTED, ParkReason.BROKEN, ParkReason.EXHAUSTED])
def test_what_a_person_releases_goes_at_once_as_a_replay(
    ledger: Ledger, ticket: TaskTicket, reason: ParkReason
) -> None:
    parked = park(ledger, ticket, reason)

    count, aftermath = ledger.backlog.release([parked, "unknown"])

    assert count == 1
    (released,) = aftermath.tickets
    assert claimed(ledger, released).is_replay
    assert ledger.counter("replays") == 1


def test_releasing_twice_is_harmless(ledger: Ledger, ticket: TaskTicket) -> None:
    parked = park(ledger, ticket)

    ledger.backlog.release([parked])
    count, aftermath = ledger.backlog.release([parked])

    assert (count, [*aftermath.tickets]) == (0, [])


@pytest.mark.parametrize("reason", [ParkReason.REJECTED, ParkReason.BROKEN])
def test_what_a_person_must_look_at_goes_by_hand_only_by_rule_l32(
    ledger: Ledger, ticket: TaskTicket, reason: ParkReason
) -> None:
    parked = park(ledger, ticket, reason)

    assert [*ledger.backlog.replay().aftermath.tickets] == []
    ledger.lapse(parked)
    assert [*ledger.deliveries.reap(queue_is_empty=True)[0].tickets] == []
    assert ledger.state_of(parked) is State.PARKED


def test_what_a_person_discards_is_gone_and_counted(ledger: Ledger, ticket: TaskTicket) -> None:
    parked = park(ledger, ticket)

    assert ledger.backlog.discard([parked, "unknown"])[0] == 1
    assert ledger.backlog.discard([parked])[0] == 0

    assert ledger.state_of(parked) is State.GONE
    assert ledger.counter("deliveries:discarded") == 1


def test_what_is_not_parked_is_neither_released_nor_discarded(ledger: Ledger, ticket: TaskTicket) -> None:
    assert ledger.backlog.release([ticket.delivery_id])[0] == 0
    assert ledger.backlog.discard([ticket.delivery_id])[0] == 0

    claimed(ledger, ticket)


# --- retention ---


def test_what_waited_too_long_leaves_counted_and_the_subscriber_is_told_by_rule_l15(
    ledger: Ledger, ticket: TaskTicket
) -> None:
    (other,) = write(ledger, "s", believed=NEXT)
    old, young = park(ledger, ticket), park(ledger, other, ParkReason.EXHAUSTED)
    ledger.age(old, RETENTION_S)

    assert ledger.backlog.expire(0)[:2] == (0, 1)
    assert ledger.backlog.expire(0)[:2] == (0, 0)

    assert ledger.state_of(old) is State.GONE
    assert ledger.counter("deliveries:expired") == 1
    (released,) = ledger.backlog.release([young])[1].tickets
    claim = claimed(ledger, released)
    assert claim.lost_count == 1
    ledger.deliveries.told(claim)
    ledger.deliveries.release(claim)
    (following,) = write(ledger, "s", believed=replace(START, offset=2))
    assert claimed(ledger, following).lost_count == 0


def test_what_is_discarded_is_no_loss_that_a_subscriber_is_told_of(ledger: Ledger, ticket: TaskTicket) -> None:
    ledger.backlog.discard([park(ledger, ticket)])

    (following,) = write(ledger, "s", believed=NEXT)

    assert claimed(ledger, following).lost_count == 0


# --- destinations ---


def test_a_destination_that_does_not_fail_needs_no_connection(ledger: Ledger, ticket: TaskTicket) -> None:
    park(ledger, ticket, ParkReason.EXHAUSTED)

    step = ledger.backlog.replay()

    assert (step.has_more, [*step.connections]) == (False, [])


def test_word_of_a_destination_that_is_not_waited_for_changes_nothing(ledger: Ledger) -> None:
    for accepts in (True, False):
        aftermath = ledger.backlog.connected("nobody's", accepts=accepts)
        assert ([*aftermath.tickets], [*aftermath.notices]) == ([], [])


def test_a_deleted_subscription_lets_nothing_go(ledger: Ledger, ticket: TaskTicket) -> None:
    parked = park(ledger, ticket)
    ledger.subscriptions.delete("s")

    assert ledger.backlog.release([parked])[0] == 0
    assert [*ledger.backlog.wake("s").tickets] == []

    ledger.subscriptions.save(subscription("s"))
    assert ledger.backlog.release([parked])[0] == 1
