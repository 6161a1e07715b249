"""
What the port to the inventory promises, kept by Redis and by memory alike.
"""

from collections.abc import Callable

import pytest

from odim_relay.domain.inventory import EMPTY
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import InventoryChange, InventoryContent, InventoryStore
from tests.conformance.ledgers import Ledger
from tests.fakes.samples import subscription

MACHINE, OTHER, DRIVE = (
    "/redfish/v1/Systems/a.1",
    "/redfish/v1/Systems/b.1",
    "/redfish/v1/Systems/a.1/Storage/1/Drives/1",
)
RACK, ROOM = "/redfish/v1/AggregationService/Aggregates/rack", "/redfish/v1/AggregationService/Aggregates/room"
TOLD = InventoryContent(
    sources={"10.0.0.1": MACHINE, "bmc-ü.example": OTHER}, aggregates={RACK: (MACHINE, DRIVE), ROOM: ()}
)
MANY = 12_000
"""
More than one script writes.
"""


@pytest.fixture
def store(ledger: Ledger) -> InventoryStore:
    return ledger.inventory


def many(of: str = MACHINE, count: int = MANY) -> dict[str, str]:
    return {f"10.0.{number // 256}.{number % 256}": of for number in range(count)}


def test_at_first_nothing_is_known(store: InventoryStore) -> None:
    assert store.version() == 0
    assert store.read() == (0, EMPTY)
    assert store.content(Keeper.OWN) == store.content(Keeper.ODIM) == InventoryContent()
    assert store.counts() == {Keeper.OWN: (0, 0), Keeper.ODIM: (0, 0)}


def test_what_a_keeper_says_comes_back_as_it_was_said(store: InventoryStore) -> None:
    store.replace(Keeper.ODIM, TOLD)

    assert store.content(Keeper.ODIM) == TOLD
    assert store.content(Keeper.OWN) == InventoryContent()
    assert store.counts() == {Keeper.OWN: (0, 0), Keeper.ODIM: (2, 2)}


def test_it_is_read_as_one_inventory_with_its_version(store: InventoryStore) -> None:
    store.replace(Keeper.ODIM, TOLD)

    version, inventory = store.read()

    assert version == store.version() > 0
    assert inventory.origin_of("10.0.0.1:443") == MACHINE
    assert dict(inventory.aggregates) == {MACHINE: (RACK,), DRIVE: (RACK,)}


def test_of_two_keepers_our_own_counts(store: InventoryStore) -> None:
    store.replace(Keeper.OWN, InventoryContent(sources={"10.0.0.1": OTHER}, aggregates={RACK: (OTHER,)}))
    store.replace(Keeper.ODIM, TOLD)

    _, inventory = store.read()

    assert inventory.origin_of("10.0.0.1") == OTHER
    assert dict(inventory.aggregates) == {OTHER: (RACK,)}
    assert store.content(Keeper.ODIM) == TOLD


def test_a_change_puts_in_replaces_and_takes_out(store: InventoryStore) -> None:
    store.replace(Keeper.OWN, TOLD)

    store.change(
        Keeper.OWN,
        InventoryChange(
            sources={"10.0.0.1": None, "10.0.0.2": MACHINE, "bmc-ü.example": MACHINE, "unknown": None},
            aggregates={RACK: (DRIVE,), ROOM: None},
        ),
    )

    assert store.content(Keeper.OWN) == InventoryContent(
        sources={"10.0.0.2": MACHINE, "bmc-ü.example": MACHINE}, aggregates={RACK: (DRIVE,)}
    )


@pytest.mark.parametrize("of", [Keeper.OWN, Keeper.ODIM])
def test_each_change_raises_the_version_and_the_generation_of_the_subscriptions(ledger: Ledger, of: Keeper) -> None:
    ledger.subscriptions.save(one := subscription("a"))
    store, before = ledger.inventory, ledger.subscriptions.generation()
    changes: tuple[Callable[[], None], ...] = (
        lambda: store.replace(of, TOLD),
        lambda: store.change(of, InventoryChange(sources={"10.0.0.1": OTHER})),
        lambda: store.change(of, InventoryChange(sources={"10.0.0.1": None})),
        lambda: store.change(of, InventoryChange(aggregates={RACK: ()})),
        lambda: store.change(of, InventoryChange(aggregates={RACK: None})),
        lambda: store.replace(of, InventoryContent(sources=many())),
        lambda: store.replace(of, InventoryContent()),
    )
    versions, generations = [0], [before]
    for change in changes:
        change()
        versions.append(store.version())
        generations.append(ledger.subscriptions.generation())

    assert versions == sorted(set(versions))
    assert generations == sorted(set(generations))
    assert ledger.subscriptions.changes_since(before) == (generations[-1], [], [])
    assert ledger.subscriptions.changes_since(0) == (generations[-1], [one], None)


def test_what_makes_no_difference_changes_nothing(ledger: Ledger) -> None:
    store = ledger.inventory
    store.replace(Keeper.ODIM, TOLD)
    store.replace(Keeper.OWN, InventoryContent(sources=many()))
    before = store.version(), ledger.subscriptions.generation()

    store.replace(Keeper.ODIM, TOLD)
    store.replace(Keeper.OWN, InventoryContent(sources=many()))
    store.change(Keeper.OWN, InventoryChange(sources=many()))
    store.change(Keeper.ODIM, InventoryChange())
    store.change(Keeper.ODIM, InventoryChange(sources={"10.0.0.1": MACHINE, "unknown": None}, aggregates={"/x": None}))

    assert (store.version(), ledger.subscriptions.generation()) == before


def test_a_change_of_very_many_is_made_at_once_beside_what_stands(ledger: Ledger) -> None:
    store = ledger.inventory
    store.replace(Keeper.OWN, TOLD)

    store.change(Keeper.OWN, InventoryChange(sources={**many(OTHER), "bmc-ü.example": None}, aggregates={ROOM: None}))

    assert store.content(Keeper.OWN) == InventoryContent(sources=many(OTHER), aggregates={RACK: (MACHINE, DRIVE)})


def test_very_many_are_replaced_by_as_many_others_and_by_none(ledger: Ledger) -> None:
    store = ledger.inventory
    store.replace(Keeper.ODIM, InventoryContent(sources=many(), aggregates=TOLD.aggregates))

    store.replace(Keeper.ODIM, InventoryContent(sources=many(OTHER)))
    assert store.content(Keeper.ODIM) == InventoryContent(sources=many(OTHER))
    store.replace(Keeper.ODIM, InventoryContent())

    assert store.content(Keeper.ODIM) == InventoryContent()
    assert store.read() == (store.version(), EMPTY)


def test_the_last_reading_of_odims_tables_is_kept_with_its_time(store: InventoryStore) -> None:
    assert store.last_reading() is None
    assert not store.has_been_read()

    store.note_reading('{"rows": {"System": 1}}')
    store.note_reading('{"rows": {}, "skipped": {"no uuid": 2}}')

    assert store.has_been_read()
    found = store.last_reading()
    assert found is not None
    assert found[0] > 10**11
    assert found[1] == '{"rows": {}, "skipped": {"no uuid": 2}}'
    assert store.version() == 0
