"""
`odim-relay dead-letters`.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

import click

from odim_relay import bootstrap
from odim_relay.cli.deliveries import print_delivery, to_json
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.instants import InstantType
from odim_relay.cli.output import (
    age,
    instant,
    json_option,
    print_json,
    print_json_array,
    print_table,
    quiet_logs,
)
from odim_relay.domain.delivery import DEAD_LETTER_REASONS, ParkReason, State
from odim_relay.ports import DeliveryRecord
from odim_relay.use_cases.dead_letters import Selection, select

Command = TypeVar("Command", bound=Callable[..., Any])

_LIMIT = 100
_FILTERS = (
    click.option("--subscription", "subscription_ids", multiple=True, metavar="ID", help="Of this subscription."),
    click.option("--destination", "destinations", multiple=True, metavar="URL", help="That would be sent there."),
    click.option(
        "--reason",
        "reasons",
        multiple=True,
        type=click.Choice([str(reason) for reason in ParkReason]),
        help="Parked so.",
    ),
    click.option(
        "--since", "since_ms", type=InstantType(), help="Parked then or later: an instant, or 2h for how long ago."
    ),
    click.option("--until", "until_ms", type=InstantType(), help="Parked then or earlier."),
    click.option("--id", "delivery_ids", multiple=True, metavar="ID", help="This delivery."),
)


def _filters(command: Command) -> Command:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _select(**given: Any) -> Iterator[DeliveryRecord]:
    given["reasons"] = [ParkReason(reason) for reason in given["reasons"]]
    return select(bootstrap.delivery_listing(), bootstrap.subscribe().everything, Selection(**given))


@click.group("dead-letters")
def dead_letters() -> None:
    """
    Deliveries that are parked: dead letters, and those that wait without a task.
    """
    quiet_logs()


@dead_letters.command("list")
@_filters
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=_LIMIT,
    show_default=True,
    help="At most so many; 0 is all.",
)
@json_option
def list_(*, limit: int, as_json: bool, **given: Any) -> None:
    """
    List them: by subscription, in the order they came in. Filters given several times are alternatives.
    """
    # One more than asked for, to know whether there are more.
    found = _select(**given, limit=limit + 1 if limit else None)
    if as_json:
        print_json_array(to_json(record) for record in (islice(found, limit) if limit else found))
    else:
        shown = islice(found, limit) if limit else found
        print_table(
            ("id", "subscription", "reason", "attempts", "parked", "next try", "last failure"),
            [
                (
                    record.delivery_id,
                    record.subscription_id,
                    record.reason,
                    record.attempts,
                    instant(record.parked_at_ms),
                    instant(record.due_at_ms),
                    _last(record),
                )
                for record in shown
            ],
        )
    if limit and next(found, None) is not None:
        click.echo(f"There are more than {limit}; --limit 0 lists all", err=True)


def _last(record: DeliveryRecord) -> str:
    return " ".join(str(record.last[name]) for name in ("status", "failure", "detail") if name in record.last)


@dead_letters.command()
@click.argument("delivery_id", metavar="ID")
@json_option
def show(delivery_id: str, *, as_json: bool) -> None:
    """
    Show one, with the payload of its event.
    """
    listing = bootstrap.delivery_listing()
    record = listing.delivery(delivery_id)
    if record is None or record.state is not State.PARKED:
        where = "is not in the ledger" if record is None else f"is not parked but {record.state}"
        raise FailedCommand(f"delivery {delivery_id} {where}: `odim-relay deliveries show` tells more")
    print_delivery(record, listing.payload(record.event_id), as_json=as_json)


@dead_letters.command()
@json_option
def stats(*, as_json: bool) -> None:
    """
    Count them by subscription and reason, with the age of the oldest event.
    """
    backlogs = bootstrap.delivery_listing().backlogs()
    now_ms = bootstrap.ledger_figures().now_ms()
    rows = [
        {
            "subscription": backlog.subscription_id,
            "reason": str(backlog.reason),
            "kind": "dead letter" if backlog.reason in DEAD_LETTER_REASONS else "waiting",
            "count": backlog.count,
            "oldest_age_s": max(now_ms - backlog.oldest_at_ms, 0) / 1000,
        }
        for backlog in backlogs
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("subscription", "reason", "kind", "count", "oldest"),
        [
            (row["subscription"], row["reason"], row["kind"], row["count"], age(float(str(row["oldest_age_s"]))))
            for row in rows
        ],
    )
