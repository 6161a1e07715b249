import json

import pytest

from odim_relay.domain.delivery import DEAD_LETTER_REASONS, ParkReason
from odim_relay.ports import SuspendedBy, TaskTicket
from tests.integration.ledger.bench import MAX_COUNTDOWN_S, PREFIX, Bench, last

pytestmark = pytest.mark.server


def retried(bench: Bench, ticket: TaskTicket, wait_s: float = 15) -> bool:
    """
    Whether a countdown carries the retry.
    """
    return bench.deliveries.retry(bench.claim(ticket), wait_s, last()).retry is not None


def test_l23_a_retry_is_looked_at_ten_seconds_after_its_countdown(bench: Bench) -> None:
    (ticket,) = bench.fill(1)

    assert retried(bench, ticket, 300)

    assert bench.fields(ticket)["state"] == "RETRYING"
    assert bench.due_in_s(ticket) == pytest.approx(310, abs=5)


def test_l22_at_most_32_deliveries_of_one_destination_wait_in_countdowns(bench: Bench) -> None:
    tickets = bench.fill(33)
    bench.subscribe("other", destination="https://b.test/")
    (other,) = bench.fill(1, subscription_id="other")

    carried = [retried(bench, ticket) for ticket in tickets]

    assert carried == [True] * 32 + [False]
    assert bench.fields(tickets[32])["reason"] == ParkReason.OVER_CAP
    assert retried(bench, other), "another destination has its own"


def test_l22_a_place_among_the_countdowns_is_free_again_when_one_leaves(bench: Bench) -> None:
    *tickets, next_ = bench.fill(33)
    claims = [bench.claim(ticket) for ticket in tickets]
    retries = [bench.deliveries.retry(claim, 15, last()).retry for claim in claims]
    assert retries[0] is not None
    bench.claim(retries[0])

    assert retried(bench, next_)


def test_l22_a_longer_wait_than_a_countdown_may_have_is_parked_with_its_due_time(bench: Bench) -> None:
    longest, longer = bench.fill(2)

    assert retried(bench, longest, MAX_COUNTDOWN_S)
    assert not retried(bench, longer, MAX_COUNTDOWN_S + 1)

    letter = bench.fields(longer)
    assert (letter["state"], letter["reason"]) == ("PARKED", "over_cap")
    assert bench.due_in_s(longer) == pytest.approx(MAX_COUNTDOWN_S + 1, abs=5)
    assert int(letter["due_ms"]) == bench.database.deadlines[longer.delivery_id]


def test_a_parked_delivery_keeps_all_it_needs_to_be_sent_and_why_it_was_not(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    claim = bench.claim(ticket)

    bench.deliveries.park(claim, ParkReason.REJECTED, last(status=422))

    letter = bench.fields(ticket)
    assert {name: letter[name] for name in ("subscription", "event", "attempts", "number", "record", "reason")} == {
        "subscription": "s",
        "event": claim.event_id,
        "attempts": "1",
        "number": "1",
        "record": "0-00000",
        "reason": "rejected",
    }
    assert json.loads(letter["last"])["status"] == 422
    assert bench.database.bodies[claim.event_id]["payload"] == "payload"


@pytest.mark.parametrize("reason", ParkReason)
def test_l32_what_only_a_person_sends_again_has_an_index_of_its_own(bench: Bench, reason: ParkReason) -> None:
    claim = bench.claim(*bench.fill(1))
    bench.backlog.suspend("s", SuspendedBy.HAND)  # else it would go again at once
    bench.deliveries.park(claim, reason, last())

    indexes = {ParkReason.REJECTED: "by-hand:", ParkReason.BROKEN: "by-hand:", ParkReason.EXHAUSTED: "delayed:"}
    assert list(bench.database.under(indexes.get(reason, "parked:"))) == ["s"]
    kind = "dead_letters" if reason in DEAD_LETTER_REASONS else "waiting"
    assert bench.database.counters[f"{kind}:{reason}"] == 1


def test_parked_deliveries_stand_in_the_order_in_which_they_came(bench: Bench) -> None:
    tickets = bench.fill(5)
    reordered = [tickets[at] for at in (3, 0, 4, 1, 2)]
    for ticket in reordered[:2]:
        bench.claim(ticket)
        bench.lapse(ticket)
        (again,) = bench.reap()
        bench.park([again], ParkReason.EXHAUSTED)
    bench.park(reordered[2:], ParkReason.EXHAUSTED)

    assert list(bench.database.under("delayed:")["s"]) == [ticket.delivery_id for ticket in tickets]


@pytest.mark.parametrize("reason", [ParkReason.EXHAUSTED, ParkReason.REJECTED])
def test_l21_a_late_2xx_completes_what_was_parked_meanwhile(bench: Bench, reason: ParkReason) -> None:
    (ticket,) = bench.fill(1)
    late = bench.claim(ticket)
    bench.lapse(ticket)
    bench.park(bench.reap(), reason)

    bench.deliveries.complete(late)

    assert bench.database.everything == {}
    assert bench.database.bodies == {}
    assert bench.database.counters["deliveries:delivered"] == 1


@pytest.mark.parametrize("wait_s", [15, 86_400])
def test_l21_a_late_2xx_completes_what_waits_for_its_retry(bench: Bench, wait_s: float) -> None:
    (ticket,) = bench.fill(1)
    late = bench.claim(ticket)
    bench.lapse(ticket)
    (again,) = bench.reap()
    retried(bench, again, wait_s)

    bench.deliveries.complete(late)

    left = bench.client.keys(f"{PREFIX}*[ydsr]:*")
    assert bench.database.everything == {}
    assert bench.database.deadlines == {}
    assert [key for key in left if b"countdowns" in key or b"body" in key or b"parked" in key] == []


def test_a_released_delivery_waits_for_its_turn_without_an_attempt(bench: Bench) -> None:
    (ticket,) = bench.fill(1)

    (released,) = bench.deliveries.release(bench.claim(ticket)).tickets

    assert (bench.fields(ticket)["state"], bench.fields(ticket)["attempts"]) == ("QUEUED", "0")
    assert bench.claim(released).attempt == 1


def test_l26_who_lost_its_lease_changes_nothing_by_its_failure(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    late = bench.claim(ticket)
    bench.lapse(ticket)
    (again,) = bench.reap()
    claim = bench.claim(again)

    assert bench.deliveries.retry(late, 15, last()).retry is None
    bench.deliveries.park(late, ParkReason.REJECTED, last())

    assert bench.fields(ticket)["state"] == "SENDING"
    assert bench.deliveries.holds(claim)


def test_a_failure_leaves_no_dead_letter_of_a_subscription_that_was_swept(bench: Bench) -> None:
    parked, retried_ = bench.fill(2)
    claims = [bench.claim(ticket) for ticket in (parked, retried_)]
    bench.store.delete("s")
    bench.reap()

    bench.deliveries.park(claims[0], ParkReason.EXHAUSTED, last())
    assert bench.deliveries.retry(claims[1], 86_400, last()).retry is None

    assert bench.database.everything == {}
    assert bench.database.bodies == {}
    assert bench.database.counters["deliveries:subscription_deleted"] == 2


def test_l8_telling_of_a_failure_costs_the_same_however_many_are_parked(bench: Bench) -> None:
    tickets = bench.fill(400)
    bench.park(tickets[:2], ParkReason.EXHAUSTED)
    few = bench.work_of(lambda: bench.park(tickets[2:3], ParkReason.EXHAUSTED))
    bench.park(tickets[3:-1], ParkReason.EXHAUSTED)

    assert bench.work_of(lambda: bench.park(tickets[-1:], ParkReason.EXHAUSTED)) == few
