"""
The quarantine, for those who empty it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from odim_relay.ports.intake import IngestBatch
from odim_relay.ports.tasks import TaskTicket


class ReplayRefusal(StrEnum):
    """
    Why nothing of a replay was written.
    """

    ENTRY_GONE = "entry"
    GENERATION = "generation"


class QuarantineLedger(Protocol):
    """
    Takes records out of quarantine.
    """

    def replay(self, entry_id: str, batch: IngestBatch) -> Sequence[TaskTicket] | ReplayRefusal:
        """
        Write what became of an entry's record and remove the entry, at once or not at all.

        Args:
            batch: of this one record, however many deliveries that makes; its positions count for nothing.

        Returns:
            a ticket for each delivery that is to be published now; or the refusal: the entry is not there any more, or
            the subscriptions changed since the match.

        Raises:
            TransientError: also when the ledger is full.
        """
        ...

    def discard(self, entry_ids: Sequence[str]) -> int:
        """
        Remove entries for good; tells how many there were.
        """
        ...
