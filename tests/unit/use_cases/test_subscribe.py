from collections.abc import Callable
from dataclasses import replace
from functools import partial
from ipaddress import ip_network

import pytest

from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription
from odim_relay.errors import TransientError
from odim_relay.use_cases.subscribe import (
    InvalidSubscriptionError,
    KeptElsewhereError,
    Subscribe,
    SubscriptionMissingError,
    TooManySubscriptionsError,
)
from tests.fakes.ledger_state import LedgerState
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.unit.use_cases.conftest import Logs

WISH = Subscription(subscription_id="", destination="https://receiver.example/hook", name="one")


@pytest.fixture
def store() -> InMemorySubscriptionStore:
    return InMemorySubscriptionStore(LedgerState(now_ms=lambda: 0))


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def subscribe(store: InMemorySubscriptionStore, woken: list[str]) -> Subscribe:
    numbers = iter(range(1, 100))
    return Subscribe(
        store=store, wake=woken.append, new_id=lambda: f"id-{next(numbers)}", now_s=lambda: 1_700_000_000.9
    )


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
        (replace(WISH, destination="http://localhost/"), "Destination"),
        (replace(WISH, backup_destinations=("https://b.example/", "ftp://x/")), "BackupDestinations"),
        (replace(WISH, backup_destinations=("http://169.254.169.254/",)), "BackupDestinations"),
        (replace(WISH, backup_destinations=(WISH.destination,)), "BackupDestinations"),
        (replace(WISH, backup_destinations=("https://b.example/",) * 2), "BackupDestinations"),
        (
            replace(WISH, backup_destinations=tuple(f"https://{n}.example/" for n in "abcdefghi")),
            "BackupDestinations",
        ),
        (replace(WISH, signing_secret="secret"), "SigningSecret"),
        (replace(WISH, headers=(("Host", "x"),)), "HttpHeaders"),
        (replace(WISH, headers=(("A", "1"), ("a", "2"))), "HttpHeaders"),
        (replace(WISH, filters=Filters(severities=("ok",))), "Severities"),
        (replace(WISH, filters=Filters(event_types=("",))), "EventTypes"),
        (replace(WISH, filters=Filters(resource_types=(" Drive",))), "ResourceTypes"),
        (replace(WISH, filters=Filters(origin_resources=("redfish/v1",))), "OriginResources"),
        (replace(WISH, filters=Filters(metric_report_definitions=("One",))), "MetricReportDefinitions"),
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


def test_a_destination_where_the_operator_lets_events_go_is_taken(store: InMemorySubscriptionStore) -> None:
    subscribe = Subscribe(
        store=store,
        wake=print,
        new_id=lambda: "id",
        now_s=lambda: 0.0,
        egress=EgressPolicy(allow=(ip_network("127.0.0.0/8"),), deny=(ip_network("10.0.0.0/8"),)),
    )

    subscribe.create(replace(WISH, destination="http://127.0.0.1/", backup_destinations=("http://localhost/",)))
    with pytest.raises(InvalidSubscriptionError, match=r"Destination leads to 10\.0\.0\.1, which is in 10\.0\.0\.0/8"):
        subscribe.create(replace(WISH, destination="http://10.0.0.1/"))


def test_a_refusal_never_holds_a_headers_value(subscribe: Subscribe) -> None:
    with pytest.raises(InvalidSubscriptionError) as refusal:
        subscribe.create(replace(WISH, headers=(("Authorization", "hunter2\n"),)))
    assert "hunter2" not in str(refusal.value)


def test_all_that_is_wrong_is_told_at_once(subscribe: Subscribe) -> None:
    with pytest.raises(InvalidSubscriptionError, match=r"Destination does not begin .*; Severities holds 'ok'"):
        subscribe.create(replace(WISH, destination="ftp://x/", filters=Filters(severities=("ok",))))


def test_what_was_wrong_before_keeps_nobody_from_changing_something_else(
    subscribe: Subscribe, store: InMemorySubscriptionStore
) -> None:
    store.save(replace(WISH, subscription_id="old", destination="http://127.0.0.1/"))
    assert subscribe.update("old", lambda found: replace(found, context="c")).context == "c"
    with pytest.raises(InvalidSubscriptionError, match=r"127\.0\.0\.2"):
        subscribe.update("old", lambda found: replace(found, destination="http://127.0.0.2/"))


def test_there_are_no_more_than_there_may_be(subscribe: Subscribe) -> None:
    made = [subscribe.create(WISH, most=2).subscription_id for _ in range(2)]
    with pytest.raises(TooManySubscriptionsError, match="2 subscriptions"):
        subscribe.create(WISH, most=2)
    assert subscribe.ids() == made
    subscribe.delete(made[0])
    subscribe.create(WISH, most=2)


def test_an_update_keeps_what_it_does_not_change(subscribe: Subscribe) -> None:
    made = subscribe.create(WISH)
    changed = subscribe.update(made.subscription_id, lambda found: replace(found, context="c"))
    assert changed == replace(made, context="c", revision=1)
    assert subscribe.find(made.subscription_id) == changed


def test_each_change_makes_another_revision_and_none_makes_none(subscribe: Subscribe) -> None:
    made = subscribe.create(WISH)
    revisions = []
    for value in ("1", "2", "2"):
        headers = (("Authorization", value),)
        changed = subscribe.update(made.subscription_id, partial(replace, headers=headers))
        revisions.append(changed.revision)
    assert revisions == [1, 2, 2]


@pytest.mark.parametrize(
    ("change", "wakes"),
    [
        (lambda found: replace(found, destination="https://elsewhere.example/"), True),
        (lambda found: replace(found, headers=(("Authorization", "mended"),)), True),
        (lambda found: replace(found, backup_destinations=("https://backup.example/",)), True),
        (lambda found: replace(found, verify_certificate=False), True),
        (lambda found: replace(found, mode=Mode.ORDERED), True),
        (lambda found: replace(found, context="c", filters=Filters(severities=("OK",))), False),
        (lambda found: replace(found, retry_policy=RetryPolicy.SUSPEND), False),
        (lambda found: found, False),
    ],
    ids=["destination", "headers", "backups", "verification", "mode", "filters", "policy", "nothing"],
)
def test_what_waits_is_looked_at_when_it_is_to_go_elsewhere_or_otherwise(
    subscribe: Subscribe, woken: list[str], change: Callable[[Subscription], Subscription], wakes: bool
) -> None:
    made = subscribe.create(WISH)

    subscribe.update(made.subscription_id, change)

    assert woken == ([made.subscription_id] if wakes else [])


def test_a_change_stands_also_when_what_waits_cannot_be_looked_at(store: InMemorySubscriptionStore, logs: Logs) -> None:
    def fail(subscription_id: str) -> None:
        raise TransientError(f"Redis is away, {subscription_id}")

    store.save(replace(WISH, subscription_id="s"))
    subscribe = Subscribe(store=store, wake=fail, new_id=str, now_s=lambda: 0.0)

    changed = subscribe.update("s", lambda found: replace(found, destination="https://elsewhere.example/"))

    assert store.get("s") == changed
    assert [line["event"] for line in logs] == ["subscription.updated", "subscription.not_woken"]


def test_what_is_not_there_is_told(subscribe: Subscribe) -> None:
    made = subscribe.create(WISH)
    subscribe.delete(made.subscription_id)
    for ask in (subscribe.find, subscribe.delete, lambda id_: subscribe.update(id_, lambda found: found)):
        with pytest.raises(SubscriptionMissingError, match="there is no subscription id-1"):
            ask(made.subscription_id)


def test_all_are_listed_oldest_first(store: InMemorySubscriptionStore) -> None:
    times = iter((30.0, 10.0, 20.0))
    ids = iter("abc")
    subscribe = Subscribe(store=store, wake=print, new_id=lambda: next(ids), now_s=lambda: next(times))
    for _ in range(3):
        subscribe.create(WISH)
    assert [one.subscription_id for one in subscribe.everything()] == ["b", "c", "a"]


# --- what ODIM keeps ---


def test_what_odim_keeps_is_neither_changed_nor_deleted_here_and_it_is_told_where_it_can_be(
    subscribe: Subscribe, store: InMemorySubscriptionStore
) -> None:
    theirs = replace(WISH, subscription_id="s", keeper=Keeper.ODIM)
    store.save(theirs)
    for ask in (subscribe.delete, lambda id_: subscribe.update(id_, lambda found: replace(found, name="mine"))):
        with pytest.raises(KeptElsewhereError, match=r"ODIM's own API.*odim-relay odim import"):
            ask("s")
    assert store.get("s") == theirs


def test_what_is_left_of_an_odim_that_is_followed_no_more_is_anybodys(store: InMemorySubscriptionStore) -> None:
    store.save(replace(WISH, subscription_id="s", keeper=Keeper.ODIM))
    subscribe = Subscribe(store=store, wake=print, new_id=str, now_s=lambda: 0.0, read_only=frozenset())
    assert subscribe.update("s", lambda found: replace(found, name="mine")).name == "mine"
    subscribe.delete("s")
    assert store.get("s") is None
