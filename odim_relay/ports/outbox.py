"""
Changes of the relay itself, from the moment they are made until they are told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from odim_relay.domain.notices import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """
    The part of a change's readers that an event goes to.

    Attributes:
        change: as it was read.
        reached: id of the last subscription that it goes to; empty when that is all of them.
        along: numbers of the changes that it stands for too.
    """

    change: Change
    reached: str = ""
    along: tuple[int, ...] = ()


class TellRefusal(StrEnum):
    """
    Why nothing was written: somebody else told the change, or some of its readers, meanwhile; or the subscriptions
    changed since the match.
    """

    TOLD = "entry"
    GENERATION = "generation"


class NoticeOutbox(Protocol):
    """
    What changed and is not told yet. The ledger writes it, in the operation that makes the change; the event that tells
    a change takes it out (`AnnouncingLedger.tell`). Bounded: of very many that nobody tells the oldest leave, counted.
    """

    def pending(self) -> Sequence[Change]:
        """
        Read them, oldest first. What a newer version wrote is passed over, and stays.
        """
        ...

    def logged(self) -> int:
        """
        The number up to which changes were logged; 0 for none.
        """
        ...

    def note_logged(self, number: int) -> None:
        """
        Note that all up to this one were. A number that is lower than the one that is known changes nothing.
        """
        ...

    def told_lately(self, topics: Sequence[str]) -> Sequence[int]:
        """
        How many changes of each topic were told by events in the spell that runs. One begins with an event, and lasts
        `domain.notices.SPELL_S`.
        """
        ...

    def forget(self, numbers: Sequence[int]) -> None:
        """
        Take changes out that are told to nobody; what is not there is passed over.
        """
        ...
