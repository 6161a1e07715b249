"""
Where everything stands, in figures.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from odim_relay.domain.delivery import DEAD_LETTER_REASONS
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import (
    Backlog,
    DeliveryListing,
    DestinationFlow,
    FlowListing,
    InventoryStore,
    LedgerFigures,
    Position,
    RecordSource,
    SubscriptionFlow,
    TopicPartition,
    Workforce,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStatus:
    """
    How one subscription stands.

    Attributes:
        subscription: None when it was deleted, and what was parked for it is still being swept away; or when it was not
            asked for.
        destination: with its breaker, which all subscriptions of the same destination share.
        oldest_age_s: of the event that has waited longest; None when none does.
        last_failure: how its last attempt failed, as `DeliveryRecord.last`; empty when none did.
    """

    subscription_id: str
    subscription: Subscription | None
    flow: SubscriptionFlow
    destination: DestinationFlow
    waiting_count: int = 0
    dead_letter_count: int = 0
    oldest_age_s: float | None = None
    last_failure: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionStatus:
    """
    How far a partition was taken in.

    Attributes:
        position: None when it never was.
        lag: records that Kafka holds and that were not taken in.
    """

    partition: TopicPartition
    position: Position | None
    first: int
    end: int
    lag: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryStatus:
    """
    What is known of sources and aggregates, and since when of those that ODIM keeps.

    Attributes:
        source_counts, aggregate_counts: by keeper.
        read_age_s: since ODIM's tables were read last; None when they never were.
        row_counts: of that reading, by table.
        skipped_counts: of its rows that cannot be used, by reason.
    """

    source_counts: Mapping[Keeper, int]
    aggregate_counts: Mapping[Keeper, int]
    read_age_s: float | None = None
    row_counts: Mapping[str, int] = field(default_factory=dict)
    skipped_counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_used(self) -> bool:
        """
        Whether there is anything to tell of.
        """
        return self.read_age_s is not None or any(self.source_counts.values()) or any(self.aggregate_counts.values())


@dataclass(slots=True, kw_only=True)
class Status:
    """
    All of it; what a store that is down would have told is None or empty.

    Attributes:
        active_count: deliveries under way: queued, in sending, in a countdown, or parked with a due time.
    """

    queue_depth: int | None = None
    active_count: int | None = None
    workforce: Workforce | None = None
    subscriptions: Sequence[SubscriptionStatus] = ()
    partitions: Sequence[PartitionStatus] = ()
    inventory: InventoryStatus | None = None
    counters: Mapping[str, int] = field(default_factory=dict)


def read_subscriptions(
    subscriptions: Sequence[Subscription], backlogs: Sequence[Backlog], flows: FlowListing, now_ms: int
) -> list[SubscriptionStatus]:
    """
    Tell how these subscriptions stand, in their order, then those of the backlogs that are deleted.

    Raises:
        TransientError: Redis cannot be reached.
    """
    return _standings({one.subscription_id: one for one in subscriptions}, backlogs, flows, now_ms)


def read_standings(
    subscription_ids: Sequence[str], backlogs: Sequence[Backlog], flows: FlowListing, now_ms: int
) -> list[SubscriptionStatus]:
    """
    The same without the subscriptions themselves, which take long to read where there are thousands.

    Raises:
        TransientError: Redis cannot be reached.
    """
    return _standings(dict.fromkeys(subscription_ids), backlogs, flows, now_ms)


def _standings(
    known: Mapping[str, Subscription | None], backlogs: Sequence[Backlog], flows: FlowListing, now_ms: int
) -> list[SubscriptionStatus]:
    by_id = dict(known)
    by_subscription: dict[str, list[Backlog]] = {}
    for backlog in backlogs:
        by_id.setdefault(backlog.subscription_id, None)
        by_subscription.setdefault(backlog.subscription_id, []).append(backlog)
    flow = flows.subscriptions(by_id)
    destinations = flows.destinations(one.destination_id for one in flow.values())
    return [
        _subscription_status(
            subscription,
            flow[subscription_id],
            destinations[flow[subscription_id].destination_id],
            by_subscription.get(subscription_id, []),
            now_ms,
        )
        for subscription_id, subscription in by_id.items()
    ]


def _subscription_status(
    subscription: Subscription | None,
    flow: SubscriptionFlow,
    destination: DestinationFlow,
    backlogs: Sequence[Backlog],
    now_ms: int,
) -> SubscriptionStatus:
    dead = sum(backlog.count for backlog in backlogs if backlog.reason in DEAD_LETTER_REASONS)
    oldest_at_ms = min((backlog.oldest_at_ms for backlog in backlogs), default=None)
    return SubscriptionStatus(
        subscription_id=flow.subscription_id,
        subscription=subscription,
        flow=flow,
        destination=destination,
        waiting_count=sum(backlog.count for backlog in backlogs) - dead,
        dead_letter_count=dead,
        oldest_age_s=None if oldest_at_ms is None else max(now_ms - oldest_at_ms, 0) / 1000,
        last_failure=backlogs[0].last if backlogs else {},
    )


def partition_status(source: RecordSource, positions: Mapping[TopicPartition, Position]) -> list[PartitionStatus]:
    """
    Compare the ledger's positions with Kafka's logs.

    Raises:
        TransientError: Kafka cannot be reached.
    """
    rows = []
    for partition in source.partitions():
        first, end = source.bounds(partition)
        position = positions.get(partition)
        # What Kafka has removed already cannot be behind; what lies beyond the end is of a log that is gone (L11).
        at = first if position is None or position.offset > end else max(position.offset, first)
        rows.append(PartitionStatus(partition=partition, position=position, first=first, end=end, lag=end - at))
    return rows


def read_inventory(store: InventoryStore, now_ms: int) -> InventoryStatus:
    """
    Tell how much is known of sources and aggregates.

    Raises:
        TransientError: Redis cannot be reached.
    """
    counts = store.counts()
    reading = store.last_reading()
    read_at_ms, report = (None, {}) if reading is None else (reading[0], json.loads(reading[1]))
    return InventoryStatus(
        source_counts={keeper: sources for keeper, (sources, _) in counts.items()},
        aggregate_counts={keeper: aggregates for keeper, (_, aggregates) in counts.items()},
        read_age_s=None if read_at_ms is None else max(now_ms - read_at_ms, 0) / 1000,
        row_counts=report.get("rows", {}),
        skipped_counts=report.get("skipped", {}),
    )


def read_status(
    *,
    subscriptions: Callable[[], Sequence[Subscription]] | None,
    listing: DeliveryListing | None,
    figures: LedgerFigures | None,
    flows: FlowListing | None,
    inventory: InventoryStore | None,
    source: RecordSource | None,
    queue_depth: Callable[[], int] | None,
) -> Status:
    """
    Ask the stores that are given; None stands for one that cannot be reached.

    Raises:
        TransientError: one that is given cannot be reached after all.
    """
    status = Status()
    positions: Mapping[TopicPartition, Position] = {}
    if subscriptions is not None and listing is not None and figures is not None and flows is not None:
        status.subscriptions = read_subscriptions(subscriptions(), listing.backlogs(), flows, figures.now_ms())
        status.workforce = flows.workforce()
        status.active_count = figures.active_count()
        status.counters = figures.counters()
        positions = figures.positions()
    if inventory is not None and figures is not None:
        status.inventory = read_inventory(inventory, figures.now_ms())
    if queue_depth is not None:
        status.queue_depth = queue_depth()
    if source is not None and figures is not None:
        status.partitions = partition_status(source, positions)
    return status
