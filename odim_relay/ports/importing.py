"""
Which events were imported, so that none is imported twice.
"""

from collections.abc import Collection, Sequence
from typing import Protocol


class ImportedEvents(Protocol):
    """
    The ids of events that were imported, kept for as long as an event may be kept at all.
    """

    def among(self, event_ids: Sequence[str]) -> Collection[str]:
        """
        Tell which of these were imported.
        """
        ...

    def note(self, event_ids: Sequence[str]) -> None:
        """
        Keep these from now on, again those that are kept already.
        """
        ...
