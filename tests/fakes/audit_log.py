"""
The audit log in memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from odim_relay.ports import Action, AuditEntry, AuditSelection, Deed


@dataclass(kw_only=True)
class InMemoryAuditLog:
    """
    `AuditLog` and `AuditListing`.
    """

    most: int = 1_000
    retention_ms: int = 86_400_000
    now_ms: Callable[[], int] = lambda: 1_000_000
    kept: list[AuditEntry] = field(default_factory=list)
    noted_count: int = 0

    @property
    def deeds(self) -> list[Deed]:
        """
        Oldest first.
        """
        return [entry.deed for entry in self.kept]

    def note(self, deed: Deed) -> None:
        now_ms = self.now_ms()
        self.noted_count += 1
        self.kept.append(AuditEntry(entry_id=f"{now_ms}-{self.noted_count}", noted_at_ms=now_ms, deed=deed))
        young = [entry for entry in self.kept if entry.noted_at_ms >= now_ms - self.retention_ms]
        refused = [entry for entry in young if entry.deed.action is Action.LOG_IN_REFUSED]
        others = [entry for entry in young if entry.deed.action is not Action.LOG_IN_REFUSED]
        stay = {entry.entry_id for entry in [*refused[-self.most :], *others[-self.most :]]}
        self.kept = [entry for entry in young if entry.entry_id in stay]

    def entries(self, selection: AuditSelection = AuditSelection()) -> Iterator[AuditEntry]:  # noqa: B008 - it is immutable
        return (entry for entry in reversed(list(self.kept)) if selection.wants(entry))
