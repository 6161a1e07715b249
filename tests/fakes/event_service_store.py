"""
What the EventService says for all, in memory.
"""

from collections.abc import Callable

from odim_relay.domain.event_service import EventServiceSettings
from tests.fakes.journal import InMemoryJournal
from tests.fakes.ledger_state import LedgerState


class InMemoryEventServiceStore:
    """
    `EventServiceStore`.
    """

    def __init__(self, state: LedgerState, journal: InMemoryJournal | None = None) -> None:
        self.state = state
        self._journal = journal or InMemoryJournal(state=state)

    def read(self) -> EventServiceSettings:
        return self.state.settings

    def update(self, change: Callable[[EventServiceSettings], EventServiceSettings]) -> EventServiceSettings:
        while True:
            found = self.state.settings
            changed = change(found)
            if self.state.settings is found:
                break
        if changed != found:
            self.state.settings = changed
            self.state.next_generation()
        if changed.keeps_journal and not found.keeps_journal:
            self._journal.begin()
        return changed
