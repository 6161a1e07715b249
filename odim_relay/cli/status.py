"""
`odim-relay status`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext

import click

from odim_relay import bootstrap
from odim_relay.cli import standing
from odim_relay.cli.exits import UNREACHABLE, FailedCommand
from odim_relay.cli.output import age, counted, json_option, print_fields, print_json, print_table, quiet_logs
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.keeper import Keeper
from odim_relay.use_cases.readiness import Unreachable
from odim_relay.use_cases.status import InventoryStatus, PartitionStatus, Status, SubscriptionStatus, read_status

_MOST_ROWS = 30


@click.command()
@json_option
def status(*, as_json: bool) -> None:
    """
    Show what is queued, waiting and parked, breakers, workers, how far Kafka has been read, and what was counted.

    With a store down it shows the rest and exits with 3.
    """
    quiet_logs()
    unreachable = bootstrap.readiness()
    found = _read(unreachable)
    if as_json:
        print_json(to_json(found, unreachable))
    else:
        _print(found, 0 if "redis" in {one.store for one in unreachable} else bootstrap.ledger_figures().now_ms())
    if unreachable:
        raise FailedCommand(
            "; ".join(f"{one.store} cannot be reached: {one.reason}" for one in unreachable), UNREACHABLE
        )


def _read(unreachable: Sequence[Unreachable]) -> Status:
    down = {one.store for one in unreachable}
    has_ledger = "redis" not in down
    with nullcontext() if "kafka" in down else closing(bootstrap.kafka_source()) as source:
        return read_status(
            subscriptions=bootstrap.subscribe().everything if has_ledger else None,
            listing=bootstrap.delivery_listing() if has_ledger else None,
            figures=bootstrap.ledger_figures() if has_ledger else None,
            flows=bootstrap.flow_listing() if has_ledger else None,
            inventory=bootstrap.inventory_store() if has_ledger else None,
            source=source,
            queue_depth=None if "broker" in down else bootstrap.publisher().queue_depth,
        )


def to_json(found: Status, unreachable: Sequence[Unreachable]) -> dict[str, object]:
    """
    The status for programs; what a store that is down would have told is null or empty.
    """
    return {
        "ready": not unreachable,
        "reasons": {one.store: one.reason for one in unreachable},
        "queue_depth": found.queue_depth,
        "under_way": found.active_count,
        "waiting": sum(row.waiting_count for row in found.subscriptions),
        "dead_letters": sum(row.dead_letter_count for row in found.subscriptions),
        "kafka_lag": sum(row.lag for row in found.partitions),
        "workers": found.workforce.worker_count if found.workforce else None,
        "slots": found.workforce.slot_count if found.workforce else None,
        "subscriptions": [
            {
                "id": row.subscription_id,
                "name": row.subscription.name if row.subscription else None,
                "destination": without_secrets(row.subscription.destination) if row.subscription else None,
                "waiting": row.waiting_count,
                "dead_letters": row.dead_letter_count,
                "oldest_age_s": row.oldest_age_s,
                "suspended": standing.suspension_to_json(row.flow),
                "breaker": str(row.destination.breaker),
            }
            for row in found.subscriptions
        ],
        "destinations": [
            {
                "destination": without_secrets(row.subscription.destination) if row.subscription else None,
                "subscriptions": count,
                **standing.breaker_to_json(row.destination),
            }
            for row, count in _destinations(found.subscriptions)
        ],
        "partitions": [
            {
                "topic": row.partition.topic,
                "partition": row.partition.partition,
                "offset": row.position.offset if row.position else None,
                "first": row.first,
                "end": row.end,
                "lag": row.lag,
            }
            for row in found.partitions
        ],
        "inventory": found.inventory and _inventory_to_json(found.inventory),
        "counters": dict(found.counters),
    }


def _inventory_to_json(found: InventoryStatus) -> dict[str, object]:
    return {
        "sources": dict(found.source_counts),
        "aggregates": dict(found.aggregate_counts),
        "odim": None
        if found.read_age_s is None
        else {
            "read_age_s": found.read_age_s,
            "rows": dict(found.row_counts),
            "skipped": dict(found.skipped_counts),
        },
    }


def _destinations(rows: Sequence[SubscriptionStatus]) -> list[tuple[SubscriptionStatus, int]]:
    """
    One subscription of each destination, and how many there are of it.
    """
    living = [row for row in rows if row.subscription]
    counts = Counter(row.destination.destination_id for row in living)
    first = {row.destination.destination_id: row for row in reversed(living)}
    return [(first[id_], count) for id_, count in counts.items()]


def _print(found: Status, now_ms: int) -> None:
    has_ledger = found.active_count is not None
    figures: dict[str, object] = {
        "queued in the broker": found.queue_depth,
        "under way": found.active_count,
        "waiting": sum(row.waiting_count for row in found.subscriptions) if has_ledger else None,
        "dead letters": sum(row.dead_letter_count for row in found.subscriptions) if has_ledger else None,
        "behind in Kafka": sum(row.lag for row in found.partitions) if found.partitions else None,
        "workers at work": found.workforce
        and f"{found.workforce.worker_count} in the last minute, with {counted(found.workforce.slot_count, 'slot')}",
    }
    print_fields((name, "unknown" if value is None else value) for name, value in figures.items())
    if found.inventory and found.inventory.is_used:
        print_fields(_inventory_fields(found.inventory, found.counters.get("events_unknown_source", 0)))
    _print_subscriptions(found.subscriptions)
    _print_destinations(found.subscriptions, now_ms)
    _print_partitions(found.partitions)
    if found.counters:
        click.echo()
        print_table(("counted since the ledger's birth", "count"), found.counters.items())


def _inventory_fields(found: InventoryStatus, unknown_count: int) -> Iterator[tuple[str, object]]:
    for name, counts in (("sources", found.source_counts), ("aggregates", found.aggregate_counts)):
        yield name, f"{counts[Keeper.OWN]} of our own, {counts[Keeper.ODIM]} of ODIM"
    if unknown_count:
        yield "events of unknown sources", unknown_count
    if found.read_age_s is not None:
        yield "ODIM's tables", f"read {age(found.read_age_s)} ago"
    if found.skipped_counts:
        yield "rows of them skipped", ", ".join(f"{reason} {count}" for reason, count in found.skipped_counts.items())


def _print_subscriptions(rows: Sequence[SubscriptionStatus]) -> None:
    if not rows:
        return
    # The first to look at is the one that holds most.
    ordered = sorted(rows, key=lambda row: -(row.waiting_count + row.dead_letter_count))
    click.echo()
    print_table(
        ("subscription", "destination", "state", "waiting", "dead", "oldest"),
        [
            (
                row.subscription_id,
                without_secrets(row.subscription.destination) if row.subscription else "(deleted)",
                standing.in_a_word(row) if row.subscription else "",
                row.waiting_count,
                row.dead_letter_count,
                "" if row.oldest_age_s is None else age(row.oldest_age_s),
            )
            for row in ordered[:_MOST_ROWS]
        ],
    )
    if len(rows) > _MOST_ROWS:
        click.echo(f"and {len(rows) - _MOST_ROWS} more subscriptions; --json shows all")
    suspended = [row for row in ordered if row.flow.suspended_by]
    if suspended:
        click.echo()
        print_table(
            ("subscription", "suspended"),
            [(row.subscription_id, standing.suspension(row.flow)) for row in suspended[:_MOST_ROWS]],
        )


def _print_destinations(rows: Sequence[SubscriptionStatus], now_ms: int) -> None:
    """
    Those that are not well.
    """
    troubled = [
        row
        for row, _ in _destinations(rows)
        if row.destination.breaker is not Breaker.CLOSED or row.destination.failure_count
    ]
    if not troubled:
        return
    click.echo()
    print_table(
        ("destination in trouble", "breaker", "failures", "in flight"),
        [
            (
                without_secrets(row.subscription.destination) if row.subscription else "",
                standing.breaker(row.destination, now_ms),
                row.destination.failure_count,
                row.destination.in_flight_count,
            )
            for row in troubled[:_MOST_ROWS]
        ],
    )


def _print_partitions(rows: Sequence[PartitionStatus]) -> None:
    if not rows:
        return
    click.echo()
    print_table(
        ("topic", "partition", "taken in up to", "end", "lag"),
        [
            (
                row.partition.topic,
                row.partition.partition,
                row.position.offset if row.position else "",
                row.end,
                row.lag,
            )
            for row in rows
        ],
    )
