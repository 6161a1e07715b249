"""
The journal: every event that was taken in lately, in order, for those who follow a stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """
    One event of the journal.

    Attributes:
        entry_id: `milliseconds-number` by Redis's clock; entries come in the order of their ids.
        payload: the event's bytes as they came.
        recorded_at_ms: Kafka's timestamp of the record, milliseconds since the epoch.
    """

    entry_id: str
    event_id: str
    payload: bytes
    recorded_at_ms: int


class Journal(Protocol):
    """
    A window over the events that were taken in while somebody wanted them, bounded by bytes: the oldest leave.
    """

    def read(self, after: str, most: int) -> Sequence[JournalEntry]:
        """
        Read the entries that come after the id `after`, oldest first, at most `most` of them. `0-0` is before all.
        """
        ...

    def end(self) -> str:
        """
        The id of the newest entry that there ever was; `0-0` without any.
        """
        ...

    def has_all_after(self, entry_id: str) -> bool:
        """
        Tell whether everything that was taken in after this entry is still there: False when entries after it left, or
        when the journal was not kept all the time since.
        """
        ...

    def clear(self) -> None:
        """
        Remove every entry: nobody has followed a stream for long. `has_all_after` is False from then on for older ids.
        """
        ...
