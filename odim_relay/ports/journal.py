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

        Raises:
            ValueError: `after` has not the form of an id.
        """
        ...

    def end(self) -> str:
        """
        The id that everything comes after that is taken in from now on: of the newest entry that there ever was, or
        of the moment at which the journal was begun after that. `0-0` when it never was.
        """
        ...

    def has_all_after(self, entry_id: str) -> bool:
        """
        Tell whether everything that was taken in after this entry is still there: False when entries after it left,
        when the journal was not kept all the time since, or when there never was such an entry, as far as the store
        knows: it may have lost its last writes. Any text may be asked for; what `end` gave counts as an entry.
        """
        ...

    def clear(self) -> None:
        """
        Remove every entry: nobody has followed a stream for long. `has_all_after` is False from then on for older ids.
        """
        ...

    def mark_used(self) -> None:
        """
        Tell that somebody follows the journal now.
        """
        ...

    def idle_s(self) -> float:
        """
        Tell for how long nobody has said so, since the journal was begun; infinite when it never was. In seconds.
        """
        ...
