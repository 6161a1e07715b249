"""
How everything stood at one moment, and what two such moments tell.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from odim_relay.domain.measures import BUCKETS_S, LATENCY

INTERVAL_S = 10.0
"""
How often a sample is taken.
"""
_LATENCY_BOUNDS_S = BUCKETS_S[LATENCY]
_LONGEST_GAP_S = 6 * INTERVAL_S

Point: TypeAlias = tuple[int, float | None]
"""
An instant, milliseconds since the epoch, and a value; None where nothing is known.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """
    One moment. Counts of what was done are of all time; the others are of the moment.

    Attributes:
        at_ms: by Redis's clock.
        failed_count: attempts that did not deliver; None when nobody counted.
        latency_counts: how many deliveries took at most so long, for each bound of `BUCKETS_S[LATENCY]` and without
            any; empty when nobody measured.
        queue_depth: None when the broker was away.
        lag: records that Kafka holds and that were not taken in; None when it was away.
    """

    at_ms: int
    ingested_count: int = 0
    delivered_count: int = 0
    failed_count: int | None = None
    latency_counts: tuple[int, ...] = ()
    active_count: int = 0
    waiting_count: int = 0
    dead_letter_count: int = 0
    worker_count: int = 0
    queue_depth: int | None = None
    lag: int | None = None


def rate_per_s(earlier: Sample, later: Sample, count: Callable[[Sample], int | None]) -> float | None:
    """
    How often per second something was done between two samples. None when that cannot be told: no time went by, too
    much did, or the counter went back, as it does with a store that lost its last writes.
    """
    before, after = count(earlier), count(later)
    span_s = (later.at_ms - earlier.at_ms) / 1000
    if before is None or after is None or span_s <= 0 or after < before:
        return None
    return (after - before) / span_s


def rates(samples: Sequence[Sample], count: Callable[[Sample], int | None]) -> Iterator[Point]:
    """
    The rate at each sample but the first, since the one before it.
    """
    for earlier, later in pairwise(samples):
        yield later.at_ms, rate_per_s(earlier, later, count)


def latency_s(earlier: Sample, later: Sample, share: float) -> float | None:
    """
    How long deliveries took at most between two samples, but for the slowest: those beyond `share` of all. As exact as
    the bounds are near to each other. None when there were none, or that cannot be told.
    """
    before, after = earlier.latency_counts, later.latency_counts
    if len(before) != len(after) or not after:
        return None
    counts = [now - then for then, now in zip(before, after, strict=True)]
    wanted = counts[-1] * share
    if counts[-1] <= 0 or min(counts) < 0:
        return None
    below_s, below = 0.0, 0
    for bound_s, count in zip(_LATENCY_BOUNDS_S, counts, strict=False):
        if count >= wanted:
            return below_s + (bound_s - below_s) * (wanted - below) / max(count - below, 1)
        below_s, below = bound_s, count
    return below_s


def latencies(samples: Sequence[Sample], share: float) -> Iterator[Point]:
    """
    The latency at each sample but the first, of what was delivered since the one before it.
    """
    for earlier, later in pairwise(samples):
        yield later.at_ms, latency_s(earlier, later, share)


def thinned(samples: Sequence[Sample], most: int, interval_s: float = INTERVAL_S) -> list[Sample]:
    """
    At most so many of them, evenly over time, the newest among them. Where none was taken for long, nothing is made up:
    `breaks` tells of it.

    Args:
        most: at least 2.
    """
    if len(samples) <= most:
        return list(samples)
    span_ms = samples[-1].at_ms - samples[0].at_ms
    step_ms = max(span_ms / (most - 1), interval_s * 1000)
    found: list[Sample] = []
    for sample in reversed(samples):
        if not found or found[-1].at_ms - sample.at_ms >= step_ms:
            found.append(sample)
    return found[::-1]


def breaks(points: Sequence[Point]) -> list[Point]:
    """
    The points, with one of nothing in every gap that is much longer than the steps around it.
    """
    if not points:
        return []
    steps = sorted(later - earlier for (earlier, _), (later, _) in pairwise(points))
    usual_ms = steps[len(steps) // 2] if steps else 0
    longest_ms = max(3 * usual_ms, _LONGEST_GAP_S * 1000)
    found = [points[0]]
    for (earlier_ms, _), point in pairwise(points):
        if point[0] - earlier_ms > longest_ms:
            found.append((earlier_ms + 1, None))
        found.append(point)
    return found
