from collections.abc import Sequence
from dataclasses import replace

import pytest

from odim_relay.domain.event import Event
from odim_relay.domain.inventory import EMPTY, Inventory
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.errors import TransientError
from odim_relay.ports import InventoryContent
from odim_relay.use_cases.directory import MatcherDirectory, SubscriptionDirectory
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState
from tests.fakes.samples import decode, subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore

MACHINE = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"


class Counting(InMemorySubscriptionStore):
    """
    Counts what is read of it, and can be away.
    """

    reads = 0
    is_away = False

    def changes_since(self, generation: int) -> tuple[int, Sequence[Subscription], Sequence[str] | None]:
        if self.is_away:
            raise TransientError("the store is away")
        self.reads += 1
        return super().changes_since(generation)


@pytest.fixture
def store() -> Counting:
    return Counting(LedgerState(now_ms=lambda: 0))


def lose_last_writes(store: Counting, *, keep: LedgerState) -> None:
    store.state = keep


def rolled_back(store: Counting) -> LedgerState:
    state = store.state
    return LedgerState(
        now_ms=lambda: 1_000,
        subscriptions=dict(state.subscriptions),
        changes=dict(state.changes),
        generation=state.generation,
        generations=set(state.generations),
    )


def wanted_by(directory: MatcherDirectory, letter: str) -> list[str]:
    event = decode(letter.encode())
    assert isinstance(event, tuple)
    first: Event = event[0]
    return [id_ for id_, _ in directory.matcher.match(first)]


def test_a_subscription_is_found_at_the_generation_asked_for(store: Counting) -> None:
    directory = SubscriptionDirectory(store, InMemoryEventServiceStore(store.state))
    store.save(subscription("a", destination="https://old.test"))
    directory.find("a", store.generation())
    store.save(subscription("a", destination="https://new.test"))

    found = directory.find("a", store.generation())

    assert found is not None
    assert found.destination == "https://new.test"


def test_nothing_is_read_while_nothing_changes(store: Counting) -> None:
    directory = SubscriptionDirectory(store, InMemoryEventServiceStore(store.state))
    store.save(subscription("a"))

    for _ in range(5):
        directory.find("a", store.generation())

    assert store.reads == 1


def test_a_deleted_subscription_is_not_found_any_more(store: Counting) -> None:
    directory = SubscriptionDirectory(store, InMemoryEventServiceStore(store.state))
    store.save(subscription("a"))
    directory.find("a", store.generation())
    store.delete("a")

    assert directory.find("a", store.generation()) is None


def test_an_empty_store_has_nothing_to_find(store: Counting) -> None:
    assert SubscriptionDirectory(store, InMemoryEventServiceStore(store.state)).find("a", 0) is None


def test_a_claim_from_before_a_change_gets_what_stands_now(store: Counting) -> None:
    directory = SubscriptionDirectory(store, InMemoryEventServiceStore(store.state))
    store.save(subscription("a", destination="https://old.test"))
    before = store.generation()
    store.save(subscription("a", destination="https://new.test"))
    directory.find("a", store.generation())

    found = directory.find("a", before)

    assert found is not None
    assert found.destination == "https://new.test"


def test_a_store_that_is_away_is_told_and_asked_again(store: Counting) -> None:
    directory = SubscriptionDirectory(store, InMemoryEventServiceStore(store.state))
    store.save(subscription("a"))
    store.is_away = True
    with pytest.raises(TransientError):
        directory.find("a", store.generation())
    store.is_away = False

    assert directory.find("a", store.generation()) is not None


def test_a_change_that_the_store_lost_again_is_forgotten(store: Counting) -> None:
    directory = SubscriptionDirectory(store, InMemoryEventServiceStore(store.state))
    store.save(subscription("a", destination="https://kept.test"))
    kept = rolled_back(store)
    store.save(subscription("a", destination="https://lost.test"))
    store.save(subscription("lost"))
    directory.find("a", store.generation())
    lose_last_writes(store, keep=kept)

    found = directory.find("a", store.generation())

    assert found is not None
    assert found.destination == "https://kept.test"
    assert directory.find("lost", store.generation()) is None


def test_a_matcher_follows_the_changes(store: Counting) -> None:
    directory = MatcherDirectory(store, InMemoryEventServiceStore(store.state), InMemoryInventoryStore(store.state))
    assert not directory.refresh()
    store.save(subscription("a", "A"))
    store.save(subscription("b", "B"))

    assert directory.refresh()
    assert wanted_by(directory, "A") == ["a"]
    store.save(subscription("b", "A"))
    store.delete("a")

    assert directory.refresh()
    assert wanted_by(directory, "A") == ["b"]
    assert not directory.refresh()


def test_a_matcher_forgets_changes_that_the_store_lost_again(store: Counting) -> None:
    directory = MatcherDirectory(store, InMemoryEventServiceStore(store.state), InMemoryInventoryStore(store.state))
    store.save(subscription("a", "A"))
    directory.refresh()
    kept = rolled_back(store)
    store.delete("a")
    store.save(subscription("lost", "A"))
    directory.refresh()
    lose_last_writes(store, keep=kept)
    store.save(subscription("later", "A"))

    assert directory.refresh()

    assert wanted_by(directory, "A") == ["a", "later"]


def test_a_matcher_stays_as_it_is_while_the_store_is_away(store: Counting) -> None:
    directory = MatcherDirectory(store, InMemoryEventServiceStore(store.state), InMemoryInventoryStore(store.state))
    store.save(subscription("a", "A"))
    directory.refresh()
    store.is_away = True

    with pytest.raises(TransientError):
        directory.refresh()

    assert wanted_by(directory, "A") == ["a"]


def test_what_is_said_for_all_is_known_with_the_generation_of_its_change(store: Counting) -> None:
    services = InMemoryEventServiceStore(store.state)
    matchers = MatcherDirectory(store, services, InMemoryInventoryStore(store.state))
    directory = SubscriptionDirectory(store, services)
    store.save(subscription("a"))
    said = services.update(lambda found: replace(found, retry_attempts=7))

    matchers.refresh()
    directory.find("a", store.generation())

    assert matchers.settings == directory.settings == said


def test_who_follows_a_stream_gets_no_deliveries(store: Counting) -> None:
    directory = MatcherDirectory(store, InMemoryEventServiceStore(store.state), InMemoryInventoryStore(store.state))
    store.save(subscription("all"))
    store.save(replace(subscription("early"), kind=SubscriptionType.SSE))
    directory.refresh()
    store.save(replace(subscription("late"), kind=SubscriptionType.SSE))
    directory.refresh()

    assert wanted_by(directory, "A") == ["all"]


class Reading(InMemoryInventoryStore):
    """
    Counts how often everything is read, and can be away.
    """

    reads = 0
    is_away = False

    def read(self) -> tuple[int, Inventory]:
        if self.is_away:
            raise TransientError("the store is away")
        self.reads += 1
        return super().read()


def test_the_inventory_is_read_with_the_generation_of_its_change_and_not_for_others(store: Counting) -> None:
    inventory = Reading(store.state)
    directory = MatcherDirectory(store, InMemoryEventServiceStore(store.state), inventory)
    store.save(subscription("a"))
    directory.refresh()
    assert (directory.inventory, inventory.reads) == (EMPTY, 0)

    inventory.replace(Keeper.ODIM, InventoryContent(sources={"10.0.0.1": MACHINE}))
    assert directory.refresh()
    assert directory.inventory.origin_of("10.0.0.1") == MACHINE
    store.save(subscription("b"))
    assert directory.refresh()
    assert not directory.refresh()

    assert directory.inventory.origin_of("10.0.0.1") == MACHINE
    assert inventory.reads == 1


def test_an_inventory_that_the_store_lost_again_is_forgotten(store: Counting) -> None:
    inventory = InMemoryInventoryStore(store.state)
    directory = MatcherDirectory(store, InMemoryEventServiceStore(store.state), inventory)
    store.save(subscription("a"))
    kept = rolled_back(store)
    inventory.replace(Keeper.ODIM, InventoryContent(sources={"10.0.0.1": MACHINE}))
    directory.refresh()
    lose_last_writes(store, keep=kept)
    inventory.state = kept

    assert directory.refresh()

    assert directory.inventory.origin_of("10.0.0.1") == ""


def test_while_the_inventory_cannot_be_read_nothing_is_taken_for_the_new_generation(store: Counting) -> None:
    inventory = Reading(store.state)
    directory = MatcherDirectory(store, InMemoryEventServiceStore(store.state), inventory)
    inventory.replace(Keeper.ODIM, InventoryContent(sources={"10.0.0.1": MACHINE}))
    inventory.is_away = True

    with pytest.raises(TransientError):
        directory.refresh()

    assert directory.generation < store.generation()
    inventory.is_away = False
    assert directory.refresh()
    assert directory.inventory.origin_of("10.0.0.1") == MACHINE
