import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.backoff import Backoff

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
