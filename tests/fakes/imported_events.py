"""
Which events were imported, in memory.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from odim_relay.errors import TransientError


class InMemoryImportedEvents:
    """
    `ImportedEvents`. While `is_down`, nothing can be noted.

    Attributes:
        noted: how often each was.
    """

    def __init__(self) -> None:
        self.noted: Counter[str] = Counter()
        self.is_down = False

    def among(self, event_ids: Sequence[str]) -> Collection[str]:
        return set(event_ids) & self.noted.keys()

    def note(self, event_ids: Sequence[str]) -> None:
        if self.is_down:
            raise TransientError("the store is down")
        self.noted.update(event_ids)
