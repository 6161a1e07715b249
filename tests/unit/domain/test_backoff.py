import random
from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.backoff import Backoff, even_draws

backoffs = st.builds(
    Backoff,
    interval_s=st.floats(min_value=0.001, max_value=1e6),
    factor=st.floats(min_value=1, max_value=1e3),
    max_interval_s=st.floats(min_value=0.001, max_value=1e6),
    jitter=st.floats(min_value=0, max_value=1),
)
draws = st.floats(min_value=0, max_value=1, exclude_max=True)


@pytest.mark.parametrize(("retry", "wait_s"), [(1, 15), (2, 45), (3, 135), (4, 405), (5, 900), (6, 900), (1000, 900)])
def test_the_schedule_without_jitter_is_that_of_rule_l24(retry: int, wait_s: float) -> None:
    assert Backoff().wait_s(retry, 0.5) == wait_s


def test_five_retries_take_about_twenty_five_minutes() -> None:
    assert sum(Backoff().wait_s(retry, 0.5) for retry in range(1, 6)) / 60 == pytest.approx(25)


@pytest.mark.parametrize(("draw", "wait_s"), [(0.0, 12.0), (0.25, 13.5), (0.75, 16.5)])
def test_jitter_is_a_fifth_to_either_side(draw: float, wait_s: float) -> None:
    assert Backoff().wait_s(1, draw) == pytest.approx(wait_s)


@given(backoff=backoffs, retry=st.integers(min_value=1, max_value=10**9), draw=draws)
def test_no_wait_is_negative_or_longer_than_the_ceiling_and_its_jitter(
    backoff: Backoff, retry: int, draw: float
) -> None:
    assert 0 <= backoff.wait_s(retry, draw) <= backoff.max_interval_s * (1 + backoff.jitter)


@given(backoff=backoffs, retry=st.integers(min_value=1, max_value=100), draw=draws)
def test_waits_never_grow_shorter(backoff: Backoff, retry: int, draw: float) -> None:
    assert backoff.wait_s(retry, draw) <= backoff.wait_s(retry + 1, draw)


@pytest.mark.parametrize("processes", [1, 2, 4, 8])
@pytest.mark.parametrize("seed", range(20))
def test_of_a_thousand_that_fail_at_once_no_second_of_a_minutes_wait_has_more_than_a_twentieth(
    seed: int, processes: int
) -> None:
    start = random.Random(seed).random  # noqa: S311 - jitter
    draws = [even_draws(start()) for _ in range(processes)]
    waits = sorted(Backoff(interval_s=60).wait_s(1, draws[number % processes]()) for number in range(1_000))

    # Of any second: the fullest one begins with one of them.
    fullest = max(bisect_left(waits, begin + 1) - at for at, begin in enumerate(waits))
    assert fullest <= 50
    assert waits[0] >= 48
    assert waits[-1] <= 72


@given(start=st.floats(min_value=0, max_value=1, exclude_max=True), count=st.integers(min_value=1, max_value=300))
def test_draws_are_within_their_range_and_leave_no_wide_gap(start: float, count: int) -> None:
    draw = even_draws(start)
    numbers = sorted(draw() for _ in range(count))

    assert numbers[0] >= 0
    assert numbers[-1] < 1
    gaps = [after - before for before, after in pairwise([*numbers, numbers[0] + 1])]
    assert max(gaps) <= 2.7 / count
