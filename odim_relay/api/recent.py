"""
Answers that take long, and may be a little old.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

_IMPATIENCE_S = 0.05


class Recent(Generic[T]):
    """
    Asks in a thread of its own, one at a time, and tells the last answer. Threads may share it.
    """

    def __init__(self, ask: Callable[[], T], *, max_age_s: float, patience_s: float) -> None:
        """
        Args:
            max_age_s: an answer that is older is asked for anew.
            patience_s: how long a caller waits for that; then it gets the last one. Who waited in vain
                has waited for all: until there is an answer again nobody waits long.
        """
        self._ask = ask
        self._max_age_s = max_age_s
        self._patience_s = patience_s
        self._lock = Lock()
        self._last: T | None = None
        self._is_in_vain = False
        self._asked_at_s = float("-inf")
        self._under_way: Future[T] | None = None

    def __call__(self) -> T | None:
        """
        The last answer; None when there was none yet, or the last try failed.
        """
        under_way, is_in_vain = self.begin(), self._is_in_vain
        if under_way is not None:
            wait([under_way], min(self._patience_s, _IMPATIENCE_S) if is_in_vain else self._patience_s)
            self._is_in_vain = not under_way.done() or under_way.result() is None
        with self._lock:
            return self._last

    def begin(self) -> Future[T] | None:
        """
        Ask, if the last answer is too old; for who has something else to do meanwhile.
        """
        with self._lock:
            if self._under_way is None and time.monotonic() - self._asked_at_s >= self._max_age_s:
                self._under_way = self._begin()
            return self._under_way

    def _begin(self) -> Future[T]:
        answer: Future[T] = Future()

        def ask() -> None:
            found: T | None = None
            try:
                found = self._ask()
            except Exception:  # noqa: BLE001 - no answer
                found = None
            with self._lock:
                self._last = found
                self._asked_at_s = time.monotonic()
                self._under_way = None
            answer.set_result(found)  # type: ignore[arg-type] # whoever waits reads `_last`

        # Not of a pool: the interpreter would wait for its threads at the end of the process.
        Thread(target=ask, name="recent", daemon=True).start()
        return answer
