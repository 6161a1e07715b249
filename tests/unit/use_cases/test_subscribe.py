from dataclasses import replace

import pytest

from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.use_cases.subscribe import InvalidSubscriptionError, Subscribe, SubscriptionMissingError
from tests.fakes.ledger_state import LedgerState
from tests.fakes.subscription_store import InMemorySubscriptionStore

WISH = Subscription(subscription_id="", destination="https://receiver.example/hook", name="one")


@pytest.fixture
def store() -> InMemorySubscriptionStore:
    return InMemorySubscriptionStore(LedgerState(now_ms=lambda: 0))


@pytest.fixture
def subscribe(store: InMemorySubscriptionStore) -> Subscribe:
    numbers = iter(range(1, 100))
    return Subscribe(store=store, new_id=lambda: f"id-{next(numbers)}", now_s=lambda: 1_700_000_000.9)


def test_a_subscription_gets_an_id_and_a_time(subscribe: Subscribe, store: InMemorySubscriptionStore) -> None:
    made = subscribe.create(WISH)
    assert made == replace(WISH, subscription_id="id-1", created_at_s=1_700_000_000)
    assert store.get("id-1") == made
    assert store.generation() > 0


@pytest.mark.parametrize(
    ("wish", "member"),
    [
        (replace(WISH, destination="ftp://x/"), "Destination"),
        (replace(WISH, destination=""), "Destination"),
        (replace(WISH, headers=(("Host", "x"),)), "HttpHeaders"),
        (replace(WISH, headers=(("A", "1"), ("a", "2"))), "HttpHeaders"),
        (replace(WISH, filters=Filters(severities=("ok",))), "Severities"),
        (replace(WISH, filters=Filters(event_types=("",))), "EventTypes"),
        (replace(WISH, filters=Filters(resource_types=(" Drive",))), "ResourceTypes"),
        (replace(WISH, filters=Filters(origin_resources=("redfish/v1",))), "OriginResources"),
        (
            replace(WISH, filters=Filters(message_ids=("R.1.0.Key",), exclude_message_ids=("R.1.4.2.Key",))),
            "MessageIds",
        ),
        (
            replace(WISH, filters=Filters(registry_prefixes=("R",), exclude_registry_prefixes=("R",))),
            "RegistryPrefixes",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_its_name_and_nothing_is_stored(
    subscribe: Subscribe, store: InMemorySubscriptionStore, wish: Subscription, member: str
) -> None:
    with pytest.raises(InvalidSubscriptionError) as refusal:
        subscribe.create(wish)
    assert refusal.value.member == member
    assert str(refusal.value).startswith(f"{member} ")
    assert store.generation() == 0
    known = subscribe.create(WISH)
    with pytest.raises(InvalidSubscriptionError):
        subscribe.update(known.subscription_id, lambda found: replace(wish, subscription_id=found.subscription_id))
    assert store.get(known.subscription_id) == known


def test_a_refusal_never_holds_a_headers_value(subscribe: Subscribe) -> None:
    with pytest.raises(InvalidSubscriptionError) as refusal:
        subscribe.create(replace(WISH, headers=(("Authorization", "hunter2\n"),)))
    assert "hunter2" not in str(refusal.value)


def test_an_update_keeps_what_it_does_not_change(subscribe: Subscribe) -> None:
    made = subscribe.create(WISH)
    changed = subscribe.update(made.subscription_id, lambda found: replace(found, context="c"))
    assert changed == replace(made, context="c")
    assert subscribe.find(made.subscription_id) == changed


def test_what_is_not_there_is_told(subscribe: Subscribe) -> None:
    made = subscribe.create(WISH)
    subscribe.delete(made.subscription_id)
    for ask in (subscribe.find, subscribe.delete, lambda id_: subscribe.update(id_, lambda found: found)):
        with pytest.raises(SubscriptionMissingError, match="there is no subscription id-1"):
            ask(made.subscription_id)


def test_all_are_listed_oldest_first(store: InMemorySubscriptionStore) -> None:
    times = iter((30.0, 10.0, 20.0))
    ids = iter("abc")
    subscribe = Subscribe(store=store, new_id=lambda: next(ids), now_s=lambda: next(times))
    for _ in range(3):
        subscribe.create(WISH)
    assert [one.subscription_id for one in subscribe.everything()] == ["b", "c", "a"]
