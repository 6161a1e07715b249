"""
Events of our own, into the ledger in memory.
"""

from collections.abc import Sequence

from odim_relay.ports import Aftermath, NewDelivery, NewEvent
from tests.fakes.ingest_ledger import InMemoryIngestLedger


class InMemoryAnnouncingLedger:
    """
    `AnnouncingLedger`.
    """

    def __init__(self, ingest: InMemoryIngestLedger) -> None:
        self._ingest = ingest

    def announce(self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int) -> Aftermath | None:
        if self._ingest.state.generation != generation:
            return None
        self._ingest.state.count("events_announced")
        return Aftermath(tickets=self._ingest.write([event], deliveries))
