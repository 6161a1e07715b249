"""
`odim-relay status`.
"""

from collections.abc import Sequence
from contextlib import closing, nullcontext

import click

from odim_relay import bootstrap
from odim_relay.cli.exits import UNREACHABLE, FailedCommand
from odim_relay.cli.output import age, json_option, print_fields, print_json, print_table, quiet_logs
from odim_relay.domain.destination import without_secrets
from odim_relay.use_cases.readiness import Unreachable
from odim_relay.use_cases.status import PartitionStatus, Status, SubscriptionStatus, read_status

_MOST_ROWS = 30


@click.command()
@json_option
def status(*, as_json: bool) -> None:
    """
    Show what is queued, waiting and parked, how far Kafka has been read, and what was counted.

    With a store down it shows the rest and exits with 3.
    """
    quiet_logs()
    unreachable = bootstrap.readiness()
    found = _read(unreachable)
    if as_json:
        print_json(to_json(found, unreachable))
    else:
        _print(found)
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
        "subscriptions": [
            {
                "id": row.subscription_id,
                "name": row.subscription.name if row.subscription else None,
                "destination": without_secrets(row.subscription.destination) if row.subscription else None,
                "waiting": row.waiting_count,
                "dead_letters": row.dead_letter_count,
                "oldest_age_s": row.oldest_age_s,
            }
            for row in found.subscriptions
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
        "counters": dict(found.counters),
    }


def _print(found: Status) -> None:
    has_ledger = found.active_count is not None
    figures = {
        "queued in the broker": found.queue_depth,
        "under way": found.active_count,
        "waiting": sum(row.waiting_count for row in found.subscriptions) if has_ledger else None,
        "dead letters": sum(row.dead_letter_count for row in found.subscriptions) if has_ledger else None,
        "behind in Kafka": sum(row.lag for row in found.partitions) if found.partitions else None,
    }
    print_fields((name, "unknown" if count is None else count) for name, count in figures.items())
    _print_subscriptions(found.subscriptions)
    _print_partitions(found.partitions)
    if found.counters:
        click.echo()
        print_table(("counted since the ledger's birth", "count"), found.counters.items())


def _print_subscriptions(rows: Sequence[SubscriptionStatus]) -> None:
    if not rows:
        return
    # The first to look at is the one that holds most.
    ordered = sorted(rows, key=lambda row: -(row.waiting_count + row.dead_letter_count))
    click.echo()
    print_table(
        ("subscription", "destination", "waiting", "dead letters", "oldest"),
        [
            (
                row.subscription_id,
                without_secrets(row.subscription.destination) if row.subscription else "(deleted)",
                row.waiting_count,
                row.dead_letter_count,
                "" if row.oldest_age_s is None else age(row.oldest_age_s),
            )
            for row in ordered[:_MOST_ROWS]
        ],
    )
    if len(rows) > _MOST_ROWS:
        click.echo(f"and {len(rows) - _MOST_ROWS} more subscriptions; --json shows all")


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
