"""
The journal in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from odim_relay.ports import JournalEntry, NewEvent
from tests.fakes.ledger_state import LedgerState


@dataclass(kw_only=True)
class InMemoryJournal:
    """
    `Journal`, and how the ledger's fakes write it.
    """

    state: LedgerState
    most_bytes: int = 1_000_000
    entries: list[JournalEntry] = field(default_factory=list)
    since: str = ""
    left: str = ""
    newest: str = "0-0"
    used_at_ms: int | None = None

    def read(self, after: str, most: int) -> Sequence[JournalEntry]:
        bound = _order(after)
        return [entry for entry in self.entries if _order(entry.entry_id) > bound][:most]

    def end(self) -> str:
        return self.newest

    def has_all_after(self, entry_id: str) -> bool:
        bounds = [bound for bound in (self.since, self.left) if bound]
        if entry_id not in [*bounds, *(entry.entry_id for entry in self.entries)]:
            return False
        return self.state.settings.keeps_journal and all(_order(entry_id) >= _order(bound) for bound in bounds)

    def clear(self) -> None:
        self.entries.clear()
        self.left = self.newest

    def mark_used(self) -> None:
        self.used_at_ms = self.state.now_ms()

    def idle_s(self) -> float:
        return float("inf") if self.used_at_ms is None else (self.state.now_ms() - self.used_at_ms) / 1000

    def begin(self) -> None:
        self.since = self._next_id()
        self.mark_used()

    def keep(self, event: NewEvent) -> None:
        self.entries.append(
            JournalEntry(
                entry_id=self._next_id(),
                event_id=event.event_id,
                payload=event.payload,
                recorded_at_ms=event.recorded_at_ms,
            )
        )
        while sum(len(entry.payload) for entry in self.entries) > self.most_bytes:
            self.left = self.entries.pop(0).entry_id

    def _next_id(self) -> str:
        ms, number = _order(self.newest)
        self.newest = f"{ms}-{number + 1}" if self.state.now_ms() <= ms else f"{self.state.now_ms()}-0"
        return self.newest


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)
