"""
Where sources and aggregates are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from odim_relay.domain.inventory import Inventory
from odim_relay.domain.keeper import Keeper

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryContent:
    """
    What one keeper has said.

    Attributes:
        sources: URI of what it is, by address as `address_key` spells it.
        aggregates: URIs of the elements, by the URI of the aggregate.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    aggregates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def changed(self, change: "InventoryChange") -> "InventoryContent":
        """
        What it is after `change`.
        """
        return InventoryContent(
            sources=_changed(self.sources, change.sources), aggregates=_changed(self.aggregates, change.aggregates)
        )

    def changes_to(self, wanted: "InventoryContent") -> "InventoryChange":
        """
        The smallest change that makes it `wanted`.
        """
        return InventoryChange(
            sources=_difference(self.sources, wanted.sources),
            aggregates=_difference(self.aggregates, wanted.aggregates),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryChange:
    """
    What is put in or replaced, and with None what is taken out.
    """

    sources: Mapping[str, str | None] = field(default_factory=dict)
    aggregates: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)


def _changed(stands: Mapping[str, T], change: Mapping[str, T | None]) -> dict[str, T]:
    return {name: value for name, value in {**stands, **change}.items() if value is not None}


def _difference(stands: Mapping[str, T], wanted: Mapping[str, T]) -> dict[str, T | None]:
    gone: dict[str, T | None] = dict.fromkeys(stands.keys() - wanted.keys())
    return gone | {name: value for name, value in wanted.items() if stands.get(name) != value}


class InventoryStore(Protocol):
    """
    Where sources and aggregates are kept. Each change raises the generation of the subscriptions, so that whatever is
    taken in after it is matched by it; what makes no difference raises nothing.
    """

    def version(self) -> int:
        """
        Read the number of the last change of any keeper; 0 before the first. None is given twice, also where the last
        changes were lost.
        """
        ...

    def read(self) -> tuple[int, Inventory]:
        """
        Read everything, with its version. Of two keepers' entries for one address or aggregate, our own counts.
        """
        ...

    def content(self, keeper: Keeper) -> InventoryContent:
        """
        Read what one keeper has said.
        """
        ...

    def counts(self) -> Mapping[Keeper, tuple[int, int]]:
        """
        Count what each keeper has said: sources, aggregates.
        """
        ...

    def change(self, keeper: Keeper, change: InventoryChange) -> None:
        """
        Change what one keeper has said, all of it at once: nobody reads a part of the change. Where a name is not there
        to be taken out, nothing is.
        """
        ...

    def replace(self, keeper: Keeper, content: InventoryContent) -> None:
        """
        Replace everything that one keeper has said, at once, however much it is.
        """
        ...

    def has_been_read(self) -> bool:
        """
        Tell whether ODIM's tables were ever read, so that their being empty means something.
        """
        ...

    def note_reading(self, report: str) -> None:
        """
        Keep what the last reading of ODIM's tables found, with its time.

        Args:
            report: JSON object: `rows`, how many were read, by table; `skipped`, how many cannot be used, by reason, a
                short constant name.
        """
        ...

    def last_reading(self) -> tuple[int, str] | None:
        """
        Read it: when, in milliseconds since the epoch, and the document. None when there was none.
        """
        ...
