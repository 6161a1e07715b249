"""
What commands tell of sources and aggregates.
"""

import json

import click

from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.output import counted, moment, print_json
from odim_relay.use_cases.sources import Changes, Removal


def changes_to_json(changes: Changes) -> dict[str, int]:
    """
    How many were added, changed, unchanged, removed.
    """
    return {
        "added": changes.added_count,
        "changed": changes.changed_count,
        "unchanged": changes.unchanged_count,
        "removed": changes.removed_count,
    }


def changes_in_words(changes: Changes) -> str:
    """
    The same for people.
    """
    return ", ".join(f"{count} {name}" for name, count in changes_to_json(changes).items())


def print_removal(removal: Removal, noun: str, *, as_json: bool) -> None:
    """
    Tell what was removed, and what was not.

    Raises:
        FailedCommand: something was not removed because ODIM keeps it.
    """
    if as_json:
        print_json(
            {"removed": list(removal.removed), "kept_by_odim": list(removal.odims), "missing": list(removal.missing)}
        )
    else:
        click.echo(f"{counted(len(removal.removed), noun)} removed")
        for name in removal.missing:
            click.echo(f"There was no {noun} {name}")
    if removal.odims:
        raise FailedCommand(
            f"{', '.join(removal.odims)} stays: ODIM keeps it; remove it there, or add one of your own, which counts "
            "instead"
        )


def tell_last_reading(reading: tuple[int, str] | None) -> None:
    """
    Say on stderr what the last reading of ODIM's tables had to pass over; nothing where it passed over nothing.
    """
    if reading is None:
        return
    read_at_ms, report = reading
    skipped = json.loads(report).get("skipped", {})
    if skipped:
        told = ", ".join(f"{reason.replace('_', ' ')}: {count}" for reason, count in sorted(skipped.items()))
        click.echo(
            f"ODIM's tables, as read {moment(read_at_ms)} UTC, hold what is not used: {told}; "
            "`odim-relay odim import --dry-run --inventory` tells each",
            err=True,
        )
