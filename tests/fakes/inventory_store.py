"""
Sources and aggregates in memory.
"""

from collections.abc import Mapping

from odim_relay.domain.inventory import Aggregate, Inventory, Source
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import InventoryChange, InventoryContent
from tests.fakes.ledger_state import LedgerState


class InMemoryInventoryStore:
    """
    `InventoryStore`.
    """

    def __init__(self, state: LedgerState) -> None:
        self.state = state

    def version(self) -> int:
        return self.state.inventory_version

    def read(self) -> tuple[int, Inventory]:
        told = [self.content(keeper) for keeper in (Keeper.ODIM, Keeper.OWN)]
        return self.version(), Inventory.of(
            [Source(address=address, origin=origin) for one in told for address, origin in one.sources.items()],
            [Aggregate(uri=uri, elements=elements) for one in told for uri, elements in one.aggregates.items()],
        )

    def content(self, keeper: Keeper) -> InventoryContent:
        return self.state.inventory.get(keeper, InventoryContent())

    def counts(self) -> Mapping[Keeper, tuple[int, int]]:
        told = {keeper: self.content(keeper) for keeper in Keeper}
        return {keeper: (len(one.sources), len(one.aggregates)) for keeper, one in told.items()}

    def change(self, keeper: Keeper, change: InventoryChange) -> None:
        self.replace(keeper, self.content(keeper).changed(change))

    def replace(self, keeper: Keeper, content: InventoryContent) -> None:
        if content == self.content(keeper):
            return
        self.state.inventory[keeper] = content
        self.state.next_generation()
        self.state.inventory_version = self.state.generation

    def has_been_read(self) -> bool:
        return self.state.reading is not None

    def note_reading(self, report: str) -> None:
        self.state.reading = (self.state.now_ms(), report)

    def last_reading(self) -> tuple[int, str] | None:
        return self.state.reading
