"""
What the ports to the journal and to events of our own promise, kept by Redis and by memory alike.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from odim_relay.domain.event import WHOLE
from odim_relay.ports import JournalEntry, NewDelivery, NewEvent, Position
from tests.conformance.ledgers import Ledger
from tests.fakes.samples import PARTITION, START, batch, subscription


def keep(ledger: Ledger, *, keeps: bool = True) -> None:
    ledger.services.update(lambda found: replace(found, keeps_journal=keeps))


def event(name: str, size: int = 10, *, is_journaled: bool = True) -> NewEvent:
    return NewEvent(event_id=name, payload=b"x" * size, record="", recorded_at_ms=1_000, is_journaled=is_journaled)


def tell(ledger: Ledger, *events: NewEvent) -> None:
    for one in events:
        assert ledger.announcing.announce(one, (), ledger.subscriptions.generation()) is not None


def names(entries: Sequence[JournalEntry]) -> list[str]:
    return [entry.event_id for entry in entries]


def test_events_are_read_in_the_order_in_which_they_were_taken_in(ledger: Ledger) -> None:
    keep(ledger)
    start = ledger.journal.end()
    tell(ledger, event("a"), event("b", is_journaled=False), event("c"), event("d"))

    first, second = ledger.journal.read(start, 2)

    assert names([first, second]) == ["a", "c"]
    assert names(ledger.journal.read(second.entry_id, 10)) == ["d"]
    assert names(ledger.journal.read("0-0", 10)) == ["a", "c", "d"]
    assert (first.payload, first.recorded_at_ms) == (b"x" * 10, 1_000)


def test_an_event_of_a_batch_stands_in_it_once_with_its_bytes(ledger: Ledger) -> None:
    keep(ledger)
    ledger.ingest.set_position(PARTITION, None, START)
    written = batch(generation=ledger.subscriptions.generation())

    assert ledger.ingest.ingest(replace(written, events=[event("unwanted")])) == []

    assert names(ledger.journal.read("0-0", 10)) == ["unwanted"]


def test_a_batch_that_is_refused_leaves_nothing_in_it(ledger: Ledger) -> None:
    keep(ledger)
    ledger.ingest.set_position(PARTITION, None, Position(topic_epoch="other", offset=3))

    assert (
        ledger.ingest.ingest(replace(batch(generation=ledger.subscriptions.generation()), events=[event("a")])) is None
    )
    assert ledger.announcing.announce(event("b"), (), ledger.subscriptions.generation() - 1) is None

    assert ledger.journal.read("0-0", 10) == []


def test_its_end_is_what_everything_comes_after(ledger: Ledger) -> None:
    assert ledger.journal.end() == "0-0"
    keep(ledger)
    begun = ledger.journal.end()
    tell(ledger, event("a"))
    (entry,) = ledger.journal.read(begun, 10)

    assert ledger.journal.end() == entry.entry_id
    assert ledger.journal.has_all_after(begun)
    assert ledger.journal.has_all_after(entry.entry_id)


def test_the_oldest_leave_when_there_are_too_many_bytes(ledger: Ledger) -> None:
    keep(ledger)
    begun = ledger.journal.end()
    tell(ledger, event("a", 1_000), event("b", 1_000))
    first, second = ledger.journal.read("0-0", 10)
    assert ledger.journal.has_all_after(begun)

    tell(ledger, event("c", 1_500))

    assert names(ledger.journal.read("0-0", 10)) in (["b", "c"], ["c"])  # what an entry costs, each counts in its way
    assert not ledger.journal.has_all_after(begun)
    assert ledger.journal.has_all_after(second.entry_id)
    tell(ledger, event("d", 2_800))
    assert not ledger.journal.has_all_after(first.entry_id)
    assert not ledger.journal.has_all_after(second.entry_id)


def test_one_that_is_too_large_itself_leaves_at_once_and_is_missed(ledger: Ledger) -> None:
    keep(ledger)
    begun = ledger.journal.end()

    tell(ledger, event("a", 5_000))

    assert ledger.journal.read("0-0", 10) == []
    assert not ledger.journal.has_all_after(begun)
    assert ledger.journal.has_all_after(ledger.journal.end())


def test_while_it_was_not_kept_something_may_be_missing(ledger: Ledger) -> None:
    keep(ledger)
    tell(ledger, event("a"))
    before = ledger.journal.end()

    keep(ledger, keeps=False)
    assert not ledger.journal.has_all_after(before)
    keep(ledger)
    assert not ledger.journal.has_all_after(before)

    begun = ledger.journal.end()
    tell(ledger, event("b"))
    assert ledger.journal.has_all_after(begun)
    assert names(ledger.journal.read(begun, 10)) == ["b"]


def test_a_change_of_other_settings_does_not_begin_it_anew(ledger: Ledger) -> None:
    keep(ledger)
    tell(ledger, event("a"))
    end = ledger.journal.end()

    ledger.services.update(lambda found: replace(found, retry_attempts=1))

    assert ledger.journal.end() == end
    assert ledger.journal.has_all_after(end)


@pytest.mark.parametrize("entry_id", ["0-0", "1-1", "99999999999999-0", "", "x", "1", "1-1-1", "9" * 30 + "-0", "-"])
def test_of_what_it_does_not_know_it_does_not_have_all(ledger: Ledger, entry_id: str) -> None:
    keep(ledger)
    tell(ledger, event("a"))

    assert not ledger.journal.has_all_after(entry_id)


def test_what_is_no_id_is_not_read_after(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match=r"entry|invalid literal"):
        ledger.journal.read("x", 1)


def test_when_it_is_cleared_nothing_is_left_and_older_ids_have_missed_something(ledger: Ledger) -> None:
    keep(ledger)
    tell(ledger, event("a"), event("b"))
    first, second = ledger.journal.read("0-0", 10)

    ledger.journal.clear()

    assert ledger.journal.read("0-0", 10) == []
    assert ledger.journal.end() == second.entry_id
    assert not ledger.journal.has_all_after(first.entry_id)
    assert ledger.journal.has_all_after(second.entry_id)


def test_it_knows_when_somebody_followed_it_last(ledger: Ledger) -> None:
    assert ledger.journal.idle_s() == float("inf")
    keep(ledger)
    assert 0 <= ledger.journal.idle_s() < 60
    ledger.journal.mark_used()
    assert 0 <= ledger.journal.idle_s() < 60


def test_an_event_of_our_own_is_delivered_like_any_other(ledger: Ledger) -> None:
    ledger.subscriptions.save(subscription("s"))
    delivery = NewDelivery(delivery_id="d", subscription_id="s", event_index=0, shape=WHOLE)

    aftermath = ledger.announcing.announce(event("a"), [delivery], ledger.subscriptions.generation())

    assert aftermath is not None
    (ticket,) = aftermath.tickets
    claim = ledger.deliveries.claim(ticket)
    assert getattr(claim, "payload", None) == b"x" * 10
    assert ledger.counter("events_announced") == 1
    assert ledger.counter("deliveries_created") == 1
    assert ledger.counter("events_ingested") == 0
