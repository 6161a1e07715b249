"""
What was brought over from ODIM, and what was not and why.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click

from odim_relay.cli.inventory_output import changes_in_words, changes_to_json
from odim_relay.cli.output import counted, print_table
from odim_relay.domain.destination import without_secrets
from odim_relay.formats.odim_rows import RowFlaw
from odim_relay.use_cases.odim_import import Became, Carried
from odim_relay.use_cases.odim_undelivered import Imported, Survey
from odim_relay.use_cases.sources import Changes

_TOLD = 20
_DROPPED = (
    "ODIM keeps neither HttpHeaders nor VerifyCertificate, and no filters by registry, definition or exclusion: what a "
    "subscriber gave of these is to be given again, with `odim-relay subscriptions update`"
)


@dataclass(slots=True)
class ImportReport:
    """
    What is to be told; None for what was not asked for.

    Attributes:
        flaws: of rows of ODIM's tables.
        imported: None also of a dry run.
    """

    is_dry_run: bool
    flaws: Sequence[RowFlaw] = ()
    inventory: Changes | None = None
    subscriptions: Sequence[Carried] | None = None
    undelivered: Survey | None = None
    imported: Imported | None = None


def to_json(report: ImportReport) -> dict[str, object]:
    """
    All of it, for programs.
    """
    document: dict[str, object] = {"dry_run": report.is_dry_run, "not_used": _flaws_to_json(report.flaws)}
    if report.inventory is not None:
        document["inventory"] = changes_to_json(report.inventory)
    if report.subscriptions is not None:
        document["subscriptions"] = [
            {
                "id": one.subscription.subscription_id,
                "odim_id": one.odim_id,
                "name": one.subscription.name,
                "destination": one.subscription.destination,
                "became": str(one.became),
                "notes": list(one.notes),
            }
            for one in report.subscriptions
        ]
    if report.undelivered is not None:
        survey = report.undelivered
        document["undelivered"] = {
            "found": survey.found_count,
            "to_import": len(survey.waiting),
            "counts": [{"subscription": id_, "count": count} for id_, count in sorted(survey.counts.items())],
            "imported_before": len(survey.known_ids),
            "without_subscription": [
                {"destination": url, "count": count} for url, count in sorted(survey.without_subscription.items())
            ],
            "not_used": _flaws_to_json(survey.flaws),
            "imported": 0 if report.imported is None else report.imported.count,
            "left_meanwhile": 0 if report.imported is None else report.imported.left_count,
        }
    return document


def _flaws_to_json(flaws: Iterable[RowFlaw]) -> list[dict[str, str]]:
    return [{"reason": flaw.reason, "detail": flaw.detail} for flaw in flaws]


def print_report(report: ImportReport) -> None:
    """
    The same for people; of what is not used so many rows.
    """
    if report.subscriptions is not None:
        _print_subscriptions(report.subscriptions, would_be="would be " if report.is_dry_run else "")
    if report.inventory is not None:
        click.echo(
            f"Sources and aggregates{' would be' if report.is_dry_run else ''}: {changes_in_words(report.inventory)}"
        )
    _print_flaws("row of ODIM's tables is", "rows of ODIM's tables are", report.flaws)
    if report.undelivered is not None:
        for line in _of_undelivered(report.undelivered, report.imported):
            click.echo(line)
        _print_flaws("undelivered event is", "undelivered events are", report.undelivered.flaws)


def _print_subscriptions(carried: Sequence[Carried], *, would_be: str) -> None:
    if carried:
        print_table(
            ("id", "destination", "became", "notes"),
            [
                (
                    one.subscription.subscription_id,
                    without_secrets(one.subscription.destination),
                    str(one.became).replace("_", " "),
                    "\n".join(one.notes),
                )
                for one in carried
            ],
        )
    counts = Counter(one.became for one in carried)
    told = [
        f"{counts[Became.IMPORTED] + counts[Became.ADOPTED]} {would_be}imported",
        f"{counts[Became.OURS]} ours already",
        f"{counts[Became.REFUSED]} refused",
    ]
    click.echo(f"{counted(len(carried), 'subscription')}: {', '.join(told)}")
    if counts[Became.IMPORTED] + counts[Became.ADOPTED]:
        click.echo(_DROPPED)


def _of_undelivered(survey: Survey, imported: Imported | None) -> Iterator[str]:
    count = len(survey.waiting) if imported is None else imported.count
    did = "would be imported" if imported is None else "imported"
    yield f"{counted(survey.found_count, 'undelivered event')}: {count} {did}, {len(survey.known_ids)} were before"
    for url, number in sorted(survey.without_subscription.items()):
        told = counted(number, "event stays", "events stay")
        yield (
            f"{told} in ODIM's Redis, for no subscription has the destination {without_secrets(url)}: make one and "
            "import again"
        )
    if imported is not None and imported.left_count:
        yield f"{imported.left_count} had left ODIM's Redis meanwhile, or their subscription had gone"


def _print_flaws(noun: str, plural: str, flaws: Sequence[RowFlaw]) -> None:
    if not flaws:
        return
    click.echo(f"{counted(len(flaws), noun, plural)} not used:")
    for flaw in flaws[:_TOLD]:
        click.echo(f"  {flaw.reason.replace('_', ' ')}: {flaw.detail}")
    if len(flaws) > _TOLD:
        click.echo(f"  and {len(flaws) - _TOLD} more; --json tells all")
