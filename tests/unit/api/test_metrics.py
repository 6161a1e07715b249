import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from odim_relay.api.certificates import ShownCertificate
from odim_relay.api.metric_definitions import METRICS, Kind
from odim_relay.api.metrics import (
    _Collector,
    _gauge,
    _process,
    certificate,
    counters,
    gauges,
    histograms,
    inventory_gauges,
    sizes,
    stores,
    workers,
)
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import DestinationFlow, LedgerSizes, SubscriptionFlow, Workforce
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
        "waiting:behind": 7,
        "attempts:transient:5xx": 8,
    }

    told = {key: value for key, value in samples(list(counters(counted))).items() if value}

    assert told == {
        ("odim_relay_events_ingested_total", ()): 5,
        ("odim_relay_deliveries_total", (("outcome", "delivered"),)): 3,
        ("odim_relay_deliveries_total", (("outcome", "expired"),)): 1,
        ("odim_relay_deliveries_total", (("outcome", "discarded"),)): 2,
        ("odim_relay_expired_total", ()): 1,
        ("odim_relay_discarded_total", (("what", "quarantine"),)): 4,
        ("odim_relay_discarded_total", (("what", "deliveries"),)): 2,
        ("odim_relay_dead_letters_total", (("reason", "exhausted"),)): 6,
        ("odim_relay_parked_total", (("reason", "behind"),)): 7,
        ("odim_relay_attempts_total", (("outcome", "transient"), ("status_class", "5xx"))): 8,
    }


def test_every_counter_with_a_fixed_set_of_label_values_begins_at_0() -> None:
    told = samples(list(counters({})))

    assert set(told.values()) == {0}
    for definition in METRICS.values():
        if definition.kind is Kind.COUNTER and definition.name.startswith("odim_relay_"):
            assert definition.values
            for values in definition.values:
                assert (definition.name, tuple(zip(definition.labels, values, strict=True))) in told


@pytest.mark.parametrize("name", ["a_new_one", "events_ingested:by_somebody", "deliveries", "deliveries:a:b"])
def test_a_counter_of_a_newer_version_is_passed_over(name: str) -> None:
    assert samples(list(counters({name: 1}))) == samples(list(counters({})))


def test_without_tls_no_certificate_expires() -> None:
    assert list(certificate(ShownCertificate())) == []


def test_a_metric_that_is_not_in_the_table_cannot_be_told() -> None:
    with pytest.raises(KeyError):
        _gauge("a_new_one", 1)


def test_every_metric_of_the_table_is_told_and_no_other() -> None:
    inventory = InventoryStatus(source_counts={}, aggregate_counts={}, read_age_s=1)
    sizes_ = LedgerSizes(held_bytes=1, max_bytes=2, quarantine_count=3, quarantine_bytes=4, has_beat=True)
    told = [
        *counters({}),
        *histograms({}),
        *gauges([]),
        *sizes(sizes_, 5),
        *inventory_gauges(inventory),
        *workers(Workforce(worker_count=1, slot_count=2)),
        *stores({"broker": ("queue_depth", 6), "kafka": ("kafka_lag", 7)}),
        *certificate(ShownCertificate(expires_at_s=8)),
        *_process(),
        _gauge("build_info", {("1",): 1}),
    ]

    names = [f"{one.name}_total" if one.type == "counter" else one.name for one in told]

    assert sorted(names) == sorted(METRICS)
    assert {name: one.documentation for name, one in zip(names, told, strict=True)} == {
        name: definition.meaning for name, definition in METRICS.items()
    }


def test_a_histogram_tells_how_many_took_at_most_so_long() -> None:
    measured = {
        "delivery_latency:0.05": 1,
        "delivery_latency:604800": 2,
        "delivery_latency:+Inf": 3,
        "delivery_latency:sum_ms": 4_500,
        "delivery_latency:0.06": 9,  # a bound that there was
    }

    told = samples(list(histograms(measured)))

    name = "odim_relay_delivery_latency_seconds"
    assert told[f"{name}_bucket", (("le", "0.05"),)] == 1
    assert told[f"{name}_bucket", (("le", "259200"),)] == 1
    assert told[f"{name}_bucket", (("le", "604800"),)] == 3
    assert told[f"{name}_bucket", (("le", "+Inf"),)] == told[f"{name}_count", ()] == 6
    assert told[f"{name}_sum", ()] == 4.5
    assert told["odim_relay_attempt_duration_seconds_count", ()] == 0


def test_a_store_that_does_not_answer_is_down_and_what_it_would_tell_is_absent() -> None:
    told = samples(list(stores({"broker": ("queue_depth", None), "kafka": ("kafka_lag", 0)})))

    assert told == {
        ("odim_relay_store_up", (("store", "redis"),)): 1,
        ("odim_relay_store_up", (("store", "broker"),)): 0,
        ("odim_relay_store_up", (("store", "kafka"),)): 1,
        ("odim_relay_kafka_lag", ()): 0,
    }


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        ({"records_ignored": 5}, {"": 5, "plugin_start_up": 0, "control_message": 0}),
        (
            {"records_ignored": 5, "records_ignored:plugin_start_up": 5},
            {"plugin_start_up": 5, "control_message": 0},
        ),
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
        flow=SubscriptionFlow(subscription_id="s", exists=True, suspended_by="by_hand"),
        destination=DestinationFlow(destination_id="d", breaker=Breaker.OPEN),
        waiting_count=2,
        dead_letter_count=1,
        oldest_age_s=3.5,
    )
    label = (("subscription", "s"),)

    assert samples(list(gauges([row]))) == {
        ("odim_relay_subscriptions", ()): 1,
        ("odim_relay_subscription_suspended", label): 1,
        ("odim_relay_dead_letters", label): 1,
        ("odim_relay_waiting", label): 2,
        ("odim_relay_oldest_waiting_age_seconds", label): 3.5,
        ("odim_relay_breaker_state", label): 2,
    }
