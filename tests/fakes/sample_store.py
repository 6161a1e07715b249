"""
Samples in memory.
"""

from collections import deque
from collections.abc import Sequence

from odim_relay.domain.sample import Sample
from odim_relay.ports.samples import MOST_SAMPLES


class InMemorySampleStore:
    """
    `SampleStore`.
    """

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=MOST_SAMPLES)

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)

    def last(self, count: int) -> Sequence[Sample]:
        return list(self._samples)[-count:]
