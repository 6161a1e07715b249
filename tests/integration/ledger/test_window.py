"""
How many of a subscription, and how many to a destination, are under way: L14, L18, L19, L31, L33.
"""

from dataclasses import replace

import pytest

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Mode
from odim_relay.ports import SuspendedBy, TaskTicket
from tests.integration.ledger.bench import LEASE_S, Bench, ended, last

pytestmark = pytest.mark.server


def ids(tickets: list[TaskTicket]) -> list[str]:
    return [ticket.delivery_id for ticket in tickets]


def numbered(*numbers: int) -> list[str]:
    return [f"d-0-{number:05}" for number in numbers]


def test_l14_of_a_flood_only_a_window_is_queued(bench: Bench) -> None:
    bench = bench.under(window=4)

    tickets = bench.fill(10)

    assert ids(tickets) == numbered(0, 1, 2, 3)
    assert bench.states() == {"QUEUED": 4, "behind": 6}


def test_l14_a_window_that_is_half_done_lets_the_next_ones_go_in_one_batch(bench: Bench) -> None:
    bench = bench.under(window=4)
    tickets = bench.fill(10)

    first, second = (bench.succeed(ticket) for ticket in tickets[:2])

    assert not first.tickets
    assert ids(list(second.tickets)) == numbered(4, 5)


def test_l14_what_comes_while_others_wait_goes_behind_them(bench: Bench) -> None:
    bench = bench.under(window=4)
    tickets = bench.fill(6)
    bench.succeed(tickets[0])

    assert bench.fill(1) == []
    assert bench.states() == {"QUEUED": 3, "behind": 3}


def test_l14_one_subscription_does_not_take_the_window_of_another(bench: Bench) -> None:
    bench = bench.under(window=4)
    bench.fill(10)

    assert len(bench.fill(10, subscription_id="other")) == 4


def test_l14_a_delivery_that_leaves_unsent_makes_room_too(bench: Bench) -> None:
    bench = bench.under(window=2)
    first, second = bench.fill(4)

    assert bench.deliveries.park(bench.claim(first), ParkReason.REJECTED, ended(Outcome(status=400))).tickets
    bench.client.delete("bench:body:e-0-00001")
    bench.refusal(second)

    assert ids(bench.replay()) == numbered(3)


def test_l4_what_waits_with_nothing_under_way_is_found_by_the_replay(bench: Bench) -> None:
    bench = bench.under(window=1)
    bench.subscribe(mode=Mode.AT_MOST_ONCE)
    (ticket,) = bench.fill(2)
    bench.claim(ticket)  # and its worker dies

    assert ids(bench.replay()) == numbered(1)


def test_l14_the_pace_of_a_drain_is_carried_by_countdowns(bench: Bench) -> None:
    bench = bench.under(window=4, drain_rate=2.0)
    first, second, *_ = bench.fill(12)
    bench.succeed(first)

    tickets = bench.succeed(second).tickets

    assert [ticket.wait_s for ticket in tickets] == [0, 0.5]
    assert bench.fields(tickets[1])["state"] == "RETRYING"
    bench.move(0.75)
    assert [ticket.wait_s for ticket in bench.succeed(tickets[0]).tickets] == [0.25]


def test_l33_of_an_ordered_subscription_one_is_under_way_also_while_it_waits_for_its_retry(bench: Bench) -> None:
    bench.subscribe(mode=Mode.ORDERED)
    (first,) = bench.fill(3)

    aftermath = bench.fail(first)

    assert bench.states() == {"RETRYING": 1, "behind": 2}
    assert not aftermath.tickets
    assert aftermath.retry is not None
    assert bench.fill(1) == []
    assert bench.replay() == []
    assert ids(list(bench.succeed(aftermath.retry).tickets)) == numbered(1)


def test_l32_of_an_ordered_subscription_the_head_blocks_until_its_time(bench: Bench) -> None:
    bench.subscribe(mode=Mode.ORDERED)
    (first,) = bench.fill(3)

    assert not bench.fail(first, wait_s=5_000).tickets

    assert bench.states() == {"over_cap": 1, "behind": 2}
    assert bench.replay() == []
    bench.move(5_001)
    assert ids(bench.reap()) == numbered(0)


def test_l32_what_is_rejected_holds_up_nobody(bench: Bench) -> None:
    bench.subscribe(mode=Mode.ORDERED)
    (first,) = bench.fill(3)

    aftermath = bench.deliveries.park(bench.claim(first), ParkReason.REJECTED, last(status=400))

    assert ids(list(aftermath.tickets)) == numbered(1)


def test_l33_an_ordered_subscription_is_not_probed_past_the_one_that_is_under_way(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    bench.subscribe(mode=Mode.ORDERED)
    bench.subscribe("other")
    (first,) = bench.fill(3)
    claim = bench.claim(first)
    bench.fail(bench.fill(1, subscription_id="other")[0])
    bench.backlog.discard(list(bench.database.letters_of("other")))
    bench.move(3_600)

    assert bench.replay() == []

    bench.deliveries.retry(claim, 15, last())
    bench.move(3_600)
    assert ids(bench.replay()) == numbered(0)


def test_l33_one_that_becomes_ordered_waits_for_those_that_are_under_way(bench: Bench) -> None:
    bench = bench.under(window=4)
    first, second, *_ = bench.fill(6)[:2]
    bench.store.update("s", lambda it: replace(it, mode=Mode.ORDERED))

    assert not bench.succeed(first).tickets
    assert bench.states() == {"QUEUED": 3, "behind": 2}
    assert not bench.succeed(second).tickets


def test_l18_in_flight_to_a_destination_are_as_many_as_its_cap(bench: Bench) -> None:
    bench = bench.under(cap=2, slots=8)
    first, second, third = bench.fill(3)
    bench.subscribe("elsewhere", destination="https://b.test/")
    (other,) = bench.fill(1, subscription_id="elsewhere")
    claim = bench.claim(first)
    bench.deliveries.park(bench.claim(second), ParkReason.REJECTED, last(status=400))
    bench.claim(*bench.fill(1))

    assert bench.refusal(third) == "over_cap"

    assert bench.states() == {"SENDING": 2, "rejected": 1, "over_cap": 1}
    bench.claim(other)
    (again,) = bench.deliveries.complete(claim).tickets
    assert bench.claim(again).delivery_id == third.delivery_id


def test_l18_a_lapsed_lease_does_not_count(bench: Bench) -> None:
    bench = bench.under(cap=1, slots=8)
    first, second = bench.fill(2)
    bench.claim(first)
    bench.move(LEASE_S)

    bench.claim(second)


def test_l18_a_destination_has_a_quarter_of_the_slots_that_there_are(bench: Bench) -> None:
    bench = bench.under(slots=8)
    tickets = bench.fill(4)
    bench.claim(tickets[0])
    bench.claim(tickets[1])
    assert bench.refusal(tickets[2]) == "over_cap"
    bench.client.zadd("bench:workers", {"another 4": bench.now_ms})
    bench.reap()
    assert bench.database.get("slots", "") == "12"

    bench.claim(tickets[3])

    bench.move(61)
    bench.reap()
    assert bench.database.get("slots", "") == "0"


def test_l18_who_answers_fast_may_borrow_three_quarters_for_two_seconds(bench: Bench) -> None:
    bench = bench.under(cap=2, slots=8)
    fast, *tickets = bench.fill(12)
    bench.succeed(fast, is_fast=True)
    claims = [bench.claim(ticket) for ticket in tickets[:6]]
    assert bench.refusal(tickets[6]) == "over_cap"
    bench.move(3)

    assert bench.refusal(tickets[7]) == "over_cap"

    for claim in claims[:4]:
        bench.deliveries.complete(claim)
    assert bench.refusal(tickets[8]) == "over_cap"
    bench.deliveries.complete(claims[4])
    bench.claim(tickets[9])


def test_l18_a_failure_ends_the_borrowing(bench: Bench) -> None:
    bench = bench.under(cap=2, slots=8)
    fast, *tickets = bench.fill(6)
    bench.succeed(fast, is_fast=True)
    bench.claim(tickets[0])
    bench.claim(tickets[1])
    bench.fail(tickets[2])

    assert bench.refusal(tickets[3]) == "over_cap"


def test_l18_room_goes_to_whoever_was_refused_for_it(bench: Bench) -> None:
    bench = bench.under(cap=1, slots=8)
    (mine,), (theirs,) = bench.fill(1), bench.fill(1, subscription_id="other")
    claim = bench.claim(mine)
    assert bench.refusal(theirs) == "over_cap"

    assert ids(list(bench.deliveries.complete(claim).tickets)) == [theirs.delivery_id]


def test_l19_at_most_once_leaves_with_its_claim(bench: Bench) -> None:
    bench = bench.under(window=1)
    bench.subscribe(mode=Mode.AT_MOST_ONCE)
    (ticket,) = bench.fill(2)

    claim = bench.claim(ticket)

    assert bench.states() == {"behind": 1}
    assert bench.database.counters["deliveries:at_most_once"] == 1
    assert list(bench.database.bodies) == ["e-0-00001"]
    assert bench.deliveries.holds(claim)
    assert ids(list(bench.deliveries.retry(claim, 15, last()).tickets)) == numbered(1)
    assert not bench.deliveries.holds(claim)


def test_l19_at_most_once_is_not_sent_again_when_its_worker_dies(bench: Bench) -> None:
    bench.subscribe(mode=Mode.AT_MOST_ONCE)
    (ticket,) = bench.fill(1)
    claim = bench.claim(ticket)
    bench.move(3_600)

    assert bench.reap(queue_is_empty=True) == []

    assert not bench.deliveries.holds(claim)
    assert bench.refusal(ticket) == "gone"


def test_l31_who_recovers_may_have_one_more_under_way_for_each_success(bench: Bench) -> None:
    bench = bench.under(window=4)
    bench.subscribe()
    bench.backlog.suspend("s", SuspendedBy.HAND)
    bench.fill(12)
    resumed = bench.backlog.resume("s", None)
    assert resumed is not None
    tickets = list(resumed.aftermath.tickets)

    under_way = [len(tickets)]
    for _ in range(6):
        tickets += bench.succeed(tickets.pop(0)).tickets
        under_way.append(len(tickets))

    assert under_way == [1, 2, 3, 4, 3, 4, 3]


def test_l31_a_failure_while_it_recovers_halves_what_it_may(bench: Bench) -> None:
    bench = bench.under(window=8)
    bench.fill(20)
    bench.client.hset("bench:flow:s", "allowance", 7)
    claims = [bench.claim(TaskTicket(delivery_id=id_, seq=1)) for id_ in numbered(*range(8))]

    bench.deliveries.retry(claims[0], 15, last())

    assert bench.database.flows["s"]["allowance"] == "3"
