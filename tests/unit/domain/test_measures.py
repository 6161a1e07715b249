import pytest

from odim_relay.domain.measures import (
    BUCKETS_S,
    DURATION,
    FAILURES,
    LATENCY,
    STATUS_CLASSES,
    attempt_fields,
    bucket_field,
    histogram,
    sum_field,
)
from odim_relay.domain.outcome import JUDGEMENTS, Failure, Outcome


def test_every_end_of_an_attempt_counts_under_one_of_the_names_that_there_are() -> None:
    known = {f"attempts:{verdict}:{name}" for verdict, names in STATUS_CLASSES.items() for name in names}
    for what in JUDGEMENTS:
        outcome = Outcome(failure=what) if isinstance(what, Failure) else Outcome(status=what)

        first, *others = attempt_fields(outcome)

        assert first in known
        assert others == ([f"attempt_failures:{what}"] if isinstance(what, Failure) else [])
        assert all(other.removeprefix("attempt_failures:") in FAILURES for other in others)


@pytest.mark.parametrize(
    ("seconds", "bound"),
    [(0, "0.05"), (0.05, "0.05"), (0.051, "0.1"), (1, "1"), (604_800, "604800"), (604_801, "+Inf")],
)
def test_a_duration_counts_in_the_lowest_bucket_that_holds_it(seconds: float, bound: str) -> None:
    assert bucket_field(LATENCY, seconds) == f"delivery_latency:{bound}"


def test_bounds_ascend_and_reach_as_far_as_what_they_are_of() -> None:
    for bounds in BUCKETS_S.values():
        assert list(bounds) == sorted(set(bounds))
    assert max(BUCKETS_S[LATENCY]) == 7 * 24 * 3600
    assert max(BUCKETS_S[DURATION]) >= 60


def test_a_histogram_is_what_was_counted() -> None:
    sums: dict[str, int] = {sum_field(DURATION): 10_003}
    for seconds in (0.003, 0.004, 10):
        field = bucket_field(DURATION, seconds)
        sums[field] = sums.get(field, 0) + 1

    buckets, sum_s = histogram(DURATION, sums)

    assert dict(buckets)["0.005"] == 2
    assert dict(buckets)["5"] == 2
    assert dict(buckets)["10"] == dict(buckets)["+Inf"] == 3
    assert sum_s == pytest.approx(10.003)
