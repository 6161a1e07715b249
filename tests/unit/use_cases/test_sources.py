import pytest

from odim_relay.domain.inventory_entries import Fault, Member
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import InventoryContent
from odim_relay.use_cases.sources import Changes, Kept, Removal, Sources, WrongEntryError, checked
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState

FULL = InventoryContent(sources={"a": "/1", "b": "/2"}, aggregates={"/r": ("/1",)})


@pytest.fixture
def store() -> InMemoryInventoryStore:
    return InMemoryInventoryStore(LedgerState(now_ms=lambda: 5))


@pytest.fixture
def sources(store: InMemoryInventoryStore) -> Sources:
    return Sources(store)


def test_what_is_put_stands_beside_what_was_there(sources: Sources, store: InMemoryInventoryStore) -> None:
    assert sources.put(FULL) == Changes(added_count=3)
    changes = sources.put(InventoryContent(sources={"a": "/9", "b": "/2", "c": "/3"}, aggregates={"/r": ()}))

    assert changes == Changes(added_count=1, changed_count=2, unchanged_count=1)
    assert store.content(Keeper.OWN) == InventoryContent(
        sources={"a": "/9", "b": "/2", "c": "/3"}, aggregates={"/r": ()}
    )


def test_what_replaces_removes_the_rest_of_our_own_and_nothing_of_others(
    sources: Sources, store: InMemoryInventoryStore
) -> None:
    store.replace(Keeper.ODIM, FULL)
    sources.put(FULL)
    wanted = InventoryContent(sources={"a": "/1"})

    assert sources.put(wanted, replaces=True) == Changes(unchanged_count=1, removed_count=2)
    assert store.content(Keeper.OWN) == wanted
    assert store.content(Keeper.ODIM) == FULL


def test_a_dry_run_tells_the_same_and_changes_nothing(sources: Sources, store: InMemoryInventoryStore) -> None:
    sources.put(FULL)
    wanted, version = InventoryContent(sources={"a": "/9", "c": "/3"}), store.version()
    told = sources.put(wanted, replaces=True, dry_run=True)

    assert (store.content(Keeper.OWN), store.version()) == (FULL, version)
    assert sources.put(wanted, replaces=True) == told


def test_of_names_to_be_removed_only_our_own_are(sources: Sources, store: InMemoryInventoryStore) -> None:
    store.replace(Keeper.ODIM, InventoryContent(sources={"a": "/1", "o": "/1"}, aggregates={"/o": ()}))
    sources.put(FULL)

    assert sources.remove_sources(["o", "a", "x", "a"]) == Removal(removed=("a",), odims=("o",), missing=("x",))
    assert sources.remove_aggregates(["/r", "/o"]) == Removal(removed=("/r",), odims=("/o",))
    assert store.content(Keeper.OWN) == InventoryContent(sources={"b": "/2"})


def test_all_are_told_in_order_with_who_keeps_them_and_which_counts(
    sources: Sources, store: InMemoryInventoryStore
) -> None:
    store.replace(Keeper.ODIM, InventoryContent(sources={"a": "/8", "aa": "/9"}, aggregates={"/q": ()}))
    sources.put(FULL)

    assert sources.sources() == [
        Kept(name="a", value="/1", keeper=Keeper.OWN),
        Kept(name="a", value="/8", keeper=Keeper.ODIM, is_overridden=True),
        Kept(name="aa", value="/9", keeper=Keeper.ODIM),
        Kept(name="b", value="/2", keeper=Keeper.OWN),
    ]
    assert sources.aggregates() == [
        Kept(name="/q", value=(), keeper=Keeper.ODIM),
        Kept(name="/r", value=("/1",), keeper=Keeper.OWN),
    ]


def test_an_entry_that_cannot_be_is_an_error_with_its_fault() -> None:
    fault = Fault(member=Member.ADDRESS, problem="'x y' is none", value="x y")

    assert checked("x") == "x"
    with pytest.raises(WrongEntryError, match="address 'x y' is none") as refused:
        checked(fault)
    assert refused.value.fault == fault
