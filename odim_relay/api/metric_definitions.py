"""
Every metric that is told: one table, which `/metrics`, docs/metrics.md and what checks alert rules are made from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from odim_relay.domain.delivery import DEAD_LETTER_REASONS, WAITING_REASONS
from odim_relay.domain.measures import FAILURES, STATUS_CLASSES
from odim_relay.ports import SuspendedBy

PREFIX = "odim_relay_"


class Kind(StrEnum):
    """
    Prometheus's types.
    """

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """
    One metric.

    Attributes:
        name: as it is queried; a histogram's series add `_bucket`, `_count` and `_sum` to it.
        labels: names of its labels, but for a histogram's `le`.
        values: the sets of label values that are told from the start, 0 if need be: a rate needs a value to begin with.
            Of a label that has none here the values are ids or names that come and go, as many as there are.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """
        The names of its series.
        """
        if self.kind is Kind.HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
        return (self.name,)


def _counter(name: str, meaning: str, label: str = "", values: Iterable[str] = ()) -> MetricDefinition:
    labels, told = ((label,), tuple((value,) for value in values)) if label else ((), ((),))
    return MetricDefinition(
        name=f"{PREFIX}{name}_total", kind=Kind.COUNTER, meaning=meaning, labels=labels, values=told
    )


def _gauge(name: str, meaning: str, label: str = "") -> MetricDefinition:
    labels = (label,) if label else ()
    return MetricDefinition(name=PREFIX + name, kind=Kind.GAUGE, meaning=meaning, labels=labels)


def _of_subscription(name: str, meaning: str) -> MetricDefinition:
    return _gauge(name, meaning, "subscription")


def _histogram(name: str, meaning: str) -> MetricDefinition:
    return MetricDefinition(name=PREFIX + name, kind=Kind.HISTOGRAM, meaning=meaning)


def _of_process(name: str, kind: Kind, meaning: str) -> MetricDefinition:
    return MetricDefinition(name=f"process_{name}", kind=kind, meaning=f"Of the api process that answers: {meaning}.")


_INTAKE = (
    _counter("records_ingested", "Kafka records that were taken in."),
    _counter("events_ingested", "Events in them."),
    _counter("events_unmatched", "Events that no subscription wanted."),
    _counter("events_unknown_source", "Events whose source is not in the inventory."),
    _counter("events_announced", "Events of our own, for subscribers: test events, heartbeats, notices."),
    _counter("records_quarantined", "Kafka records that could not be understood, and are kept."),
    _counter("quarantine_replayed", "Quarantined records that were taken in after all."),
    _counter(
        "records_ignored",
        "Kafka records that are not for subscribers; without a kind what was counted before there were kinds.",
        "kind",
        ("plugin_start_up", "control_message"),
    ),
    _gauge("kafka_lag", "Records that Kafka holds and that were not taken in; absent while Kafka does not answer."),
)
_DELIVERIES = (
    _counter("deliveries_created", "Deliveries that were written to the ledger."),
    _counter(
        "deliveries",
        "Deliveries that left the ledger: answered 2xx, sent once without waiting for what comes of it, or by a rule.",
        "outcome",
        ("delivered", "at_most_once", "expired", "over_quota", "discarded", "subscription_deleted"),
    ),
    _histogram("delivery_latency_seconds", "From Kafka's timestamp of the record to the subscriber's 2xx."),
    MetricDefinition(
        name=f"{PREFIX}attempts_total",
        kind=Kind.COUNTER,
        meaning="Requests that were made, each once, also with several events in it. A delivered one was answered 2xx; "
        "a rejected one in a way that trying again cannot mend; gone is 410.",
        labels=("outcome", "status_class"),
        values=tuple((verdict, name) for verdict, names in STATUS_CLASSES.items() for name in names),
    ),
    _counter("attempt_failures", "Requests that were not answered, and why.", "failure", FAILURES),
    _histogram("attempt_duration_seconds", "How long a request took, to its answer or its failure."),
    _counter("deliveries_retried", "Retries within the budget of a delivery that were planned."),
    _counter("parked", "Times that a delivery was parked to wait for its turn.", "reason", sorted(WAITING_REASONS)),
    _counter(
        "dead_letters",
        "Times that a delivery was parked as a dead letter.",
        "reason",
        sorted(DEAD_LETTER_REASONS),
    ),
    _counter("replays", "Deliveries that came out of the dead-letter store after an attempt, to be sent again."),
    _counter("released_by_hand", "Parked deliveries that a person let go."),
    _counter("expired", "Deliveries that left unsent since their retention had ended."),
    _counter(
        "discarded",
        "What a person let go unsent, and what left over its quota: quarantined records, notices.",
        "what",
        ("deliveries", "quarantine", "quarantine_over_quota", "notices_over_quota"),
    ),
    _counter("reaped", "Deliveries that the reaper found lapsed, and mended: a lost task, a killed worker."),
    _gauge("deliveries_active", "Deliveries that are queued, sent, waiting for a retry, or parked with a due time."),
    _gauge("queue_depth", "Delivery tasks in the broker's queue; absent while the broker does not answer."),
)
_DESTINATIONS = (
    _counter("breakers_opened", "Times that a destination's breaker opened."),
    _counter("breakers_closed", "Times that a destination answered again."),
    _counter("probes", "Deliveries that were sent to probe a destination."),
    _counter("connection_probes", "Connections that were tried to destinations that had taken none."),
    _counter("subscriptions_suspended", "Subscriptions that were suspended.", "reason", SuspendedBy),
    _counter("subscriptions_terminated", "Subscriptions that TerminateAfterRetries ended."),
)
_SUBSCRIPTIONS = (
    _gauge("subscriptions", "Subscriptions that there are."),
    _of_subscription("dead_letters", "Deliveries that failed for good and are kept."),
    _of_subscription("waiting", "Deliveries that are parked until their turn comes."),
    _of_subscription("oldest_waiting_age_seconds", "Age of the event that has waited longest; 0 when none waits."),
    _of_subscription("breaker_state", "Of its destination: 0 closed, 1 half-open, 2 open."),
    _of_subscription("subscription_suspended", "1 when it is suspended, else 0."),
)
_STORES = (
    _gauge("ledger_bytes", "What the ledger holds, about: payloads, and what each delivery costs beside them."),
    _gauge("ledger_max_bytes", "What it may hold (LEDGER__MAX_BYTES); over four fifths of it the oldest leave."),
    _gauge("quarantine_records", "Records in quarantine."),
    _gauge("quarantine_bytes", "Their size; over QUARANTINE__MAX_BYTES the oldest leave."),
    _gauge("sources", "Addresses that events come from and that are known.", "keeper"),
    _gauge("aggregates", "Aggregates that are known.", "keeper"),
    _gauge("odim_rows", "Rows of ODIM's tables, as they were read last.", "table"),
    _gauge("odim_rows_skipped", "Those of them that cannot be used.", "reason"),
    _gauge("odim_read_age_seconds", "Since ODIM's tables were read last; absent when they never were."),
)
_PROCESSES = (
    _gauge("build_info", "1; its label tells the version of the api process that answers.", "version"),
    _gauge("store_up", "1 when the store answered lately, else 0: redis, broker, kafka.", "store"),
    _gauge("beat_up", "1 when some beat sends the schedule, else 0."),
    _gauge("workers", "Worker processes that claimed a delivery within the last minute."),
    _gauge("worker_slots", "Their slots together."),
    _gauge(
        "api_certificate_expires_at_seconds",
        "When the certificate of the api process that answers expires, since the epoch; absent without TLS.",
    ),
    _of_process("cpu_seconds_total", Kind.COUNTER, "CPU time"),
    _of_process("resident_memory_bytes", Kind.GAUGE, "memory"),
    _of_process("virtual_memory_bytes", Kind.GAUGE, "address space"),
    _of_process("start_time_seconds", Kind.GAUGE, "when it started, since the epoch"),
    _of_process("open_fds", Kind.GAUGE, "open files and sockets"),
    _of_process("max_fds", Kind.GAUGE, "how many it may open"),
)

SECTIONS: Mapping[str, Sequence[MetricDefinition]] = MappingProxyType(
    {
        "Taking events in": _INTAKE,
        "Deliveries and attempts": _DELIVERIES,
        "Destinations": _DESTINATIONS,
        "Subscriptions": _SUBSCRIPTIONS,
        "Stores": _STORES,
        "Processes": _PROCESSES,
    }
)
METRICS: Mapping[str, MetricDefinition] = MappingProxyType(
    {definition.name: definition for section in SECTIONS.values() for definition in section}
)
"""
By name.
"""
