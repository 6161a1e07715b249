"""
What comes while others wait does not wait for all of them, and they go on all the same.
"""

from typing import Any

import pytest

from odim_relay.domain.subscription import Mode
from odim_relay.ports import SuspendedBy, TaskTicket
from tests.integration.ledger.bench import UNREACHABLE, Bench

pytestmark = pytest.mark.server


def numbers(tickets: list[TaskTicket]) -> list[int]:
    """
    Of the events, by the order in which they came.
    """
    return [int(ticket.delivery_id.rpartition("-")[2]) for ticket in tickets]


def draining(bench: Bench, count: int = 20, **members: Any) -> list[TaskTicket]:
    """
    So many wait, and the first two are under way.
    """
    bench.subscribe(**members)
    bench.backlog.suspend("s", SuspendedBy.HAND)
    bench.fill(count)
    resumed = bench.backlog.resume("s", None)
    assert resumed is not None
    return list(bench.succeed(resumed.aftermath.tickets[0]).tickets)


def test_what_comes_while_others_are_drained_goes_at_once(bench: Bench) -> None:
    bench = bench.under(passing=2)
    draining(bench)

    assert numbers(bench.fill(1)) == [20]


def test_no_more_go_at_once_than_may_between_two_that_waited(bench: Bench) -> None:
    bench = bench.under(passing=2, window=2)
    draining(bench)

    passing = bench.fill(4)
    assert numbers(passing) == [20, 21]
    assert list(bench.succeed(passing[0]).tickets) == [], "those that waited have their places still"
    assert bench.fill(1) == []


def sent_to_the_end(bench: Bench, under_way: list[TaskTicket]) -> list[int]:
    """
    Deliver one after the other what is let go, oldest ticket first.
    """
    seen = []
    while under_way:
        ticket = under_way.pop(0)
        seen += numbers([ticket])
        under_way += bench.succeed(ticket).tickets
    return seen


def test_who_may_not_go_at_once_goes_before_the_backlog_which_goes_on_all_the_same(bench: Bench) -> None:
    bench = bench.under(passing=2, window=1)
    under_way = draining(bench)
    under_way += bench.fill(8)

    seen = sent_to_the_end(bench, under_way)

    assert sorted(seen) == list(range(1, 28))
    late = [number for number in seen if number >= 20]
    assert late == sorted(late)
    ends = seen.index(27)
    between = [number for number in seen[:ends] if number < 20]
    assert len(between) < 10, "what came late waited for the backlog"
    assert len(between) >= 3, "the backlog waited for what came late"


def test_critical_goes_before_what_only_came_now(bench: Bench) -> None:
    bench = bench.under(passing=1, window=1)
    under_way = draining(bench)
    under_way += bench.fill(5)
    bench.fill(1, is_urgent=True)

    seen = sent_to_the_end(bench, under_way)

    assert seen.index(25) < seen.index(22)


def test_in_order_what_comes_now_waits_for_its_turn(bench: Bench) -> None:
    bench = bench.under(passing=2)
    draining(bench, mode=Mode.ORDERED)

    assert bench.fill(1) == []


def test_its_own_limits_hold_for_what_comes_now_too(bench: Bench) -> None:
    bench = bench.under(passing=2)
    draining(bench, max_in_flight=1)
    assert bench.fill(1) == []

    bench.subscribe("paced", destination="https://p.test/", rate_per_s=0.5)
    bench.backlog.suspend("paced", SuspendedBy.HAND)
    bench.fill(20, subscription_id="paced")
    bench.backlog.resume("paced", None)
    assert bench.fill(1, subscription_id="paced") == []


def test_while_the_breaker_is_open_nothing_goes_at_once(bench: Bench) -> None:
    bench = bench.under(passing=2, drain_failures=1)
    under_way = draining(bench)
    bench.fail(under_way[0], UNREACHABLE)

    assert bench.fill(1) == []


def test_probes_go_round_among_all_that_wait_whatever_their_rank(bench: Bench) -> None:
    bench = bench.under(passing=1, breaker_failures=1, drain_failures=1, window=1)
    under_way = draining(bench, count=4)
    under_way += bench.fill(5)
    bench.fail(under_way[0], UNREACHABLE)
    for ticket in under_way[1:]:
        bench.refusal(ticket)
    destination, probes = bench.database.flows["s"]["destination"], []
    for _ in range(6):
        bench.move(301)
        (probe,) = bench.backlog.connected(destination, accepts=True).tickets
        probes += numbers([probe])
        bench.fail(probe, UNREACHABLE)

    assert len(set(probes)) == 6


def test_a_backlog_takes_no_more_than_can_be_in_flight(bench: Bench) -> None:
    bench = bench.under(cap=3, slots=4, passing=2)
    bench.subscribe()
    bench.say(is_enabled=False)
    bench.fill(20)
    bench.say(is_enabled=True)

    assert len(bench.replay()) == 1, "a quarter of the slots"
