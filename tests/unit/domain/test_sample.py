from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.measures import BUCKETS_S, LATENCY
from odim_relay.domain.sample import Sample, breaks, latency_s, rate_per_s, rates, thinned

NOW = Sample(at_ms=100_000, ingested_count=500)
BOUND_COUNT = len(BUCKETS_S[LATENCY]) + 1


def counted(sample: Sample) -> int:
    return sample.ingested_count


def taken(at_ms: int, *up_to: int) -> Sample:
    """
    With so many deliveries up to each bound, and the last for all bounds above.
    """
    counts = (*up_to, *[up_to[-1]] * (BOUND_COUNT - len(up_to)))
    return Sample(at_ms=at_ms, latency_counts=counts)


def test_a_rate_is_what_was_done_in_the_time_that_went_by() -> None:
    assert rate_per_s(NOW, replace(NOW, at_ms=110_000, ingested_count=530), counted) == 3.0


@pytest.mark.parametrize(
    "later",
    [
        NOW,
        replace(NOW, at_ms=90_000, ingested_count=600),
        replace(NOW, at_ms=110_000, ingested_count=499),
    ],
    ids=["no time went by", "the clock went back", "the counter went back"],
)
def test_a_rate_that_cannot_be_told_is_not_made_up(later: Sample) -> None:
    assert rate_per_s(NOW, later, counted) is None


def test_what_nobody_counted_has_no_rate() -> None:
    assert rate_per_s(NOW, replace(NOW, at_ms=110_000, failed_count=3), lambda one: one.failed_count) is None


def test_each_sample_but_the_first_has_the_rate_since_the_one_before() -> None:
    samples = [Sample(at_ms=at_ms, ingested_count=count) for at_ms, count in ((0, 0), (10_000, 50), (30_000, 50))]

    assert list(rates(samples, counted)) == [(10_000, 5.0), (30_000, 0.0)]


def test_a_latency_lies_between_the_bounds_that_the_share_falls_between() -> None:
    first, second = BUCKETS_S[LATENCY][:2]

    assert latency_s(taken(0, 0), taken(10_000, 10), 0.5) == pytest.approx(first / 2)
    assert latency_s(taken(0, 0), taken(10_000, 0, 10), 0.5) == pytest.approx(first + (second - first) / 2)


def test_a_latency_beyond_every_bound_is_the_last_bound() -> None:
    nothing = Sample(at_ms=0, latency_counts=(0,) * BOUND_COUNT)

    later = Sample(at_ms=10_000, latency_counts=(*(0,) * (BOUND_COUNT - 1), 10))
    assert latency_s(nothing, later, 0.5) == BUCKETS_S[LATENCY][-1]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (taken(0, 5), taken(10_000, 5)),
        (taken(0, 5), taken(10_000, 4)),
        (Sample(at_ms=0), taken(10_000, 4)),
        (Sample(at_ms=0), Sample(at_ms=10_000)),
    ],
    ids=["nothing delivered", "counts went back", "nobody measured before", "nobody measured"],
)
def test_a_latency_that_cannot_be_told_is_not_made_up(earlier: Sample, later: Sample) -> None:
    assert latency_s(earlier, later, 0.5) is None


@given(
    st.lists(st.integers(min_value=1, max_value=100_000), min_size=1, max_size=200, unique=True).map(sorted),
    st.integers(min_value=2, max_value=50),
)
def test_thinned_samples_are_few_in_order_and_end_with_the_newest(times: list[int], most: int) -> None:
    samples = [Sample(at_ms=at_s * 1000) for at_s in times]

    found = thinned(samples, most)

    assert len(found) <= most
    assert found[-1] is samples[-1]
    assert found == [sample for sample in samples if sample in found]


def test_a_long_gap_is_told_and_a_usual_step_is_not() -> None:
    points = [(at_ms, 1.0) for at_ms in (0, 10_000, 20_000, 200_000, 210_000)]

    assert breaks(points) == [*points[:3], (20_001, None), *points[3:]]
    assert breaks(points[:3]) == points[:3]
    assert breaks([]) == []


def test_steps_that_are_all_long_are_no_gaps() -> None:
    points = [(at_ms, 1.0) for at_ms in range(0, 3_600_000, 360_000)]

    assert breaks(points) == points
