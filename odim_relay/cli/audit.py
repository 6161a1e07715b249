"""
`odim-relay audit`.
"""

from itertools import islice

import click

from odim_relay import bootstrap
from odim_relay.cli.instants import InstantType
from odim_relay.cli.output import instant, json_option, moment, print_json_array, print_table, quiet_logs
from odim_relay.ports import Action, AuditEntry, AuditSelection

_LIMIT = 100
_KINDS = sorted({action.partition(".")[0] for action in Action})


@click.group()
def audit() -> None:
    """
    Who did what to the relay: by the API, on the operator page, or by these commands.
    """
    quiet_logs()


@audit.command("list")
@click.option("--since", "since_ms", type=InstantType(), help="Done then or later: an instant, or 2h for how long ago.")
@click.option("--until", "until_ms", type=InstantType(), help="Done then or earlier.")
@click.option(
    "--actor", "actors", multiple=True, metavar="NAME", help="By this one; api, cli, page: by all who came so."
)
@click.option(
    "--action",
    "actions",
    multiple=True,
    metavar="ACTION",
    type=click.Choice([*map(str, Action), *_KINDS]),
    help=f"Of this kind: {', '.join(_KINDS)}; or one of them, as subscription.deleted.",
)
@click.option("--subject", "subjects", multiple=True, metavar="ID", help="To this one.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=_LIMIT,
    show_default=True,
    help="At most so many; 0 is all.",
)
@json_option
def list_(
    *,
    since_ms: int | None,
    until_ms: int | None,
    actors: tuple[str, ...],
    actions: tuple[str, ...],
    subjects: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """
    List what was done, newest first. Filters given several times are alternatives.
    """
    selection = AuditSelection(since_ms=since_ms, until_ms=until_ms, actors=actors, actions=actions, subjects=subjects)
    found = bootstrap.audit_listing().entries(selection)
    shown = islice(found, limit) if limit else found
    if as_json:
        print_json_array(_to_json(entry) for entry in shown)
    else:
        print_table(("at (UTC)", "by", "from", "action", "subject", "count", "result"), map(_row, shown))
    if limit and next(found, None) is not None:
        click.echo(f"There are more than {limit}; --limit 0 lists all", err=True)


def _row(entry: AuditEntry) -> tuple[object, ...]:
    deed = entry.deed
    result = "; ".join(filter(None, (f"failed: {deed.error}" if deed.error else "done", deed.detail)))
    origin = " ".join(filter(None, (deed.actor.channel, deed.actor.client)))
    return (moment(entry.noted_at_ms), deed.actor.name, origin, deed.action, deed.subject, deed.count, result)


def _to_json(entry: AuditEntry) -> dict[str, object]:
    deed = entry.deed
    return {
        "id": entry.entry_id,
        "at": instant(entry.noted_at_ms),
        "actor": deed.actor.name,
        "channel": deed.actor.channel,
        "client": deed.actor.client,
        "action": deed.action,
        "subject": deed.subject,
        "count": deed.count,
        "detail": deed.detail,
        "result": "failed" if deed.error else "done",
        "error": deed.error,
    }
