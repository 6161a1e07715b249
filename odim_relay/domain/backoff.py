"""
How long to wait before the next attempt (ledger rule L24).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

_GOLDEN_RATIO = 0.618_033_988_749_894_9


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """
    A growing wait with a ceiling. Times in seconds.

    Attributes:
        interval_s: before the first retry.
        factor: each further wait is this many times the one before.
        max_interval_s: no wait is longer, before jitter.
        jitter: share by which a wait may be shorter or longer, 0 to 1.
    """

    interval_s: float = 15.0
    factor: float = 3.0
    max_interval_s: float = 900.0
    jitter: float = 0.2

    def wait_s(self, retry: int, draw: float) -> float:
        """
        Return the wait before retry number `retry` (from 1).

        Args:
            draw: a random number in [0, 1), from the caller; 0.5 is the schedule without jitter.
        """
        # Bounded so that a large retry number cannot overflow; any factor above 1 is at its ceiling long before.
        bare = min(self.max_interval_s, self.interval_s * self.factor ** min(retry - 1, 64))
        return bare * (1 + self.jitter * (2 * draw - 1))


def even_draws(start: float) -> Callable[[], float]:
    """
    Make numbers in [0, 1) that fill it evenly, however many are drawn. Threads may share them.

    Random ones lie closer together here and there: of a thousand retries that they spread over 24 s, some second gets
    6 %. The multiples of the golden ratio, without their whole parts, never leave a gap much wider than the others.

    Args:
        start: a random number in [0, 1): what makes one process's numbers others than another's.
    """
    numbers = count()
    return lambda: (start + next(numbers) * _GOLDEN_RATIO) % 1.0
