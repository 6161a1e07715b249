"""
Sources and aggregates that people tell odim-relay of.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from odim_relay.domain.inventory_entries import Fault
from odim_relay.domain.keeper import Keeper
from odim_relay.errors import PermanentError
from odim_relay.ports import Action, InventoryChange, InventoryContent, InventoryStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import NOT_KEPT, Audit

log = logger(__name__)

T = TypeVar("T")


class WrongEntryError(PermanentError):
    """
    A source or an aggregate cannot be as it is; nothing was stored.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def checked(entry: T | Fault) -> T:
    """
    What was read.

    Raises:
        WrongEntryError: it cannot be.
    """
    if isinstance(entry, Fault):
        raise WrongEntryError(entry)
    return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[T]):
    """
    One source or aggregate, and who keeps it.

    Attributes:
        name: address, or URI of the aggregate.
        value: URI of what stands at the address, or those of the elements.
        is_overridden: our own entry of the same name counts instead.
    """

    name: str
    value: T
    keeper: Keeper
    is_overridden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """
    What storing came to, or would: how many entries.
    """

    added_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    removed_count: int = 0

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(
            added_count=self.added_count + other.added_count,
            changed_count=self.changed_count + other.changed_count,
            unchanged_count=self.unchanged_count + other.unchanged_count,
            removed_count=self.removed_count + other.removed_count,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """
    What became of names that were to be removed, each in the order it was given.

    Attributes:
        odims: were left: ODIM keeps them.
        missing: were not there.
    """

    removed: tuple[str, ...] = ()
    odims: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Sources:
    """
    Our own sources and aggregates, for the command line and the API alike. Whatever is stored counts for every event
    that is taken in from then on.
    """

    def __init__(self, store: InventoryStore, *, audit: Audit = NOT_KEPT) -> None:
        self._audit = audit
        self._store = store

    def put(self, content: InventoryContent, *, replaces: bool = False, dry_run: bool = False) -> Changes:
        """
        Store these beside our own, or instead of them; all at once, and nothing where nothing would change.

        Args:
            replaces: what is not among them is removed.
            dry_run: store nothing, and tell what would be.
        """
        own = self._store.content(Keeper.OWN)
        new_sources, of_sources = _difference(own.sources, content.sources, replaces=replaces)
        new_aggregates, of_aggregates = _difference(own.aggregates, content.aggregates, replaces=replaces)
        changes = of_sources + of_aggregates
        if not dry_run:
            self._change(InventoryChange(sources=new_sources, aggregates=new_aggregates), changes)
        return changes

    def remove_sources(self, addresses: Iterable[str]) -> Removal:
        """
        Remove these of our own sources, as `address_key` spells them. What ODIM keeps stays.
        """
        own, odims = self._store.content(Keeper.OWN).sources, self._store.content(Keeper.ODIM).sources
        removal = _removal(addresses, own, odims)
        gone = dict.fromkeys(removal.removed)
        self._change(InventoryChange(sources=gone), Changes(removed_count=len(gone)))
        return removal

    def remove_aggregates(self, uris: Iterable[str]) -> Removal:
        """
        The same for aggregates, by their URIs.
        """
        own, odims = self._store.content(Keeper.OWN).aggregates, self._store.content(Keeper.ODIM).aggregates
        removal = _removal(uris, own, odims)
        gone = dict.fromkeys(removal.removed)
        self._change(InventoryChange(aggregates=gone), Changes(removed_count=len(gone)))
        return removal

    def _change(self, change: InventoryChange, changes: Changes) -> None:
        if not (change.sources or change.aggregates):
            return
        with self._audit(Action.SOURCES_CHANGED) as note:
            self._store.change(Keeper.OWN, change)
            note.add(changes.added_count + changes.changed_count + changes.removed_count)
            note.detail = (
                f"{changes.added_count} added, {changes.changed_count} changed, {changes.removed_count} removed"
            )
        log.info(
            "inventory.changed",
            added=changes.added_count,
            changed=changes.changed_count,
            removed=changes.removed_count,
        )

    def sources(self) -> list[Kept[str]]:
        """
        All sources of both keepers, by address; of two of one address our own comes first.
        """
        return _kept(self._store.content(Keeper.OWN).sources, self._store.content(Keeper.ODIM).sources)

    def aggregates(self) -> list[Kept[tuple[str, ...]]]:
        """
        All aggregates of both keepers, by URI; of two of one URI our own comes first.
        """
        return _kept(self._store.content(Keeper.OWN).aggregates, self._store.content(Keeper.ODIM).aggregates)

    def last_reading(self) -> tuple[int, str] | None:
        """
        When ODIM's tables were read last, and what was found: see `InventoryStore.last_reading`.
        """
        return self._store.last_reading()


def _difference(
    old: Mapping[str, T], wanted: Mapping[str, T], *, replaces: bool
) -> tuple[dict[str, T | None], Changes]:
    new: dict[str, T | None] = {name: value for name, value in wanted.items() if old.get(name) != value}
    gone = dict.fromkeys(old.keys() - wanted.keys()) if replaces else {}
    changes = Changes(
        added_count=len(new.keys() - old.keys()),
        changed_count=len(new.keys() & old.keys()),
        unchanged_count=len(wanted) - len(new),
        removed_count=len(gone),
    )
    return {**new, **gone}, changes


def _removal(names: Iterable[str], own: Mapping[str, object], odims: Mapping[str, object]) -> Removal:
    once = tuple(dict.fromkeys(names))
    return Removal(
        removed=tuple(name for name in once if name in own),
        odims=tuple(name for name in once if name not in own and name in odims),
        missing=tuple(name for name in once if name not in own and name not in odims),
    )


def _kept(own: Mapping[str, T], odims: Mapping[str, T]) -> list[Kept[T]]:
    found = [Kept(name=name, value=value, keeper=Keeper.OWN) for name, value in own.items()]
    found += [
        Kept(name=name, value=value, keeper=Keeper.ODIM, is_overridden=name in own) for name, value in odims.items()
    ]
    return sorted(found, key=lambda one: (one.name, one.is_overridden))
