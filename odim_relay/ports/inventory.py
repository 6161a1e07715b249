"""
Where sources and aggregates are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from odim_relay.domain.inventory import Inventory
from odim_relay.domain.keeper import Keeper


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


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryChange:
    """
    What is put in or replaced, and with None what is taken out.
    """

    sources: Mapping[str, str | None] = field(default_factory=dict)
    aggregates: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)


class InventoryStore(Protocol):
    """
    Where sources and aggregates are kept. Each change raises the generation of the subscriptions, so that whatever is
    taken in after it is matched by it.
    """

    def version(self) -> int:
        """
        Read the number of the last change of any keeper; 0 before the first.
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

    def change(self, keeper: Keeper, change: InventoryChange) -> None:
        """
        Change what one keeper has said, all of it at once: nobody reads a part of the change.
        """
        ...

    def replace(self, keeper: Keeper, content: InventoryContent) -> None:
        """
        Replace everything that one keeper has said, at once, however much it is.
        """
        ...

    def has_been_read(self) -> bool:
        """
        Tell whether ODIM's tables were ever taken over, so that their being empty means something.
        """
        ...

    def note_reading(self, report: str) -> None:
        """
        Keep what the last reading of ODIM's tables found, a JSON document, with its time.
        """
        ...

    def last_reading(self) -> tuple[int, str] | None:
        """
        Read it: when, in milliseconds since the epoch, and the document. None when there was none.
        """
        ...
