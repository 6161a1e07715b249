"""
Metrics for Prometheus, from the shared store: what every process counted, and how things stand.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.registry import Collector

from odim_relay import __version__, bootstrap
from odim_relay.api import store_answers
from odim_relay.api.certificates import ShownCertificate, shown_certificate
from odim_relay.api.metric_definitions import METRICS, PREFIX, Kind
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.measures import DURATION, LATENCY, histogram
from odim_relay.ports import LedgerSizes, Workforce
from odim_relay.use_cases.status import (
    InventoryStatus,
    SubscriptionStatus,
    read_inventory,
    read_standings,
)

__all__ = ["CONTENT_TYPE", "metrics_text"]

_RENAMED = {"waiting": "parked"}
"""
Counters whose names in the store would be those of gauges.
"""
_ALSO = {"deliveries:expired": "expired", "deliveries:discarded": "discarded:deliveries"}
"""
Outcomes that are counters of their own, too.
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
    for recent in (store_answers.queue_depth, store_answers.partitions):
        recent.begin()
    figures = bootstrap.ledger_figures()
    measured = figures.measures()
    yield from counters({**figures.counters(), **measured})
    yield from histograms(measured)
    flows, now_ms = bootstrap.flow_listing(), figures.now_ms()
    ids = bootstrap.subscription_store().ids()
    rows = read_standings(ids, bootstrap.delivery_listing().backlogs(), flows, now_ms)
    yield from gauges(rows)
    yield from sizes(figures.sizes(), figures.active_count())
    yield from inventory_gauges(read_inventory(bootstrap.inventory_store(), now_ms))
    yield from workers(flows.workforce())
    yield from stores(
        {"broker": ("queue_depth", store_answers.queue_depth()), "kafka": ("kafka_lag", store_answers.kafka_lag())}
    )
    yield _gauge("build_info", {(__version__,): 1})
    yield from certificate(shown_certificate())
    yield from _process()


def counters(counted: Mapping[str, int]) -> Iterator[Metric]:
    """
    The store's counters, `name`, `name:label` or `name:label:label`, as families. One that is not defined is of a newer
    version, and passed over.
    """
    by_name: dict[str, dict[tuple[str, ...], int]] = {
        definition.name: dict.fromkeys(definition.values, 0)
        for definition in METRICS.values()
        if definition.kind is Kind.COUNTER and definition.name.startswith(PREFIX)
    }
    totals = dict.fromkeys(_TOTALS, 0)
    for field, count in (*counted.items(), *((_ALSO[field], n) for field, n in counted.items() if field in _ALSO)):
        name, *labels = field.split(":")
        name = _RENAMED.get(name, name)
        if name in totals and not labels:
            totals[name] = count
        elif (definition := METRICS.get(f"{PREFIX}{name}_total")) and len(labels) == len(definition.labels):
            by_name[definition.name][tuple(labels)] = count
    for name, total in totals.items():
        by_label = by_name[f"{PREFIX}{name}_total"]
        if (rest := total - sum(by_label.values())) > 0:
            by_label[("",)] = rest
    for name, by_label in sorted(by_name.items()):
        definition = METRICS[name]
        family = CounterMetricFamily(name.removesuffix("_total"), definition.meaning, labels=definition.labels)
        for of, count in by_label.items():
            family.add_metric(of, count)
        yield family


def histograms(measured: Mapping[str, int]) -> Iterator[Metric]:
    """
    What was measured in time.
    """
    for name, kind in (("attempt_duration_seconds", DURATION), ("delivery_latency_seconds", LATENCY)):
        definition = METRICS[PREFIX + name]
        buckets, sum_s = histogram(kind, measured)
        yield HistogramMetricFamily(definition.name, definition.meaning, buckets=buckets, sum_value=sum_s)


def inventory_gauges(found: InventoryStatus) -> Iterator[Metric]:
    """
    How much is known of sources and aggregates, and how old that is which ODIM keeps.
    """
    for name, counts in (
        ("sources", found.source_counts),
        ("aggregates", found.aggregate_counts),
        ("odim_rows", found.row_counts),
        ("odim_rows_skipped", found.skipped_counts),
    ):
        yield _gauge(name, {(of,): count for of, count in counts.items()})
    if found.read_age_s is not None:
        yield _gauge("odim_read_age_seconds", found.read_age_s)


def gauges(rows: Sequence[SubscriptionStatus]) -> Iterator[Metric]:
    """
    How each subscription stands.
    """
    yield _gauge("subscriptions", sum(row.flow.exists for row in rows))
    labels = [(row.subscription_id,) for row in rows]
    for name, values in (
        ("dead_letters", [row.dead_letter_count for row in rows]),
        ("waiting", [row.waiting_count for row in rows]),
        ("oldest_waiting_age_seconds", [row.oldest_age_s or 0 for row in rows]),
        ("breaker_state", [_BREAKERS[row.destination.breaker] for row in rows]),
        ("subscription_suspended", [int(bool(row.flow.suspended_by)) for row in rows]),
    ):
        yield _gauge(name, dict(zip(labels, values, strict=True)))


def sizes(found: LedgerSizes, active_count: int) -> Iterator[Metric]:
    """
    How much is kept, and whether the schedule is sent.
    """
    yield _gauge("deliveries_active", active_count)
    yield _gauge("ledger_bytes", found.held_bytes)
    yield _gauge("ledger_max_bytes", found.max_bytes)
    yield _gauge("quarantine_records", found.quarantine_count)
    yield _gauge("quarantine_bytes", found.quarantine_bytes)
    yield _gauge("beat_up", int(found.has_beat))


def workers(found: Workforce) -> Iterator[Metric]:
    """
    Who sends.
    """
    yield _gauge("workers", found.worker_count)
    yield _gauge("worker_slots", found.slot_count)


def stores(answers: Mapping[str, tuple[str, int | None]]) -> Iterator[Metric]:
    """
    Which stores answer, and what; of Redis all the rest is, so it does.

    Args:
        answers: by store, the gauge that it answers for and its value; None when it did not answer.
    """
    yield _gauge(
        "store_up", {("redis",): 1} | {(store,): int(value is not None) for store, (_, value) in answers.items()}
    )
    for name, value in answers.values():
        if value is not None:
            yield _gauge(name, value)


def certificate(shown: ShownCertificate) -> Iterator[Metric]:
    """
    What new connections to this process get.
    """
    if shown.expires_at_s is not None:
        yield _gauge("api_certificate_expires_at_seconds", shown.expires_at_s)


def _gauge(name: str, values: float | Mapping[tuple[str], float]) -> Metric:
    definition = METRICS[PREFIX + name]
    family = GaugeMetricFamily(definition.name, definition.meaning, labels=definition.labels)
    if isinstance(values, Mapping):
        for labels, value in values.items():
            family.add_metric(labels, value)
    else:
        family.add_metric((), values)
    return family


def _process() -> Iterator[Metric]:
    for family in ProcessCollector(registry=None).collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        if name in METRICS:
            family.documentation = METRICS[name].meaning
            yield family
