import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from odim_relay.api.metrics import _Collector, counters, gauges, inventory_gauges
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import DestinationFlow, SubscriptionFlow
from odim_relay.use_cases.status import InventoryStatus, SubscriptionStatus


def samples(families: list[Metric]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    registry = CollectorRegistry()
    registry.register(_Collector(families))
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_what_was_counted_has_a_label_where_the_store_has_one() -> None:
    counted = {
        "events_ingested": 5,
        "deliveries:delivered": 3,
        "deliveries:expired": 1,
        "deliveries:discarded": 2,
        "discarded:quarantine": 4,
        "dead_letters:exhausted": 6,
        "waiting:window": 7,
        "a_new_one": 8,
    }

    told = samples(list(counters(counted)))

    for name in ("events_unmatched", "events_unknown_source", "records_quarantined", "replays", "reaped"):
        assert told.pop((f"odim_relay_{name}_total", ())) == 0
    assert told == {
        ("odim_relay_events_ingested_total", ()): 5,
        ("odim_relay_deliveries_total", (("outcome", "delivered"),)): 3,
        ("odim_relay_deliveries_total", (("outcome", "expired"),)): 1,
        ("odim_relay_deliveries_total", (("outcome", "discarded"),)): 2,
        ("odim_relay_expired_total", ()): 1,
        ("odim_relay_discarded_total", (("what", "quarantine"),)): 4,
        ("odim_relay_discarded_total", (("what", "deliveries"),)): 2,
        ("odim_relay_dead_letters_total", (("reason", "exhausted"),)): 6,
        ("odim_relay_parked_total", (("reason", "window"),)): 7,
        ("odim_relay_a_new_one_total", ()): 8,
    }


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        ({"records_ignored": 5}, {"": 5}),
        ({"records_ignored": 5, "records_ignored:plugin_start_up": 5}, {"plugin_start_up": 5}),
        (
            {"records_ignored": 5, "records_ignored:plugin_start_up": 2, "records_ignored:control_message": 1},
            {"": 2, "plugin_start_up": 2, "control_message": 1},
        ),
    ],
)
def test_of_records_ignored_the_kinds_add_up_to_what_was_counted_in_all(
    counted: dict[str, int], told: dict[str, int]
) -> None:
    found = samples(list(counters(counted)))

    ignored = {labels: value for (name, labels), value in found.items() if name == "odim_relay_records_ignored_total"}
    assert {dict(labels).get("kind", ""): value for labels, value in ignored.items()} == told


def test_the_inventory_tells_how_large_and_how_old_it_is() -> None:
    found = InventoryStatus(
        source_counts={Keeper.OWN: 1, Keeper.ODIM: 2},
        aggregate_counts={Keeper.OWN: 0, Keeper.ODIM: 3},
        read_age_s=4.5,
        row_counts={"System": 6},
        skipped_counts={"no_uuid": 7},
    )

    assert samples(list(inventory_gauges(found))) == {
        ("odim_relay_sources", (("keeper", "own"),)): 1,
        ("odim_relay_sources", (("keeper", "odim"),)): 2,
        ("odim_relay_aggregates", (("keeper", "own"),)): 0,
        ("odim_relay_aggregates", (("keeper", "odim"),)): 3,
        ("odim_relay_odim_rows", (("table", "System"),)): 6,
        ("odim_relay_odim_rows_skipped", (("reason", "no_uuid"),)): 7,
        ("odim_relay_odim_read_age_seconds", ()): 4.5,
    }


def test_who_never_read_odims_tables_has_no_age_of_them() -> None:
    found = InventoryStatus(source_counts={}, aggregate_counts={})

    assert samples(list(inventory_gauges(found))) == {}


def test_each_subscription_tells_how_it_stands() -> None:
    row = SubscriptionStatus(
        subscription_id="s",
        subscription=None,
        flow=SubscriptionFlow(subscription_id="s", exists=True),
        destination=DestinationFlow(destination_id="d", breaker=Breaker.OPEN),
        waiting_count=2,
        dead_letter_count=1,
        oldest_age_s=3.5,
    )
    label = (("subscription", "s"),)

    assert samples(list(gauges([row]))) == {
        ("odim_relay_dead_letters", label): 1,
        ("odim_relay_waiting", label): 2,
        ("odim_relay_oldest_waiting_age_seconds", label): 3.5,
        ("odim_relay_breaker_state", label): 2,
    }
