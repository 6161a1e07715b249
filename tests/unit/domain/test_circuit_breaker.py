import pytest

from odim_relay.domain.circuit_breaker import CHANGES, Breaker, Signal


def reachable_from(start: Breaker) -> set[Breaker]:
    found = {start}
    to_visit = [start]
    while to_visit:
        fresh = set(CHANGES[to_visit.pop()].values()) - found
        found |= fresh
        to_visit += fresh
    return found


def test_the_table_has_a_row_for_every_state() -> None:
    assert CHANGES.keys() == set(Breaker)


@pytest.mark.parametrize("state", Breaker)
def test_every_state_leads_to_every_other(state: Breaker) -> None:
    assert reachable_from(state) == set(Breaker)


def test_only_the_failure_that_fills_the_count_or_a_wish_to_wait_opens_a_closed_one() -> None:
    assert {signal for signal, then in CHANGES[Breaker.CLOSED].items() if then is Breaker.OPEN} == {
        Signal.LAST_FAILURE,
        Signal.WAIT,
    }


def test_a_closed_one_needs_no_probe() -> None:
    assert CHANGES[Breaker.CLOSED].keys() == set(Signal) - {Signal.PROBE}


def test_nothing_but_a_probe_is_heard_while_it_is_open() -> None:
    assert CHANGES[Breaker.OPEN] == {Signal.PROBE: Breaker.HALF_OPEN}


def test_only_an_answer_closes_it() -> None:
    closing = {
        (state, signal)
        for state, row in CHANGES.items()
        for signal, then in row.items()
        if then is Breaker.CLOSED and state is not Breaker.CLOSED
    }

    assert closing == {(Breaker.HALF_OPEN, Signal.ANSWER)}


def test_a_probe_that_fails_opens_it_again() -> None:
    for signal in (Signal.FAILURE, Signal.LAST_FAILURE, Signal.WAIT):
        assert CHANGES[Breaker.HALF_OPEN][signal] is Breaker.OPEN
