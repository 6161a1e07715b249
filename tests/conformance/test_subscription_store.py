"""
What the port to the subscriptions promises, kept by Redis and by memory alike.
"""

from dataclasses import replace

import pytest

from odim_relay.domain.authentication import ClientCredentials
from odim_relay.domain.event import EventFormat
from odim_relay.domain.signing import RetiredSecret
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription, SubscriptionType
from tests.conformance.ledgers import Ledger
from tests.fakes.samples import subscription

FULL = Subscription(
    subscription_id="full",
    destination="https://user:pass@example.test/?a=b",
    name="näme",
    filters=Filters(
        event_types=("Alert",),
        registry_prefixes=("A", "B"),
        message_ids=("A.One",),
        exclude_registry_prefixes=("C",),
        exclude_message_ids=("A.Two",),
        resource_types=("Volume",),
        origin_resources=("/redfish/v1/Systems/1",),
        subordinate_resources=True,
        severities=("Critical",),
        metric_report_definitions=("/redfish/v1/TelemetryService/MetricReportDefinitions/1",),
    ),
    event_format=EventFormat.METRIC_REPORT,
    context='"quoted" \\',
    headers=(("Authorization", "secret"), ("X-A", "")),
    retry_policy=RetryPolicy.SUSPEND,
    mode=Mode.ORDERED,
    created_at_s=1_760_000_000,
    kind=SubscriptionType.SSE,
    owner="somebody",
    backup_destinations=("https://one.test/", "http://two.test:8080/"),
    verify_certificate=False,
    heartbeat_minutes=5,
    signing_secret="whsec_c2VjcmV0",
    signing_key="whsk_a2V5",
    retired_secrets=(RetiredSecret(secret="whsec_b2xk", until_s=1_760_000_000),),
    authentication=ClientCredentials(
        token_url="https://idp.test/", client_id="me", client_secret="secret", scope="one two"
    ),
    max_in_flight=2,
    rate_per_s=0.5,
    retention_s=3_600,
    ca_file="ca.pem",
    certificate_fingerprint="ab" * 32,
    client_certificate_file="client.crt",
    client_key_file="client.key",
    batch_size=50,
)


def test_a_subscription_comes_back_as_it_was_saved(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)

    assert ledger.subscriptions.get("full") == FULL
    assert ledger.subscriptions.changes_since(0)[1] == [FULL]


def test_a_subscription_is_replaced_by_its_id(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)
    ledger.subscriptions.save(replace(FULL, context=None))

    assert ledger.subscriptions.changes_since(0)[1] == [replace(FULL, context=None)]


def test_a_deleted_subscription_is_gone_and_cannot_be_deleted_again(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)

    assert ledger.subscriptions.delete("full")
    assert ledger.subscriptions.get("full") is None
    assert not ledger.subscriptions.delete("full")


def test_what_is_deleted_is_looked_at_before(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)

    def refuse(found: Subscription) -> None:
        raise ValueError(found.name)

    with pytest.raises(ValueError, match="näme"):
        ledger.subscriptions.delete("full", refuse)
    assert ledger.subscriptions.get("full") == FULL
    assert not ledger.subscriptions.delete("nobody", refuse)


def test_what_changes_while_it_is_deleted_is_looked_at_again(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)
    seen: list[str] = []

    def meddle(found: Subscription) -> None:
        seen.append(found.name)
        if len(seen) == 1:
            ledger.subscriptions.save(replace(FULL, name="other"))

    assert ledger.subscriptions.delete("full", meddle)
    assert seen == ["näme", "other"]
    assert ledger.subscriptions.get("full") is None


def test_every_change_raises_the_generation_and_nothing_else_does(ledger: Ledger) -> None:
    seen = [ledger.subscriptions.generation()]
    for change in (
        lambda: ledger.subscriptions.save(FULL),
        lambda: ledger.subscriptions.save(FULL),
        lambda: ledger.subscriptions.delete("full"),
    ):
        change()
        seen.append(ledger.subscriptions.generation())

    ledger.subscriptions.delete("unknown")

    assert seen[0] == 0
    assert seen == sorted(set(seen))
    assert ledger.subscriptions.generation() == seen[-1]


def test_changes_are_told_from_a_generation_on(ledger: Ledger) -> None:
    for name in ("a", "b", "c"):
        ledger.subscriptions.save(subscription(name))
    seen = ledger.subscriptions.generation()
    ledger.subscriptions.save(subscription("b", "B"))
    ledger.subscriptions.delete("c")
    ledger.subscriptions.save(subscription("d"))

    now, saved, deleted = ledger.subscriptions.changes_since(seen)

    assert now == ledger.subscriptions.generation()
    assert sorted(one.subscription_id for one in saved) == ["b", "d"]
    assert deleted == ["c"]
    assert ledger.subscriptions.changes_since(now) == (now, [], [])


@pytest.mark.parametrize("generation", [0, 7])
def test_all_is_told_where_the_way_is_not_known(ledger: Ledger, generation: int) -> None:
    ledger.subscriptions.save(FULL)
    ledger.subscriptions.save(subscription("deleted"))
    ledger.subscriptions.delete("deleted")

    assert ledger.subscriptions.changes_since(generation) == (ledger.subscriptions.generation(), [FULL], None)


def test_ids_are_listed_and_counted(ledger: Ledger) -> None:
    assert (ledger.subscriptions.ids(), ledger.subscriptions.count()) == ([], 0)
    for name in ("a", "b", "c"):
        ledger.subscriptions.save(subscription(name))
    ledger.subscriptions.delete("b")

    assert sorted(ledger.subscriptions.ids()) == ["a", "c"]
    assert ledger.subscriptions.count() == 2


def test_an_update_stores_what_is_made_of_the_one_that_stands(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)
    before = ledger.subscriptions.generation()

    changed = ledger.subscriptions.update("full", lambda found: replace(found, name=f"{found.name}, changed"))

    assert changed == ledger.subscriptions.get("full") == replace(FULL, name="näme, changed")
    assert ledger.subscriptions.generation() > before


def test_there_is_nothing_to_update_where_there_is_no_subscription(ledger: Ledger) -> None:
    assert ledger.subscriptions.update("unknown", lambda found: found) is None
    assert ledger.subscriptions.generation() == 0


def test_an_update_that_is_refused_changes_nothing(ledger: Ledger) -> None:
    def refuse(_: Subscription) -> Subscription:
        raise ValueError("no")

    ledger.subscriptions.save(FULL)

    with pytest.raises(ValueError, match="no"):
        ledger.subscriptions.update("full", refuse)

    assert ledger.subscriptions.get("full") == FULL


def test_two_updates_at_once_are_both_made(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)
    seen: list[str] = []

    def change(found: Subscription) -> Subscription:
        if not seen:
            ledger.subscriptions.save(replace(found, name="by another"))
        seen.append(found.name)
        return replace(found, context="mine")

    assert ledger.subscriptions.update("full", change) == replace(FULL, name="by another", context="mine")
    assert seen == ["näme", "by another"]


def test_an_update_of_one_that_is_deleted_meanwhile_brings_it_not_back(ledger: Ledger) -> None:
    def delete(found: Subscription) -> Subscription:
        ledger.subscriptions.delete("full")
        return found

    ledger.subscriptions.save(FULL)

    assert ledger.subscriptions.update("full", delete) is None
    assert ledger.subscriptions.get("full") is None
