"""
What is measured of attempts and deliveries: names of sums, and the buckets of durations.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from odim_relay.domain.outcome import Failure, Outcome, Verdict, verdict_of

ATTEMPTS = "attempts"
ATTEMPT_FAILURES = "attempt_failures"
DURATION = "attempt_duration"
LATENCY = "delivery_latency"

BUCKETS_S: Mapping[str, tuple[float, ...]] = {
    DURATION: (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60),
    # Events wait for days: a week is as long as they are kept by default.
    LATENCY: (
        *(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        *(60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800),
    ),
}
"""
Upper bounds, inclusive; what is longer than the last counts as `+Inf`. A bound that goes or comes later is no harm:
each sum has its bound in its name.
"""
INFINITE = "+Inf"
STATUS_CLASSES: Mapping[Verdict, tuple[str, ...]] = {
    Verdict.DELIVERED: ("2xx",),
    Verdict.TRANSIENT: ("1xx", "3xx", "4xx", "5xx", "none"),
    Verdict.REJECTED: ("4xx",),
    Verdict.GONE: ("4xx",),
}
"""
Which classes of statuses there are for each verdict; `none` is no answer.
"""
_BOUND_NAMES = {kind: (*map(str, bounds), INFINITE) for kind, bounds in BUCKETS_S.items()}


def attempt_fields(outcome: Outcome) -> tuple[str, ...]:
    """
    The sums that an attempt counts in once.
    """
    counted = f"{ATTEMPTS}:{verdict_of(outcome)}:{status_class(outcome.status)}"
    if outcome.failure is None:
        return (counted,)
    return counted, f"{ATTEMPT_FAILURES}:{outcome.failure}"


def status_class(status: int | None) -> str:
    """
    `2xx` for 204; `none` for no answer.
    """
    return "none" if status is None else f"{status // 100}xx"


def bucket_field(kind: str, seconds: float) -> str:
    """
    The sum that a duration counts in once: the bucket with the lowest bound that is not below it.
    """
    return f"{kind}:{_BOUND_NAMES[kind][bisect_left(BUCKETS_S[kind], seconds)]}"


def sum_field(kind: str) -> str:
    """
    The sum of all durations of a kind, in whole milliseconds.
    """
    return f"{kind}:sum_ms"


def histogram(kind: str, sums: Mapping[str, int]) -> tuple[Sequence[tuple[str, int]], float]:
    """
    Read a histogram out of the sums: how many took at most so long, by bound, ascending; and the sum in seconds.
    """
    buckets, total = [], 0
    for bound in _BOUND_NAMES[kind]:
        total += sums.get(f"{kind}:{bound}", 0)
        buckets.append((bound, total))
    return buckets, sums.get(sum_field(kind), 0) / 1000


FAILURES = tuple(str(failure) for failure in Failure)
