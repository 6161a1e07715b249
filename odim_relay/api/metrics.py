"""
Metrics for Prometheus, from the shared store: what every process counted, and how things stand.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.registry import Collector

from odim_relay import bootstrap
from odim_relay.api.recent import Recent
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.use_cases.status import (
    InventoryStatus,
    SubscriptionStatus,
    partition_status,
    read_inventory,
    read_subscriptions,
)

__all__ = ["CONTENT_TYPE", "metrics_text"]

_PREFIX = "odim_relay_"
_LABELS = {
    "deliveries": "outcome",
    "dead_letters": "reason",
    "parked": "reason",
    "discarded": "what",
    "subscriptions_suspended": "reason",
    "attempts": "outcome",
}
_RENAMED = {"waiting": "parked"}
"""
Counters whose names in the store would be those of gauges.
"""
_ALSO = {"deliveries:expired": "expired", "deliveries:discarded": "discarded:deliveries"}
"""
Outcomes that are counters of their own, too.
"""
_FROM_THE_START = (
    "events_ingested",
    "events_unmatched",
    "events_unknown_source",
    "records_quarantined",
    "replays",
    "expired",
    "reaped",
)
"""
Counters that are told while they are 0, too: a rate needs a value to begin with.
"""
_TOTALS = frozenset({"records_ignored"})
"""
Counters that the store counts in all and by label. Without a label is told what was counted before there were any.
"""
_BREAKERS = {Breaker.CLOSED: 0, Breaker.HALF_OPEN: 1, Breaker.OPEN: 2}


def metrics_text() -> bytes:
    """
    All of them, in Prometheus's text format.

    Raises:
        TransientError: Redis cannot be reached.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(list(_everything())))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """
        What was read once; a registry asks twice.
        """
        return self._families


def _everything() -> Iterator[Metric]:
    figures = bootstrap.ledger_figures()
    yield from counters(figures.counters())
    rows = read_subscriptions(
        bootstrap.subscribe().everything(),
        bootstrap.delivery_listing().backlogs(),
        bootstrap.flow_listing(),
        figures.now_ms(),
    )
    yield from gauges(rows)
    yield from inventory_gauges(read_inventory(bootstrap.inventory_store(), figures.now_ms()))
    yield _gauge("deliveries_active", "Deliveries queued, being sent, or waiting for a retry.", figures.active_count())
    depth, lag = _queue_depth(), _kafka_lag()
    if depth is not None:
        yield _gauge("queue_depth", "Delivery tasks in the broker's queue.", depth)
    if lag is not None:
        yield _gauge("kafka_lag", "Records that Kafka holds and that were not taken in.", lag)


def counters(counted: Mapping[str, int]) -> Iterator[Metric]:
    """
    The store's counters, `name` or `name:label`, as families.
    """
    by_name: dict[str, dict[str, int]] = {name: {"": 0} for name in _FROM_THE_START}
    for field, count in (*counted.items(), *((_ALSO[field], n) for field, n in counted.items() if field in _ALSO)):
        name, _, label = field.partition(":")
        by_name.setdefault(_RENAMED.get(name, name), {})[label] = count
    for name in _TOTALS & by_name.keys():
        by_name[name] = _by_label_only(by_name[name])
    for name, counts in sorted(by_name.items()):
        labels = [_LABELS.get(name, "kind")] if any(counts) else []
        family = CounterMetricFamily(
            _PREFIX + name, f"{name.replace('_', ' ').capitalize()}, since ever.", labels=labels
        )
        for label, count in counts.items():
            family.add_metric([label] if labels else [], count)
        yield family


def _by_label_only(counts: Mapping[str, int]) -> dict[str, int]:
    labelled = {label: count for label, count in counts.items() if label}
    rest = counts.get("", 0) - sum(labelled.values())
    return labelled if labelled and rest <= 0 else {"": rest, **labelled}


def inventory_gauges(found: InventoryStatus) -> Iterator[Metric]:
    """
    How much is known of sources and aggregates, and how old that is which ODIM keeps.
    """
    told: tuple[tuple[str, str, str, Iterable[tuple[str, int]]], ...] = (
        ("sources", "Addresses that events come from and that are known.", "keeper", found.source_counts.items()),
        ("aggregates", "Aggregates that are known.", "keeper", found.aggregate_counts.items()),
        ("odim_rows", "Rows of ODIM's tables, as they were read last.", "table", found.row_counts.items()),
        ("odim_rows_skipped", "Those of them that cannot be used.", "reason", found.skipped_counts.items()),
    )
    for name, words, label, counts in told:
        family = GaugeMetricFamily(_PREFIX + name, words, labels=[label])
        for of, count in counts:
            family.add_metric([of], count)
        yield family
    if found.read_age_s is not None:
        yield _gauge("odim_read_age_seconds", "Since ODIM's tables were read last.", found.read_age_s)


def gauges(rows: Sequence[SubscriptionStatus]) -> Iterator[Metric]:
    """
    How each subscription stands.
    """
    told: tuple[tuple[str, str, Callable[[SubscriptionStatus], float | None]], ...] = (
        ("dead_letters", "Deliveries that failed for good and are kept.", lambda row: row.dead_letter_count),
        ("waiting", "Deliveries that are parked until their turn comes.", lambda row: row.waiting_count),
        ("oldest_waiting_age_seconds", "Age of the event that has waited longest.", lambda row: row.oldest_age_s or 0),
        ("breaker_state", "Of the destination: 0 closed, 1 half-open, 2 open.", _breaker),
    )
    for name, words, value_of in told:
        family = GaugeMetricFamily(_PREFIX + name, words, labels=["subscription"])
        for row in rows:
            family.add_metric([row.subscription_id], value_of(row) or 0)
        yield family


def _breaker(row: SubscriptionStatus) -> float:
    return _BREAKERS[row.destination.breaker]


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, words, value=value)


def _ask_kafka() -> int:
    with closing(bootstrap.kafka_source()) as source:
        return sum(row.lag for row in partition_status(source, bootstrap.ledger_figures().positions()))


_kafka_lag: Recent[int] = Recent(_ask_kafka, max_age_s=5.0, patience_s=1.0)
_queue_depth: Recent[int] = Recent(lambda: bootstrap.publisher().queue_depth(), max_age_s=1.0, patience_s=1.0)
