"""
What the ports of the ledger promise, kept by Redis and by memory alike.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from odim_relay.domain.delivery import TRANSITIONS, ParkReason, State
from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.subscription import Mode
from odim_relay.ports import Aftermath, Claim, IngestBatch, Position, SuspendedBy, TaskTicket, TopicEpoch
from tests.conformance.ledgers import RETENTION_S, Ledger, claimed, refused, write
from tests.fakes.samples import LAST, PARTITION, START, batch, quarantined, subscription

NEXT = Position(topic_epoch="epoch", offset=1)

# --- the table of states ---


def ticket_after(claim: Claim) -> TaskTicket:
    """
    The one that a delivery got when it was put back after `claim`.
    """
    return TaskTicket(delivery_id=claim.delivery_id, seq=claim.lease + 1)


def into(ledger: Ledger, ticket: TaskTicket, state: State) -> Claim:
    """
    Bring a queued delivery into `state`. Returns its last claim, good or not.
    """
    nobodys = claimed(ledger, ticket)
    match state:
        case State.QUEUED:
            ledger.deliveries.release(nobodys)
        case State.RETRYING:
            ledger.deliveries.retry(nobodys, 15, LAST)
        case State.PARKED:
            ledger.deliveries.retry(nobodys, 86_400, LAST)
        case _:
            pass
    assert ledger.state_of(ticket.delivery_id) is state
    return nobodys


def reap(ledger: Ledger, claim: Claim) -> None:
    ledger.lapse(claim.delivery_id)
    ledger.deliveries.reap(queue_is_empty=True)


def expire(ledger: Ledger, claim: Claim) -> None:
    ledger.age(claim.delivery_id, RETENTION_S)
    ledger.backlog.expire(0)


def claim_at_most_once(ledger: Ledger, claim: Claim) -> None:
    ledger.subscriptions.save(replace(subscription("s"), mode=Mode.AT_MOST_ONCE))
    claimed(ledger, ticket_after(claim))


def claim_in_vain(ledger: Ledger, claim: Claim) -> None:
    ledger.backlog.suspend("s", SuspendedBy.HAND)
    assert refused(ledger, ticket_after(claim))


def delete(ledger: Ledger, claim: Claim) -> None:
    """
    Whoever comes first finds that the subscription is gone: a claim, the reaper, or its sweep of what is parked.
    """
    is_claimable = ledger.state_of(claim.delivery_id) in {State.QUEUED, State.RETRYING}
    ledger.subscriptions.delete("s")
    if is_claimable:
        assert refused(ledger, ticket_after(claim))
    reap(ledger, claim)


ACTIONS: dict[str, Callable[[Ledger, Claim], object]] = {
    "claim": lambda ledger, claim: claimed(ledger, ticket_after(claim)),
    "claim_at_most_once": claim_at_most_once,
    "complete": lambda ledger, claim: ledger.deliveries.complete(claim),
    "retry": lambda ledger, claim: ledger.deliveries.retry(claim, 15, LAST),
    "park": claim_in_vain,
    "release": lambda ledger, claim: ledger.deliveries.release(claim),
    "reap": reap,
    "admit": lambda ledger, claim: ledger.backlog.release([claim.delivery_id]),
    "discard": lambda ledger, claim: ledger.backlog.discard([claim.delivery_id]),
    "expire": expire,
    "subscription_deleted": delete,
}
TRIED_BELOW = {"join"}
BEYOND_MEMORY = {"recover", "recover_later", "admit_later", "over_quota"}
"""
Made by breakers, pace and quotas, which only the ledger in Redis has.
"""


@pytest.mark.parametrize(
    ("state", "action", "then"),
    [
        (state, action, then)
        for state, row in TRANSITIONS.items()
        for action, then in row.items()
        if action not in BEYOND_MEMORY | TRIED_BELOW
    ],
)
def test_every_transition_of_the_table_is_made(
    ledger: Ledger, ticket: TaskTicket, state: State, action: str, then: State
) -> None:
    claim = into(ledger, ticket, state)

    if (state, action) == (State.SENDING, "park"):
        ledger.deliveries.park(claim, ParkReason.EXHAUSTED, LAST)
    else:
        ACTIONS[action](ledger, claim)

    assert ledger.state_of(ticket.delivery_id) is then


# --- DeliveryLedger ---


def test_a_claim_tells_what_is_to_be_sent(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = claimed(ledger, ticket)

    assert claim == Claim(
        delivery_id=ticket.delivery_id,
        lease=claim.lease,
        subscription_id="s",
        event_id="event-0-0",
        payload=b"payload of event-0-0",
        shape=claim.shape,
        attempt=1,
        generation=ledger.subscriptions.generation(),
        recorded_at_ms=1_000,
        destination_id=destination_id(subscription("s")),
    )


def test_a_ticket_is_good_for_one_claim_by_rule_l5(ledger: Ledger, ticket: TaskTicket) -> None:
    claimed(ledger, ticket)

    assert refused(ledger, ticket)


def test_an_unknown_delivery_is_refused(ledger: Ledger) -> None:
    assert refused(ledger, TaskTicket(delivery_id="unknown", seq=1))


def test_a_parked_delivery_is_refused(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = into(ledger, ticket, State.PARKED)

    assert refused(ledger, TaskTicket(delivery_id=ticket.delivery_id, seq=claim.lease))


def test_a_lease_holds_until_its_deadline(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = claimed(ledger, ticket)
    assert ledger.deliveries.holds(claim)

    ledger.lapse(ticket.delivery_id)

    assert not ledger.deliveries.holds(claim)


def test_a_lease_does_not_hold_once_the_subscription_is_deleted_by_semantics_s19(
    ledger: Ledger, ticket: TaskTicket
) -> None:
    claim = claimed(ledger, ticket)
    ledger.subscriptions.delete("s")

    assert not ledger.deliveries.holds(claim)


@pytest.mark.parametrize(
    "tell",
    [
        lambda ledger, claim: ledger.retry(claim, 15, LAST),
        lambda ledger, claim: ledger.park(claim, ParkReason.REJECTED, LAST),
        lambda ledger, claim: ledger.suspend(claim, ParkReason.GONE, LAST),
        lambda ledger, claim: ledger.release(claim),
    ],
    ids=["retry", "park", "suspend", "release"],
)
def test_who_lost_the_lease_changes_nothing(ledger: Ledger, ticket: TaskTicket, tell: Callable[..., Aftermath]) -> None:
    late = claimed(ledger, ticket)
    ledger.lapse(ticket.delivery_id)
    (again,) = ledger.deliveries.reap(queue_is_empty=False)[0].tickets
    now = claimed(ledger, again)

    aftermath = tell(ledger.deliveries, late)

    assert (aftermath.retry, [*aftermath.tickets], [*aftermath.notices]) == (None, [], [])
    assert not ledger.deliveries.holds(late)
    assert ledger.state_of(ticket.delivery_id) is State.SENDING
    assert ledger.deliveries.holds(now)


def test_completing_is_harmless_when_repeated(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = claimed(ledger, ticket)

    ledger.deliveries.complete(claim)
    ledger.deliveries.complete(claim)

    assert ledger.counter("deliveries:delivered") == 1


def test_a_retry_gives_a_ticket_and_the_attempts_go_on(ledger: Ledger, ticket: TaskTicket) -> None:
    retry = ledger.deliveries.retry(claimed(ledger, ticket), 15, LAST).retry
    assert retry is not None

    assert retry.wait_s == 15
    assert claimed(ledger, retry).attempt == 2


def test_every_ticket_names_its_subscription(ledger: Ledger, ticket: TaskTicket) -> None:
    (released,) = ledger.deliveries.release(claimed(ledger, ticket)).tickets
    retry = ledger.deliveries.retry(claimed(ledger, released), 15, LAST).retry
    assert retry is not None
    ledger.deliveries.park(claimed(ledger, retry), ParkReason.EXHAUSTED, LAST)
    ledger.lapse(ticket.delivery_id)
    (replayed,) = ledger.deliveries.reap(queue_is_empty=False)[0].tickets
    claimed(ledger, replayed)
    ledger.lapse(ticket.delivery_id)
    (reaped,) = ledger.deliveries.reap(queue_is_empty=False)[0].tickets

    assert [one.subscription_id for one in (ticket, released, retry, replayed, reaped)] == ["s"] * 5


def test_a_release_counts_no_attempt(ledger: Ledger, ticket: TaskTicket) -> None:
    (released,) = ledger.deliveries.release(claimed(ledger, ticket)).tickets

    assert claimed(ledger, released).attempt == 1


def test_what_ran_out_of_retries_comes_again_for_one_attempt_each_by_rule_l24(
    ledger: Ledger, ticket: TaskTicket
) -> None:
    ledger.deliveries.park(claimed(ledger, ticket), ParkReason.EXHAUSTED, LAST)
    for attempt in (2, 3):
        ledger.lapse(ticket.delivery_id)
        (replayed,) = ledger.deliveries.reap(queue_is_empty=False)[0].tickets
        claim = claimed(ledger, replayed)

        assert (claim.is_replay, claim.attempt) == (True, attempt)
        assert ledger.deliveries.retry(claim, 15, LAST).retry is None
        assert ledger.state_of(ticket.delivery_id) is State.PARKED


@pytest.mark.parametrize("mode", [Mode.ORDERED, Mode.AT_LEAST_ONCE])
def test_a_claim_tells_its_subscriptions_mode(ledger: Ledger, ticket: TaskTicket, mode: Mode) -> None:
    ledger.subscriptions.save(replace(subscription("s"), mode=mode))

    assert claimed(ledger, ticket).mode is mode


@pytest.mark.parametrize(
    "tell",
    [
        lambda ledger, claim: ledger.complete(claim),
        lambda ledger, claim: ledger.retry(claim, 15, LAST),
        lambda ledger, claim: ledger.park(claim, ParkReason.EXHAUSTED, LAST),
        lambda ledger, claim: ledger.release(claim),
    ],
    ids=["complete", "retry", "park", "release"],
)
def test_of_what_goes_at_most_once_nothing_is_left_by_rule_l19(
    ledger: Ledger, ticket: TaskTicket, tell: Callable[..., Aftermath]
) -> None:
    ledger.subscriptions.save(replace(subscription("s"), mode=Mode.AT_MOST_ONCE))
    claim = claimed(ledger, ticket)

    assert claim.mode is Mode.AT_MOST_ONCE
    assert tell(ledger.deliveries, claim).retry is None

    assert ledger.state_of(ticket.delivery_id) is State.GONE
    assert ledger.counter("deliveries:at_most_once") == 1
    assert ledger.counter("deliveries:delivered") == 0


def test_what_goes_at_most_once_may_be_sent_until_its_subscription_is_deleted(
    ledger: Ledger, ticket: TaskTicket
) -> None:
    ledger.subscriptions.save(replace(subscription("s"), mode=Mode.AT_MOST_ONCE))
    claim = claimed(ledger, ticket)
    assert ledger.deliveries.holds(claim)

    ledger.subscriptions.delete("s")

    assert not ledger.deliveries.holds(claim)


def test_what_fails_after_its_subscription_was_swept_leaves(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = claimed(ledger, ticket)
    ledger.subscriptions.delete("s")
    ledger.deliveries.reap(queue_is_empty=True)

    ledger.deliveries.park(claim, ParkReason.EXHAUSTED, LAST)

    assert ledger.state_of(ticket.delivery_id) is State.GONE
    assert ledger.counter("deliveries:subscription_deleted") == 1


# --- batches ---


def led(ledger: Ledger) -> Claim:
    """
    A claim with two passengers.
    """
    ledger.subscriptions.save(replace(subscription("s"), batch_size=4, max_in_flight=1))
    ledger.ingest.set_position(PARTITION, None, START)
    ledger.backlog.suspend("s", SuspendedBy.HAND)
    for offset in range(3):
        write(ledger, "s", believed=Position(topic_epoch="epoch", offset=offset))
    resumed = ledger.backlog.resume("s", None)
    assert resumed is not None
    (ticket,) = resumed.aftermath.tickets
    claim = claimed(ledger, ticket)
    assert claim.room == 3
    joined = ledger.deliveries.join(claim, 1_000)
    assert len(joined.passengers) == 2
    return joined


def states_of(ledger: Ledger, claim: Claim) -> list[State]:
    ids = [claim.delivery_id, *(passenger.delivery_id for passenger in claim.passengers)]
    return [ledger.state_of(id_) for id_ in ids]


PARKED = State.PARKED


@pytest.mark.parametrize(
    ("tell", "then"),
    [
        (lambda ledger, claim: ledger.holds(claim), [State.SENDING] * 3),
        (lambda ledger, claim: ledger.unload(claim, claim.passengers[1:]), [State.SENDING, State.SENDING, PARKED]),
        (lambda ledger, claim: ledger.complete(claim), [State.GONE] * 3),
        (lambda ledger, claim: ledger.retry(claim, 15, LAST), [State.RETRYING, State.QUEUED, PARKED]),
        (lambda ledger, claim: ledger.park(claim, ParkReason.REJECTED, LAST), [State.QUEUED, PARKED, PARKED]),
        (lambda ledger, claim: ledger.park(claim, ParkReason.BROKEN, LAST), [State.QUEUED, PARKED, PARKED]),
        (lambda ledger, claim: ledger.suspend(claim, ParkReason.GONE, LAST), [PARKED] * 3),
        (lambda ledger, claim: ledger.release(claim), [State.QUEUED, PARKED, PARKED]),
    ],
    ids=["nothing", "unload", "complete", "retry", "rejected", "broken", "suspend", "release"],
)
def test_the_outcome_of_a_request_is_that_of_all_that_were_in_it(
    ledger: Ledger, tell: Callable[..., object], then: list[State]
) -> None:
    claim = led(ledger)

    tell(ledger.deliveries, claim)

    assert states_of(ledger, claim) == then


def test_what_was_together_is_halved_by_what_fails_and_alone_after_its_worker_died(ledger: Ledger) -> None:
    claim = led(ledger)
    (ticket,) = ledger.deliveries.park(claim, ParkReason.REJECTED, LAST).tickets
    claim = claimed(ledger, ticket)
    assert (claim.room, claim.attempt) == (0, 1)

    (ticket,) = ledger.deliveries.complete(claim).tickets
    assert claimed(ledger, ticket).room == 0


def test_passengers_of_a_dead_worker_go_back_to_their_places_by_rule_l26(ledger: Ledger) -> None:
    claim = led(ledger)
    for id_ in (claim.delivery_id, *(passenger.delivery_id for passenger in claim.passengers)):
        ledger.lapse(id_)

    (ticket,) = ledger.deliveries.reap(queue_is_empty=True)[0].tickets

    assert states_of(ledger, claim) == [State.QUEUED, PARKED, PARKED]
    assert claimed(ledger, ticket).room == 0


# --- IngestLedger ---


def test_a_batch_is_refused_when_the_position_is_not_as_believed_by_rule_l9(ledger: Ledger) -> None:
    ledger.ingest.set_position(PARTITION, None, NEXT)

    assert ledger.ingest.ingest(batch(believed=START)) is None
    assert ledger.ingest.position(PARTITION) == NEXT


def test_a_batch_is_refused_when_the_subscriptions_changed_by_rule_l9(ledger: Ledger, ticket: TaskTicket) -> None:
    stale = ledger.subscriptions.generation()
    ledger.subscriptions.save(subscription("new"))

    assert ledger.ingest.ingest(batch("s", believed=NEXT, generation=stale)) is None
    assert ledger.ingest.position(PARTITION) == NEXT
    assert ledger.state_of(ticket.delivery_id) is State.QUEUED


def test_what_the_ledger_has_already_gets_no_second_ticket(ledger: Ledger, ticket: TaskTicket) -> None:
    ledger.ingest.set_position(PARTITION, NEXT, START)

    assert write(ledger, "s") == []
    assert ledger.counter("deliveries_created") == 1
    claimed(ledger, ticket)


def parked_at_once(*ids: str, believed: Position, generation: int) -> IngestBatch:
    one = batch(*ids, believed=believed, generation=generation)
    return replace(one, deliveries=[replace(new, parked_as="imported") for new in one.deliveries])


def test_what_is_to_be_parked_at_once_has_no_ticket_and_goes_as_its_turn_comes(ledger: Ledger) -> None:
    ledger.subscriptions.save(subscription("s"))
    ledger.ingest.set_position(PARTITION, None, START)
    one = parked_at_once("s", believed=START, generation=ledger.subscriptions.generation())

    assert ledger.ingest.ingest(one) == []

    (new,) = one.deliveries
    assert ledger.state_of(new.delivery_id) is State.PARKED
    assert (ledger.counter("waiting:imported"), ledger.counter("deliveries_created")) == (1, 1)
    (ticket,) = ledger.backlog.replay().aftermath.tickets
    claim = claimed(ledger, ticket)
    assert (claim.delivery_id, claim.attempt, claim.payload) == (new.delivery_id, 1, b"payload of event-0-0")


def test_what_is_to_be_parked_at_once_and_is_there_already_stays_as_it_is(ledger: Ledger, ticket: TaskTicket) -> None:
    ledger.ingest.set_position(PARTITION, NEXT, START)

    one = parked_at_once("s", believed=START, generation=ledger.subscriptions.generation())
    assert ledger.ingest.ingest(one) == []

    assert ledger.state_of(ticket.delivery_id) is State.QUEUED
    assert (ledger.counter("waiting:imported"), ledger.counter("deliveries_created")) == (0, 1)


def test_what_a_batch_took_in_is_counted(ledger: Ledger) -> None:
    ledger.ingest.set_position(PARTITION, None, START)
    some = {"record_count": 5, "event_count": 4, "unmatched_count": 3, "unknown_source_count": 2}
    entries = (quarantined("a"),)
    counted = replace(batch(quarantine=entries), ignored={"plugin_start_up": 2, "control_message": 1}, **some)  # type: ignore[arg-type]

    ledger.ingest.ingest(counted)

    names = ("records_ingested", "events_ingested", "events_unmatched", "events_unknown_source", "records_quarantined")
    assert [ledger.counter(name) for name in names] == [5, 4, 3, 2, 1]
    assert ledger.counter("records_ignored") == 3
    assert ledger.counter("records_ignored:plugin_start_up") == 2
    assert ledger.counter("records_ignored:control_message") == 1


def test_a_first_position_is_stored_and_a_second_needs_the_first(ledger: Ledger) -> None:
    assert ledger.ingest.position(PARTITION) is None
    assert not ledger.ingest.set_position(PARTITION, START, NEXT)
    assert ledger.ingest.set_position(PARTITION, None, START)
    assert not ledger.ingest.set_position(PARTITION, None, NEXT)
    assert ledger.ingest.set_position(PARTITION, START, replace(NEXT, cursor="000000/s"))
    assert ledger.ingest.position(PARTITION) == replace(NEXT, cursor="000000/s")


def test_a_ledger_is_born_once_by_rule_l12(ledger: Ledger) -> None:
    assert not ledger.ingest.is_born()

    birth = ledger.ingest.birth()

    assert ledger.ingest.is_born()
    assert ledger.ingest.birth() == birth


def test_a_topics_epoch_changes_only_from_the_one_believed_by_rule_l11(ledger: Ledger) -> None:
    first, second = (TopicEpoch(topic_epoch=name, origin=f"{name}//") for name in ("first", "second"))
    assert ledger.ingest.topic_epoch("topic") is None
    assert ledger.ingest.set_topic_epoch("topic", "", first) == first
    assert ledger.ingest.set_topic_epoch("topic", "", second) == first
    assert ledger.ingest.topic_epoch("topic") == first
    assert ledger.ingest.set_topic_epoch("topic", "first", second) == second
    assert ledger.ingest.topic_epoch("topic") == second


def test_starts_without_progress_are_counted_by_rule_l16(ledger: Ledger, ticket: TaskTicket) -> None:
    assert ticket.seq == 1
    assert [ledger.ingest.count_start(PARTITION, 1) for _ in range(3)] == [1, 2, 3]
    assert ledger.ingest.count_start(PARTITION, 7) == 1
    ledger.ingest.count_start(PARTITION, 7)
    write(ledger, "s", believed=NEXT)
    assert ledger.ingest.count_start(PARTITION, 7) == 1


def test_a_quarantine_entry_is_written_with_its_batch_and_once(ledger: Ledger) -> None:
    ledger.ingest.set_position(PARTITION, None, START)
    for _ in range(2):
        ledger.ingest.ingest(batch(quarantine=(quarantined("a"),)))
        ledger.ingest.set_position(PARTITION, NEXT, START)

    assert ledger.quarantined() == ["a"]
    assert ledger.counter("records_quarantined") == 1


def test_the_oldest_quarantine_entries_leave_when_the_quota_is_full(ledger: Ledger) -> None:
    ledger.ingest.set_position(PARTITION, None, START)

    ledger.ingest.ingest(batch(quarantine=tuple(quarantined(name, b"?" * 40) for name in "abc")))

    assert ledger.quarantined() == ["b", "c"]
    assert ledger.counter("discarded:quarantine_over_quota") == 1
