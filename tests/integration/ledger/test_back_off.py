"""
A receiver that cannot keep up gets less at once: 429, 503 and answers that get slow halve what may be under way.
"""

import pytest

from odim_relay.domain.outcome import Outcome
from tests.integration.ledger.bench import Bench

pytestmark = pytest.mark.server


def allowance(bench: Bench) -> int:
    return int(bench.database.flows["s"].get("allowance", bench.rules.window))


@pytest.mark.parametrize("status", [429, 503])
def test_who_is_overloaded_gets_half_of_what_was_under_way(bench: Bench, status: int) -> None:
    bench.subscribe()
    tickets = bench.fill(16)

    bench.fail(tickets[0], Outcome(status=status))

    assert allowance(bench) == 8
    assert bench.fill(1) == []


@pytest.mark.parametrize("status", [404, 500])
def test_other_failures_say_nothing_of_its_pace_where_nothing_waits(bench: Bench, status: int) -> None:
    bench.subscribe()

    bench.fail(bench.fill(16)[0], Outcome(status=status))

    assert allowance(bench) == bench.rules.window


def test_signs_that_come_together_are_one(bench: Bench) -> None:
    bench.subscribe()
    tickets = bench.fill(16)
    for ticket in tickets[:3]:
        bench.fail(ticket, Outcome(status=503))
    assert allowance(bench) == 8

    bench.move(1)
    bench.fail(tickets[3], Outcome(status=503))
    assert allowance(bench) == 4


def test_answers_that_get_slow_do_the_same_and_others_allow_one_more_each(bench: Bench) -> None:
    bench.subscribe()
    tickets = bench.fill(16)

    bench.deliveries.complete(bench.claim(tickets[0]), is_slowing=True)
    assert allowance(bench) == 8
    bench.deliveries.complete(bench.claim(tickets[1]), is_slowing=True)
    assert allowance(bench) == 8
    bench.succeed(tickets[2])
    assert allowance(bench) == 9


def test_one_at_a_time_is_the_least(bench: Bench) -> None:
    bench.subscribe()
    for _ in range(5):
        (ticket,) = bench.fill(1)
        bench.deliveries.complete(bench.claim(ticket), is_slowing=True)
        bench.move(1)

    assert len(bench.fill(1)) == 1
