"""
Waiting for something to become true, without guessing how long it takes.
"""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05


def wait_until(condition: Callable[[], Value], *, timeout_s: float, what: str) -> Value:
    """
    Ask `condition` until its answer is true, and return that answer.

    Args:
        what: is awaited, in words: "10 requests at /hook".

    Raises:
        AssertionError: it was not true within `timeout_s`; tells `what` and the last answer.
    """
    give_up_at = time.monotonic() + timeout_s
    pause_s = _FIRST_PAUSE_S
    while True:
        # Read before asking: a condition that is slow to answer is asked once more after the time is up.
        is_last = time.monotonic() >= give_up_at
        value = condition()
        if value:
            return value
        if is_last:
            raise AssertionError(f"waited {timeout_s:g} s for {what}; the last answer was {value!r}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
