"""
Events of our own, into the ledger in memory.
"""

from collections.abc import Sequence
from dataclasses import replace

from odim_relay.ports import Aftermath, NewDelivery, NewEvent, Telling, TellRefusal
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

    def tell(
        self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int, telling: Telling
    ) -> Aftermath | TellRefusal:
        state, change = self._ingest.state, telling.change
        if change.number not in state.untold or state.untold[change.number].after != change.after:
            return TellRefusal.TOLD
        aftermath = self.announce(event, deliveries, generation)
        if aftermath is None:
            return TellRefusal.GENERATION
        if telling.reached:
            state.untold[change.number] = replace(change, after=telling.reached)
            return aftermath
        for number in (change.number, *telling.along):
            state.untold.pop(number, None)
        state.told_lately[change.topic] += 1
        return aftermath
