from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from odim_relay.api.metrics import _Collector, counters, gauges
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.ports import DestinationFlow, SubscriptionFlow
from odim_relay.use_cases.status import SubscriptionStatus


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

    for name in ("events_unmatched", "records_quarantined", "replays", "reaped"):
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
