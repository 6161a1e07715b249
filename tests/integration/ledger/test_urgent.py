"""
What is Critical goes before what is not, of what waits for one subscription, unless that wants its order kept.
"""

import pytest

from odim_relay.adapters.redis.listings import RedisDeliveryListing
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.subscription import Mode
from odim_relay.ports import SuspendedBy, TaskTicket
from tests.integration.ledger.bench import UNREACHABLE, Bench, last

pytestmark = pytest.mark.server


def numbers(tickets: list[TaskTicket]) -> list[int]:
    """
    Of the events, by the order in which they came.
    """
    return [int(ticket.delivery_id.rpartition("-")[2]) for ticket in tickets]


def mixed(bench: Bench, *, mode: Mode = Mode.AT_LEAST_ONCE) -> None:
    """
    Two, then two urgent ones, then one more, all of which wait.
    """
    bench.subscribe(mode=mode, max_in_flight=1)
    bench.backlog.suspend("s", SuspendedBy.HAND)
    bench.fill(2)
    bench.fill(2, is_urgent=True)
    bench.fill(1)


def drained(bench: Bench) -> list[int]:
    resumed = bench.backlog.resume("s", None)
    assert resumed is not None
    tickets, seen = list(resumed.aftermath.tickets), []
    while tickets:
        seen += numbers(tickets)
        tickets = list(bench.succeed(tickets[0]).tickets)
    return seen


def test_what_is_urgent_goes_first_and_each_kind_in_its_order(bench: Bench) -> None:
    mixed(bench)

    assert drained(bench) == [2, 3, 0, 1, 4]


def test_in_order_nothing_goes_before_another(bench: Bench) -> None:
    mixed(bench, mode=Mode.ORDERED)

    assert drained(bench) == [0, 1, 2, 3, 4]


def test_who_wants_order_from_now_on_gets_what_waits_by_the_order_in_which_it_came(bench: Bench) -> None:
    mixed(bench)
    bench.subscribe(mode=Mode.ORDERED)

    assert drained(bench) == [0, 1, 2, 3, 4]


def test_what_was_parked_again_is_still_urgent(bench: Bench) -> None:
    bench.subscribe(max_in_flight=1)
    (urgent,) = bench.fill(1, is_urgent=True)
    bench.fill(1)
    bench.backlog.suspend("s", SuspendedBy.HAND)
    assert bench.refusal(urgent) == "suspended"

    assert drained(bench) == [0, 1]


def test_the_oldest_leave_over_quota_urgent_or_not_by_rule_l15(bench: Bench) -> None:
    mixed(bench)

    bench.under(quota_count=4).fill(1)

    assert sorted(int(id_.rpartition("-")[2]) for id_ in bench.database.dead_letters) == [2, 3, 4, 5]


def test_what_is_too_old_expires_behind_an_urgent_one_that_is_not(bench: Bench) -> None:
    bench.subscribe(retention_s=60)
    bench.backlog.suspend("s", SuspendedBy.HAND)
    bench.fill(2)
    bench.move(30)
    bench.fill(1, is_urgent=True)
    bench.move(31)

    assert bench.backlog.expire(0)[1] == 2


def test_probes_begin_with_it_and_go_on_to_others(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    mixed(bench)
    bench.say(is_enabled=False)
    bench.backlog.resume("s", None)
    bench.say(is_enabled=True)
    probes = []
    tickets = bench.replay()
    for _ in range(4):
        probes += numbers(tickets)
        bench.fail(tickets[0], UNREACHABLE)
        bench.move(301)
        destination = bench.database.flows["s"]["destination"]
        tickets = list(bench.backlog.connected(destination, accepts=True).tickets)

    assert probes[1:] == [2, 4, 3], "the first one opened the breaker"


def test_people_see_what_waits_in_the_order_in_which_it_came(bench: Bench) -> None:
    mixed(bench)
    listing = RedisDeliveryListing(bench.scripts)

    assert [int(record.delivery_id.rpartition("-")[2]) for record in listing.parked(["s"])] == [0, 1, 2, 3, 4]
    (backlog,) = listing.backlogs(["s"])
    assert backlog.count == 5


def test_the_oldest_of_all_is_shown_though_an_urgent_one_goes_first(bench: Bench) -> None:
    mixed(bench)
    resumed = bench.backlog.resume("s", None)
    assert resumed is not None
    bench.deliveries.park(bench.claim(resumed.aftermath.tickets[0]), ParkReason.REJECTED, last(status=400))
    bench.client.hset("bench:body:e-0-00000", "recorded_at_ms", 77)

    assert {backlog.oldest_at_ms for backlog in RedisDeliveryListing(bench.scripts).backlogs(["s"])} == {77}
