"""
How long to wait before the next attempt (ledger rule L24).
"""

from dataclasses import dataclass


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
