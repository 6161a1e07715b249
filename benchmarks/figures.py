"""
What was measured, and how it compares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


class NoResultError(Exception):
    """
    A run that lost, doubled or did not finish its deliveries: whatever it measured is no result.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    One side, once.

    Attributes:
        rate: deliveries per second.
        cpu_us: CPU time of the side's own processes per delivery, user and system.
        redis_us: the same of Redis.
        receiver_share: of one core, by the busiest of the receiver's processes; None where there is no receiver.
    """

    rate: float
    cpu_us: float
    redis_us: float
    receiver_share: float | None = None

    def __str__(self) -> str:
        receiver = "" if self.receiver_share is None else f", receiver {self.receiver_share:4.0%}"
        return f"{self.rate:6.0f}/s {self.cpu_us:5.0f} us (redis {self.redis_us:4.0f}{receiver})"


def check_counts(counts: dict[str, int], expected: int) -> None:
    """
    Refuse what is not exactly `expected` ids, once each.

    Raises:
        NoResultError: ids are missing or came more than once.
    """
    doubled = sum(1 for times in counts.values() if times > 1)
    if len(counts) != expected or doubled or "" in counts:
        raise NoResultError(f"{len(counts)} of {expected} deliveries came, {doubled} of them more than once")


def spread(values: Sequence[float], unit: str = "") -> str:
    """
    Median and range.
    """
    return f"{median(values):.2f}{unit} ({min(values):.2f} to {max(values):.2f})"


def compare(title: str, pairs: int, plain: Callable[[], Run], ours: Callable[[], Run]) -> float:
    """
    Run both sides in turn, the first of each pair being the other side's turn, and print them.

    Returns:
        the median of ours to plain, by rate.
    """
    print(f"\n{title}", flush=True)
    runs: list[tuple[Run, Run]] = []
    for number in range(pairs):
        if number % 2:
            second, first = ours(), plain()
        else:
            first, second = plain(), ours()
        runs.append((first, second))
        print(f"  plain {first}   odim-relay {second}   {second.rate / first.rate:.2f}x", flush=True)
    ratios = [second.rate / first.rate for first, second in runs]
    print(f"  deliveries/s, median: plain {median(first.rate for first, _ in runs):.0f}", end="")
    print(f", odim-relay {median(second.rate for _, second in runs):.0f}; ratio {spread(ratios)}")
    print(f"  CPU us per delivery:  plain {median(first.cpu_us for first, _ in runs):.0f}", end="")
    print(f", odim-relay {median(second.cpu_us for _, second in runs):.0f}", end="")
    print(f"; ratio {spread([second.cpu_us / first.cpu_us for first, second in runs])}", end="")
    with_redis = [(second.cpu_us + second.redis_us) / (first.cpu_us + first.redis_us) for first, second in runs]
    print(f"; with Redis's {spread(with_redis)}", flush=True)
    return median(ratios)
