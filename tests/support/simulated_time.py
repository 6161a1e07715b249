"""
Simulated time: what waits for hours is done in the milliseconds that its work needs.

One thing happens at a time. What takes time, as a request to a destination does, runs in a thread of its own, which
stands still in `sleep` while others go on.
"""

import heapq
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

_LIMIT_S: Final = 60.0


class SimulatedTime:
    """
    A calendar of things to be done. Times are in seconds since its beginning.
    """

    def __init__(self, *, tell: Callable[[float], None], threads: int) -> None:
        """
        Args:
            tell: is called with the time each time it has moved on.
            threads: so many things may take time at once.
        """
        self.now_s = 0.0
        self._tell = tell
        self._numbers = itertools.count()
        self._calendar: list[tuple[float, int, Callable[[], object]]] = []
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="simulated")
        self._stands_still = threading.Semaphore(0)
        self._failure: BaseException | None = None
        self._sleepers: set[threading.Semaphore] = set()
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_over = True
        for sleeper in self._sleepers:
            sleeper.release()
        self._pool.shutdown()

    def after(self, wait_s: float, do: Callable[[], object]) -> None:
        """
        Do something after a wait; it must not sleep.
        """
        heapq.heappush(self._calendar, (self.now_s + wait_s, next(self._numbers), do))

    def every(self, interval_s: float, do: Callable[[], object]) -> None:
        """
        Do something at each end of an interval, for ever; it must not sleep.
        """

        def again() -> None:
            self.after(interval_s, again)
            do()

        self.after(interval_s, again)

    def start(self, work: Callable[[], object]) -> None:
        """
        Do something that may sleep; returns when it sleeps or is done.
        """

        def run() -> None:
            try:
                work()
            except BaseException as exc:  # noqa: BLE001 - raised by `run_until`
                self._failure = self._failure or exc
            finally:
                self._stands_still.release()

        self._pool.submit(run)
        self._await()

    def sleep(self, seconds: float) -> None:
        """
        Let time pass, in a thread of `start`.
        """
        if seconds <= 0:
            return
        wakes = threading.Semaphore(0)
        self._sleepers.add(wakes)

        def wake() -> None:
            self._sleepers.discard(wakes)
            wakes.release()
            self._await()

        self.after(seconds, wake)
        self._stands_still.release()
        wakes.acquire()
        if self._is_over:
            raise SystemExit

    def run_until(self, end_s: float, *, is_done: Callable[[], bool] = lambda: False) -> None:
        """
        Let everything happen that is due until then, or until something is done.
        """
        while self._calendar and self._calendar[0][0] <= end_s and not is_done():
            at_s, _, do = heapq.heappop(self._calendar)
            self._move_to(at_s)
            do()
            if self._failure is not None:
                raise self._failure
        if not is_done():
            self._move_to(end_s)

    def _move_to(self, at_s: float) -> None:
        if at_s > self.now_s:
            self.now_s = at_s
            self._tell(at_s)

    def _await(self) -> None:
        if not self._stands_still.acquire(timeout=_LIMIT_S):
            raise RuntimeError(f"nothing happened for {_LIMIT_S:.0f} s of real time")
