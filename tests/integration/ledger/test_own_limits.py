"""
What a subscription says of its own: how many at once, how many per second, for how long.
"""

from dataclasses import replace

import pytest

from odim_relay.domain.subscription import Mode
from odim_relay.ports import SuspendedBy, TaskTicket
from tests.integration.ledger.bench import UNREACHABLE, Bench

pytestmark = pytest.mark.server


def waits_of(tickets: list[TaskTicket]) -> list[float]:
    return [ticket.wait_s for ticket in tickets]


# --- how many at once ---


def test_no_more_are_under_way_than_it_wants_and_each_end_lets_the_next_go(bench: Bench) -> None:
    bench.subscribe(max_in_flight=3)

    tickets = bench.fill(8)
    assert len(tickets) == 3
    assert bench.states() == {"QUEUED": 3, "behind": 5}

    assert len(bench.succeed(tickets[0]).tickets) == 1
    assert bench.states() == {"QUEUED": 3, "behind": 4}


def test_one_that_comes_out_of_its_countdown_waits_while_enough_are_under_way(bench: Bench) -> None:
    bench.subscribe(max_in_flight=1)
    (first,) = bench.fill(2)
    failed = bench.fail(first)
    assert failed.retry is not None
    (second,) = failed.tickets
    claim = bench.claim(second)

    assert bench.refusal(failed.retry) == "over_cap"
    assert bench.states() == {"SENDING": 1, "over_cap": 1}

    assert [ticket.delivery_id for ticket in bench.deliveries.complete(claim).tickets] == [first.delivery_id]


def test_when_it_wants_fewer_those_that_are_queued_go_back(bench: Bench) -> None:
    bench.subscribe()
    tickets = bench.fill(5)
    bench.subscribe(max_in_flight=2)

    assert [bench.refusal(ticket) for ticket in tickets[:3]] == ["over_cap"] * 3
    claim = bench.claim(tickets[3])

    assert bench.states() == {"QUEUED": 1, "SENDING": 1, "over_cap": 3}
    assert len(bench.deliveries.complete(claim).tickets) == 1


def test_of_one_that_sends_and_forgets_no_more_are_in_flight(bench: Bench) -> None:
    bench.subscribe(mode=Mode.AT_MOST_ONCE, max_in_flight=1)
    (first,) = bench.fill(2)
    claim = bench.claim(first)
    (second,) = [*bench.replay(), *bench.backlog.wake("s").tickets]

    assert bench.refusal(second) == "over_cap"
    assert len(bench.deliveries.complete(claim).tickets) == 1


# --- how many per second ---


def test_new_events_that_come_too_fast_wait_for_their_time(bench: Bench) -> None:
    bench.subscribe(rate_per_s=2.0)

    assert waits_of(bench.fill(4)) == [0.0, 0.5, 1.0, 1.5]
    assert bench.states() == {"QUEUED": 1, "RETRYING": 3}

    bench.move(10)
    assert bench.states() == {"QUEUED": 1, "RETRYING": 3}


def test_who_comes_slowly_does_not_wait_and_what_is_not_limited_is_not_paced(bench: Bench) -> None:
    bench.subscribe(rate_per_s=2.0)
    bench.subscribe("other")

    for _ in range(3):
        assert waits_of(bench.fill(1)) == [0.0]
        bench.move(0.5)
    assert waits_of(bench.fill(5, subscription_id="other")) == [0.0] * 5
    assert "next_at_ms" not in bench.database.flows["other"]


def test_of_a_flood_so_many_wait_in_countdowns_and_each_end_lets_one_more(bench: Bench) -> None:
    bench = bench.under(countdowns=4)
    bench.subscribe(rate_per_s=2.0)

    tickets = bench.fill(10)

    assert waits_of(tickets) == [0.0, 0.5, 1.0, 1.5]
    assert bench.states() == {"QUEUED": 1, "RETRYING": 3, "behind": 6}
    assert waits_of(list(bench.succeed(tickets[0]).tickets)) == [2.0]


def test_the_slower_of_its_rate_and_that_of_every_drain_counts(bench: Bench) -> None:
    bench.subscribe(rate_per_s=2.0)
    bench.say(is_enabled=False)
    bench.fill(3)
    bench.say(is_enabled=True)

    assert waits_of(bench.under(drain_rate=0.5).replay()) == [0.0, 2.0, 4.0]
    assert waits_of(bench.under(drain_rate=9.0).fill(2)) == [6.0, 6.5]


def test_so_slow_that_no_countdown_carries_it_it_waits_parked(bench: Bench) -> None:
    bench.subscribe(rate_per_s=0.002)

    assert waits_of(bench.fill(4)) == [0.0, 500.0]
    assert bench.states() == {"QUEUED": 1, "RETRYING": 1, "behind": 2}

    bench.move(400)
    assert waits_of(bench.replay()) == [600.0]


def test_another_rate_begins_anew(bench: Bench) -> None:
    bench.subscribe(rate_per_s=0.002)
    bench.fill(1)
    bench.subscribe(rate_per_s=2.0)

    assert waits_of(bench.fill(2)) == [0.0, 0.5]


def test_after_a_recovery_its_rate_still_counts(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1, countdowns=4)
    bench.subscribe(rate_per_s=0.1)
    tickets = bench.fill(4)
    assert waits_of(tickets) == [0.0, 10.0, 20.0, 30.0]
    bench.fail(tickets[0], UNREACHABLE)
    bench.move(31)  # all are late: their countdowns were lost
    destination = bench.database.flows["s"]["destination"]
    (probe,) = bench.backlog.connected(destination, accepts=True).tickets

    following = bench.succeed(probe).tickets

    assert sorted(waits_of(list(following))) == [9.0, 19.0, 29.0]


# --- for how long ---


def test_what_waited_longer_than_it_wants_leaves_and_that_of_others_stays(bench: Bench) -> None:
    bench.subscribe(retention_s=60)
    bench.subscribe("other")
    for id_ in ("s", "other"):
        bench.backlog.suspend(id_, SuspendedBy.HAND)
        bench.fill(2, subscription_id=id_)
    bench.move(60)

    assert bench.backlog.expire(0)[1] == 2

    assert bench.states() == {}
    assert bench.states("other") == {"suspended": 2}
    assert bench.database.counters["deliveries:expired"] == 2


def test_what_is_too_old_for_it_when_its_turn_comes_does_not_go(bench: Bench) -> None:
    bench.subscribe(retention_s=60)
    bench.say(is_enabled=False)
    bench.fill(2)
    bench.move(61)
    bench.say(is_enabled=True)

    assert bench.replay() == []
    assert bench.database.flows["s"]["lost"] == "2"


def test_limits_that_are_taken_back_are_gone(bench: Bench) -> None:
    bench.subscribe(max_in_flight=1, rate_per_s=2.0, retention_s=60)
    bench.fill(1)
    saved = bench.store.get("s")
    assert saved is not None
    bench.store.save(replace(saved, max_in_flight=None, rate_per_s=None, retention_s=None))

    assert not bench.database.flows["s"].keys() & {"max_in_flight", "rate", "retention_ms", "next_at_ms"}
    assert waits_of(bench.fill(3)) == [0.0] * 3
