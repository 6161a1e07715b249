from concurrent.futures import ThreadPoolExecutor

import pytest

from odim_relay.domain.delivery import ParkReason
from odim_relay.ports import TaskTicket
from tests.integration.ledger.bench import PATIENCE_S, PREFIX, RULES, Bench, last

pytestmark = pytest.mark.server


def patience_s(bench: Bench, ticket: TaskTicket) -> float:
    return int(bench.fields(ticket)["patience_ms"]) / 1000


def test_nothing_is_reaped_before_its_time(bench: Bench) -> None:
    queued, sending = bench.fill(2)
    bench.claim(sending)

    assert bench.reap(queue_is_empty=True) == []
    assert bench.fields(queued)["seq"] == "1"


def test_l26_a_lapsed_lease_is_queued_again_under_a_new_seq(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    claim = bench.claim(ticket)
    bench.lapse(ticket)

    (again,) = bench.reap()

    assert again == TaskTicket(delivery_id=ticket.delivery_id, seq=claim.lease + 1)
    assert bench.fields(ticket)["state"] == "QUEUED"
    assert bench.due_in_s(ticket) == pytest.approx(PATIENCE_S, abs=5)
    assert bench.claim(again).attempt == 2


def test_l20_a_third_lapse_parks_a_delivery_as_broken(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    lapsing = ticket
    for _ in range(2):
        bench.claim(lapsing)
        bench.lapse(lapsing)
        (lapsing,) = bench.reap()
    bench.claim(lapsing)
    bench.lapse(lapsing)

    assert bench.reap() == []

    letter = bench.fields(ticket)
    assert (letter["state"], letter["reason"]) == ("PARKED", "broken")
    assert "3 times" in letter["last"]
    assert list(bench.database.under("by-hand:")) == ["s"]


@pytest.mark.parametrize("wait_s", [15, 86_400])
def test_l20_lapses_are_counted_from_the_last_outcome(bench: Bench, wait_s: float) -> None:
    (ticket,) = bench.fill(1)
    lapsing = ticket
    for _ in range(4):
        bench.claim(lapsing)
        bench.lapse(lapsing)
        (lapsing,) = bench.reap()
        bench.deliveries.retry(bench.claim(lapsing), wait_s, last())
        bench.lapse(lapsing)
        (lapsing,) = bench.reap()

    assert bench.fields(ticket)["state"] == "QUEUED"


def test_l27_a_queued_delivery_that_was_overtaken_is_published_again_with_the_same_seq(bench: Bench) -> None:
    lost, later = bench.fill(2)
    bench.claim(later)
    bench.lapse(lost)

    assert bench.reap() == [lost]

    assert patience_s(bench, lost) == 2 * PATIENCE_S
    assert bench.due_in_s(lost) == pytest.approx(2 * PATIENCE_S, abs=5)


def test_l27_of_two_copies_the_first_claims_and_the_other_is_refused(bench: Bench) -> None:
    late, later = bench.fill(2)
    bench.claim(later)
    bench.lapse(late)
    (copy,) = bench.reap()

    bench.claim(late)

    with pytest.raises(AssertionError, match="stale"):
        bench.claim(copy)


def test_l27_a_queued_delivery_that_was_not_overtaken_only_waits_on(bench: Bench) -> None:
    earlier, waiting = bench.fill(2)
    bench.claim(earlier)
    bench.lapse(waiting)

    assert bench.reap() == []

    assert patience_s(bench, waiting) == PATIENCE_S
    assert bench.due_in_s(waiting) == pytest.approx(PATIENCE_S, abs=5)


def test_l27_with_an_empty_queue_whatever_lapsed_is_lost(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    bench.lapse(ticket)

    assert bench.reap(queue_is_empty=True) == [ticket]


def test_l27_patience_doubles_up_to_ten_minutes(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    seen = []
    for _ in range(6):
        bench.lapse(ticket)
        bench.reap(queue_is_empty=True)
        seen.append(patience_s(bench, ticket))

    assert seen == [80, 160, 320, 600, 600, 600]


def test_l23_a_countdown_that_did_not_fire_is_queued_under_a_new_seq(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    retry = bench.deliveries.retry(bench.claim(ticket), 15, last()).retry
    assert retry is not None
    bench.lapse(ticket)

    (again,) = bench.reap()

    assert again == TaskTicket(delivery_id=ticket.delivery_id, seq=retry.seq + 1)
    assert bench.database.under("countdowns:") == {}
    with pytest.raises(AssertionError, match="stale"):
        bench.claim(retry)


def test_a_parked_delivery_is_queued_when_its_due_time_comes(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    claim = bench.claim(ticket)
    assert bench.deliveries.retry(claim, 86_400, last()).retry is None
    before = bench.fields(ticket)
    bench.lapse(ticket)

    (again,) = bench.reap()

    after = bench.fields(ticket)
    assert after["state"] == "QUEUED"
    assert again.seq > claim.lease
    kept = ("subscription", "event", "shape", "attempts", "number", "last")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert bench.claim(again).payload == claim.payload


def test_l28_two_reapers_at_once_queue_each_delivery_once(bench: Bench) -> None:
    tickets = bench.fill(300)
    for ticket in tickets:
        bench.claim(ticket)
    bench.lapse(*tickets)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(bench.reap) for _ in range(6)]
        reaped = [ticket.delivery_id for run in runs for ticket in run.result(30)]

    assert sorted(reaped) == [ticket.delivery_id for ticket in tickets]


def test_l8_a_run_handles_a_bounded_number_the_longest_lapsed_first(bench: Bench) -> None:
    tickets = bench.fill(RULES.reap_most + 10)
    bench.lapse(*reversed(tickets))

    reaped, more = bench.deliveries.reap(queue_is_empty=True)

    assert more
    assert list(reaped.tickets) == list(reversed(tickets))[: RULES.reap_most]
    reaped, more = bench.deliveries.reap(queue_is_empty=True)
    assert (len(reaped.tickets), more) == (10, False)


def test_l8_a_run_costs_the_same_however_many_deliveries_are_not_due(bench: Bench) -> None:
    bench.lapse(*bench.fill(5))
    bench.reap(queue_is_empty=True)
    (one,) = bench.fill(1)
    bench.lapse(one)
    few = bench.work_of(lambda: bench.reap(queue_is_empty=True))
    (other,) = bench.fill(2_000)[:1]
    bench.lapse(other)

    assert bench.work_of(lambda: bench.reap(queue_is_empty=True)) == few


def test_a_deadline_of_nothing_is_forgotten(bench: Bench) -> None:
    bench.client.zadd(f"{PREFIX}deadlines", {"nothing": 1})

    assert bench.reap() == []
    assert bench.database.deadlines == {}


def test_a_lapsed_delivery_of_a_deleted_subscription_leaves_and_is_counted(bench: Bench) -> None:
    queued, sending, retrying, parked = bench.fill(4)
    bench.claim(sending)
    bench.deliveries.retry(bench.claim(retrying), 15, last())
    bench.park([parked], ParkReason.REJECTED)
    bench.store.delete("s")
    bench.lapse(queued, sending, retrying)

    assert bench.reap() == []

    assert bench.database.everything == {}
    assert bench.database.counters["deliveries:subscription_deleted"] == 4
