"""
`odim-relay dead-letters`.
"""

from itertools import islice
from typing import Any

import click

from odim_relay import bootstrap
from odim_relay.cli.deliveries import print_delivery, to_json
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.letters import change, changing_options, chosen, filter_options
from odim_relay.cli.output import (
    age,
    json_option,
    moment,
    print_json,
    print_json_array,
    print_table,
    quiet_logs,
)
from odim_relay.domain.delivery import DEAD_LETTER_REASONS, State
from odim_relay.ports import DeliveryRecord
from odim_relay.use_cases.letters_by_hand import Verb

_LIMIT = 100


@click.group("dead-letters")
def dead_letters() -> None:
    """
    Deliveries that are parked: dead letters, and those that wait without a task.
    """
    quiet_logs()


@dead_letters.command("list")
@filter_options
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
    found = chosen(**given, limit=limit + 1 if limit else None)
    if as_json:
        print_json_array(to_json(record) for record in (islice(found, limit) if limit else found))
    else:
        shown = islice(found, limit) if limit else found
        print_table(
            ("id", "subscription", "reason", "attempts", "parked (UTC)", "next try (UTC)", "last failure"),
            [
                (
                    record.delivery_id,
                    record.subscription_id,
                    record.reason,
                    record.attempts,
                    moment(record.parked_at_ms),
                    moment(record.due_at_ms),
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
    history = bootstrap.attempt_listing().of_delivery(record.delivery_id)
    print_delivery(record, listing.payload(record.event_id), history, as_json=as_json)


@dead_letters.command()
@json_option
def stats(*, as_json: bool) -> None:
    """
    Count them by subscription and reason, with the age of the subscription's oldest event.
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
    if not rows:
        click.echo("Nothing is parked")
        return
    print_table(
        ("subscription", "reason", "kind", "count", "its oldest"),
        [
            (row["subscription"], row["reason"], row["kind"], row["count"], age(float(str(row["oldest_age_s"]))))
            for row in rows
        ],
    )


@dead_letters.command()
@filter_options
@click.option(
    "--rate",
    metavar="N",
    type=click.FloatRange(min=0, min_open=True),
    help="At most so many per second.  [default: all]",
)
@changing_options
@json_option
def replay(*, limit: int | None, rate: float | None, dry_run: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """
    Send them again: each takes its turn at its old place. Without filters, all of them.

    This is the way out for `rejected` and `broken` ones, and spares the others their wait. What fails again is parked
    again. May be stopped and started again: nothing is left out, and nothing is sent twice.
    """
    change(Verb.REPLAY, given, limit=limit, rate=rate, dry_run=dry_run, yes=yes, as_json=as_json)


@dead_letters.command()
@filter_options
@changing_options
@json_option
def discard(*, limit: int | None, dry_run: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """
    Remove them for good, unsent. They are counted. Without filters, all of them.
    """
    change(Verb.DISCARD, given, limit=limit, rate=None, dry_run=dry_run, yes=yes, as_json=as_json)
