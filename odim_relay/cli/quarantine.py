"""
`odim-relay quarantine`.
"""

from itertools import islice

import click

from odim_relay import bootstrap
from odim_relay.cli.deliveries import as_text
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.output import (
    instant,
    json_option,
    print_fields,
    print_json,
    print_json_array,
    print_table,
    quiet_logs,
)
from odim_relay.ports import QuarantinedRecord

_LIMIT = 100


@click.group()
def quarantine() -> None:
    """
    Kafka records that could not be understood.
    """
    quiet_logs()


@quarantine.command("list")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=_LIMIT,
    show_default=True,
    help="At most so many; 0 is all.",
)
@json_option
def list_(*, limit: int, as_json: bool) -> None:
    """
    List them, oldest first.
    """
    found = iter(bootstrap.quarantine_listing().entries())
    shown = islice(found, limit) if limit else found
    if as_json:
        print_json_array(_to_json(entry) for entry in shown)
    else:
        print_table(
            ("id", "since", "reason", "bytes", "detail"),
            [
                (entry.entry_id, instant(entry.quarantined_at_ms), entry.reason, entry.size, entry.detail)
                for entry in shown
            ],
        )
    if limit and next(found, None) is not None:
        click.echo(f"There are more than {limit}; --limit 0 lists all", err=True)


@quarantine.command()
@click.argument("entry_id", metavar="ID")
@json_option
def show(entry_id: str, *, as_json: bool) -> None:
    """
    Show one, with the record's bytes.
    """
    found = bootstrap.quarantine_listing().entry(entry_id)
    if found is None:
        raise FailedCommand(f"{entry_id} is not in quarantine: `odim-relay quarantine list` shows what is")
    document = _to_json(found[0]) | as_text("value", found[1])
    if as_json:
        print_json(document)
    else:
        print_fields((name.replace("_", " "), value) for name, value in document.items())


def _to_json(entry: QuarantinedRecord) -> dict[str, object]:
    return {
        "id": entry.entry_id,
        "record": entry.record,
        "recorded_at": instant(entry.recorded_at_ms),
        "quarantined_at": instant(entry.quarantined_at_ms),
        "reason": entry.reason,
        "detail": entry.detail,
        "size": entry.size,
    }
