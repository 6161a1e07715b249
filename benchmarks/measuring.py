"""
Rates by the length of a queue, CPU by process.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

from benchmarks.figures import NoResultError

_LOOK_EVERY_S = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """
    What happened between two lengths of a queue.

    Attributes:
        cpu_s: CPU time by the names that were given.
    """

    count: int
    seconds: float
    cpu_s: Mapping[str, float]

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    def cpu_us(self, name: str) -> float:
        return self.cpu_s[name] / self.count * 1e6


def cpu_s(pids: Sequence[int]) -> float:
    """
    CPU time that these processes have used, user and system.
    """
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)


def measure(
    done: Callable[[], int],
    *,
    start_at: int,
    stop_at: int,
    pids: Mapping[str, Sequence[int]],
    limit_s: float = 120.0,
) -> Stretch:
    """
    Measure from when at least `start_at` were done until `stop_at` are.

    Raises:
        NoResultError: they are not within `limit_s`, or one of the processes has ended.
    """
    give_up_at = time.perf_counter() + limit_s
    _wait(done, start_at, give_up_at)
    try:
        cpu_before = {name: cpu_s(each) for name, each in pids.items()}
        first, started_at = done(), time.perf_counter()
        last = _wait(done, stop_at, give_up_at)
        ended_at = time.perf_counter()
        cpu_after = {name: cpu_s(each) for name, each in pids.items()}
    except psutil.NoSuchProcess as exc:
        raise NoResultError(f"a process has ended: {exc}") from exc
    if last <= first:
        raise NoResultError("too few deliveries to measure anything")
    return Stretch(
        count=last - first,
        seconds=ended_at - started_at,
        cpu_s={name: cpu_after[name] - cpu_before[name] for name in pids},
    )


def _wait(done: Callable[[], int], wanted: int, give_up_at: float) -> int:
    while (now := done()) < wanted:
        if time.perf_counter() > give_up_at:
            raise NoResultError(f"only {now} of {wanted} were done in time")
        time.sleep(_LOOK_EVERY_S)
    return now
