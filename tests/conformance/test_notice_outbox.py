"""
What the ports to notices promise, kept by Redis and by memory alike.
"""

from dataclasses import replace

from odim_relay.domain.event import WHOLE
from odim_relay.domain.notices import Change, ChangeKind
from odim_relay.ports import Aftermath, NewDelivery, NewEvent, Refusal, SuspendedBy, TaskTicket, Telling, TellRefusal
from tests.conformance.ledgers import RETENTION_S, Ledger, write
from tests.fakes.samples import PARTITION, START, subscription

EVENT = NewEvent(event_id="e", payload=b"told", record="", recorded_at_ms=1)


def to(subscription_id: str, delivery_id: str) -> NewDelivery:
    return NewDelivery(delivery_id=delivery_id, subscription_id=subscription_id, event_index=0, shape=WHOLE)


def suspended(ledger: Ledger, *ids: str) -> list[Change]:
    for id_ in ids:
        ledger.subscriptions.save(subscription(id_))
        ledger.backlog.suspend(id_, SuspendedBy.HAND)
    return list(ledger.outbox.pending())


def tell(ledger: Ledger, telling: Telling, *readers: str, behind: int = 0) -> Aftermath | TellRefusal:
    for id_ in readers:
        if ledger.subscriptions.get(id_) is None:
            ledger.subscriptions.save(subscription(id_))
    generation = ledger.subscriptions.generation() - behind
    return ledger.announcing.tell(EVENT, [to(id_, f"to {id_}") for id_ in readers], generation, telling)


def ids(result: Aftermath | TellRefusal) -> list[str]:
    assert isinstance(result, Aftermath)
    return [ticket.delivery_id for ticket in result.tickets]


def test_nothing_is_there_at_first(ledger: Ledger) -> None:
    assert list(ledger.outbox.pending()) == []
    assert ledger.outbox.logged() == 0
    assert list(ledger.outbox.told_lately([])) == []
    assert list(ledger.outbox.told_lately(["breaker:d"])) == [0]
    ledger.outbox.forget([])
    ledger.outbox.forget([7])


def test_a_subscription_that_is_suspended_and_resumed_is_two_changes(ledger: Ledger) -> None:
    suspended(ledger, "s")
    assert ledger.backlog.suspend("s", SuspendedBy.HAND) is False
    ledger.backlog.resume("s", None)
    ledger.backlog.resume("s", None)

    first, second = ledger.outbox.pending()

    assert (first.kind, first.subject, first.detail, first.after) == (ChangeKind.SUSPENDED, "s", "by_hand", "")
    assert (second.kind, second.subject, second.detail) == (ChangeKind.RESUMED, "s", "")
    assert first.number < second.number
    assert 0 < first.noted_at_ms <= second.noted_at_ms


def test_of_what_is_lost_the_first_is_a_change(ledger: Ledger, ticket: TaskTicket) -> None:
    ledger.backlog.suspend("s", SuspendedBy.HAND)
    assert isinstance(ledger.deliveries.claim(ticket), Refusal)
    ledger.announcing.announce(EVENT, [to("s", "late")], ledger.subscriptions.generation())
    ledger.age(ticket.delivery_id, RETENTION_S)
    ledger.age("late", RETENTION_S)
    _, expired, _ = ledger.backlog.expire(0)
    assert expired == 2

    lost = [change for change in ledger.outbox.pending() if change.kind is ChangeKind.BUFFER_EXCEEDED]

    assert [(change.subject, change.detail) for change in lost] == [("s", "expired")]


def test_it_leaves_with_the_event_that_tells_it(ledger: Ledger) -> None:
    one, other = suspended(ledger, "a", "b")

    assert ids(tell(ledger, Telling(change=one), "r")) == ["to r"]

    assert list(ledger.outbox.pending()) == [other]
    assert list(ledger.outbox.told_lately([one.topic, other.topic])) == [1, 0]
    claim = ledger.deliveries.claim(TaskTicket(delivery_id="to r", seq=1))
    assert getattr(claim, "payload", None) == b"told"


def test_who_comes_second_writes_nothing(ledger: Ledger) -> None:
    (change,) = suspended(ledger, "a")
    tell(ledger, Telling(change=change), "r")

    assert tell(ledger, Telling(change=change), "r2") is TellRefusal.TOLD

    assert ledger.counter("events_announced") == 1
    assert ledger.counter("deliveries_created") == 1
    assert list(ledger.outbox.told_lately([change.topic])) == [1]


def test_when_the_subscriptions_changed_it_stays(ledger: Ledger) -> None:
    (change,) = suspended(ledger, "a")

    assert tell(ledger, Telling(change=change), "r", behind=1) is TellRefusal.GENERATION

    assert list(ledger.outbox.pending()) == [change]
    assert list(ledger.outbox.told_lately([change.topic])) == [0]


def test_where_it_goes_to_many_it_stays_until_the_last_and_knows_how_far_it_came(ledger: Ledger) -> None:
    (change,) = suspended(ledger, "x")

    assert ids(tell(ledger, Telling(change=change, reached="b"), "a", "b")) == ["to a", "to b"]
    (begun,) = ledger.outbox.pending()
    assert begun == replace(change, after="b")
    assert tell(ledger, Telling(change=change, reached="b"), "a", "b") is TellRefusal.TOLD
    assert list(ledger.outbox.told_lately([change.topic])) == [0]
    assert ids(tell(ledger, Telling(change=begun), "c")) == ["to c"]

    assert list(ledger.outbox.pending()) == []
    assert list(ledger.outbox.told_lately([change.topic])) == [1]


def test_those_that_it_stands_for_leave_with_it(ledger: Ledger) -> None:
    one, two, three = suspended(ledger, "a", "b", "c")

    tell(ledger, Telling(change=three, along=(one.number, 999)), "r")

    assert list(ledger.outbox.pending()) == [two]


def test_what_is_told_to_nobody_is_forgotten_and_counts_for_no_spell(ledger: Ledger) -> None:
    one, two, three = suspended(ledger, "a", "b", "c")

    ledger.outbox.forget([one.number, three.number])

    assert list(ledger.outbox.pending()) == [two]
    assert list(ledger.outbox.told_lately([one.topic])) == [0]


def test_how_far_was_logged_only_rises(ledger: Ledger) -> None:
    ledger.outbox.note_logged(12)
    ledger.outbox.note_logged(9)

    assert ledger.outbox.logged() == 12


def test_a_replay_out_of_quarantine_and_an_event_of_our_own_touch_no_change(ledger: Ledger) -> None:
    (change,) = suspended(ledger, "a")
    ledger.ingest.set_position(PARTITION, None, START)
    write(ledger, "r")
    assert ledger.announcing.announce(EVENT, [], ledger.subscriptions.generation()) is not None

    assert list(ledger.outbox.pending()) == [change]
