"""
ODIM's tables, taken over: its subscriptions and its inventory stand in our own store, so that the last good view of
them serves on while ODIM's Redis is away.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from odim_relay.domain.keeper import Keeper
from odim_relay.formats.odim_tables import OdimView, read_tables
from odim_relay.ports import InventoryChange, InventoryContent, InventoryStore, OdimStore, OdimTables
from odim_relay.telemetry import logger
from odim_relay.use_cases.absences import Absences
from odim_relay.use_cases.mirrored_subscriptions import MirroredSubscriptions

log = logger(__name__)

T = TypeVar("T")

GRACE_S = 60.0
"""
Until a source or an aggregate that is missing counts as gone. That it is known for too long does no harm: what is gone
sends nothing.
"""
_TELL_MOST = 20
_EXPECTED = frozenset({"default_subscription"})


class Mirror:
    """
    Takes ODIM's tables over, one pass after the other. For one thread.
    """

    def __init__(
        self,
        *,
        odim: OdimStore,
        inventory: InventoryStore,
        subscriptions: MirroredSubscriptions,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._odim = odim
        self._inventory = inventory
        self._subscriptions = subscriptions
        self._monotonic_s = monotonic_s
        self._sources = Absences(GRACE_S, grace_for_many_s=GRACE_S)
        self._aggregates = Absences(GRACE_S, grace_for_many_s=GRACE_S)
        self._version = -1
        self._content = InventoryContent()
        self._told: set[int] = set()
        self._settled: tuple[int, int, int] | None = None
        self._report = ""

    def read(self) -> float | None:
        """
        Read all tables and write what is different here; where nothing has changed on either side since they were the
        same, that is all. Of what cannot be used, each is logged once, and all is
        counted in what `InventoryStore.last_reading` tells.

        Returns:
            when to read again at the latest, by the clock of the arguments, because something is missing that may only
            be being rewritten; None when nothing is.

        Raises:
            TransientError: one of the stores cannot be reached; what is written is right, and the rest is as it was.
        """
        tables = self._odim.read()
        now_s = self._monotonic_s()
        standing = (_digest(tables), self._inventory.version(), self._subscriptions.generation())
        if standing == self._settled:
            self._inventory.note_reading(self._report)
            return None
        self._refresh()
        view = read_tables(
            subscriptions=tables.subscriptions,
            devices=tables.devices,
            aggregate_hosts=tables.aggregate_hosts,
            aggregates=tables.aggregates,
            known_sources=self._content.sources,
        )
        refused = self._subscriptions.take(view.subscriptions, now_s)
        view = replace(view, flaws=(*view.flaws, *refused))
        self._take_inventory(view, now_s)
        self._tell(view)
        self._report = _report(tables, view)
        self._inventory.note_reading(self._report)
        dues = (self._sources.due_at_s, self._aggregates.due_at_s, self._subscriptions.due_at_s)
        due_at_s = min((due for due in dues if due is not None), default=None)
        # What was just written has other versions: then all is compared once more, and found to be the same.
        self._settled = standing if due_at_s is None else None
        return due_at_s

    def forget_absences(self) -> None:
        """
        Say that the tables were not looked at for a while: what was missing may have been there.
        """
        self._sources.forget()
        self._aggregates.forget()
        self._subscriptions.forget_absences()

    def _refresh(self) -> None:
        version = self._inventory.version()
        if version != self._version:
            # Read after its version: what is younger is read again.
            self._content = self._inventory.content(Keeper.ODIM)
            self._version = version

    def _take_inventory(self, view: OdimView, now_s: float) -> None:
        change = InventoryChange(
            sources=_change(self._content.sources, view.sources, self._sources, now_s),
            aggregates=_change(self._content.aggregates, view.aggregates, self._aggregates, now_s),
        )
        if change.sources or change.aggregates:
            self._inventory.change(Keeper.ODIM, change)
            log.info("odim.inventory_changed", source_count=len(change.sources), aggregate_count=len(change.aggregates))

    def _tell(self, view: OdimView) -> None:
        lines = [("odim.row_skipped", flaw.reason, flaw.detail) for flaw in view.flaws if flaw.reason not in _EXPECTED]
        lines += [
            ("odim.row_differs", "difference", f"{row.odim_id[:80]}: {difference}")
            for row in view.subscriptions.values()
            for difference in row.differences
        ]
        fresh = [line for line in lines if hash(line) not in self._told]
        for event, reason, detail in fresh[:_TELL_MOST]:
            log.warning(event, reason=reason, detail=detail)
        if len(fresh) > _TELL_MOST:
            log.warning("odim.more_rows_skipped", count=len(fresh) - _TELL_MOST)
        # Of those only that are there: one that is mended and broken again is told again.
        self._told = {hash(line) for line in lines}


def _change(stands: Mapping[str, T], wanted: Mapping[str, T], absences: Absences, now_s: float) -> dict[str, T | None]:
    missing = stands.keys() - wanted.keys()
    gone = absences.gone(missing, known_count=len(wanted) + len(missing), now_s=now_s)
    change: dict[str, T | None] = {name: value for name, value in wanted.items() if stands.get(name) != value}
    return change | dict.fromkeys(gone)


def _digest(tables: OdimTables) -> int:
    """
    Equal for equal tables, in this process.
    """
    listed = (tables.subscriptions, tables.devices, tables.aggregate_hosts)
    return hash((*(frozenset(members) for members in listed), frozenset(tables.aggregates.items())))


def _report(tables: OdimTables, view: OdimView) -> str:
    rows = {
        "subscriptions": len(tables.subscriptions),
        "devices": len(tables.devices),
        "aggregate_hosts": len(tables.aggregate_hosts),
        "aggregates": len(tables.aggregates),
    }
    return json.dumps({"rows": rows, "skipped": view.skipped})
