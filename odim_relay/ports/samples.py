"""
Samples of how everything stands, for plots over time.
"""

from collections.abc import Sequence
from typing import Protocol

from odim_relay.domain.sample import Sample

MOST_SAMPLES = 8_640
"""
Of a day, at one each 10 s.
"""


class SampleStore(Protocol):
    """
    The samples of the last day: a window that all processes share. An observation, and no part of the ledger.
    """

    def add(self, sample: Sample) -> None:
        """
        Keep one more; beyond `MOST_SAMPLES` the oldest leaves.
        """
        ...

    def last(self, count: int) -> Sequence[Sample]:
        """
        Read so many of the newest, in the order in which they were added.

        Args:
            count: at least 1.
        """
        ...
