"""
`odim-relay odim`.
"""

import click

from odim_relay import bootstrap
from odim_relay.cli.odim_report import ImportReport, print_report, to_json
from odim_relay.cli.output import json_option, print_json, quiet_logs
from odim_relay.cli.progress import progress, resumable
from odim_relay.ports import InventoryContent
from odim_relay.use_cases.odim_import import Became


@click.group()
def odim() -> None:
    """
    What is brought over from ODIM.
    """
    quiet_logs()


@odim.command("import")
@click.option("--subscriptions/--no-subscriptions", default=True, show_default=True, help="ODIM's become our own.")
@click.option(
    "--undelivered/--no-undelivered",
    default=True,
    show_default=True,
    help="What ODIM could not deliver waits here, for the subscription that has its destination.",
)
@click.option("--inventory", is_flag=True, help="Its sources and aggregates become our own too.")
@click.option("--dry-run", is_flag=True, help="Change nothing, and tell what would be done.")
@json_option
def import_(*, subscriptions: bool, undelivered: bool, inventory: bool, dry_run: bool, as_json: bool) -> None:
    """
    Bring over what stands in ODIM's Redis, at ODIM__REDIS_URL. Nothing is written there.

    A subscription keeps its id. One that was followed from there becomes ours, and is what it is here from then on; one
    that is ours already stays as it is. May be done again, also after it was stopped: what was imported once is not
    imported a second time.

    Stop ODIM's event service before: what that delivers itself meanwhile comes twice.
    """
    report = ImportReport(is_dry_run=dry_run)
    if subscriptions or inventory:
        view = bootstrap.odim_view()
        report.flaws = view.flaws
        if inventory:
            content = InventoryContent(sources=view.sources, aggregates=view.aggregates)
            report.inventory = bootstrap.sources().put(content, dry_run=dry_run)
        if subscriptions:
            report.subscriptions = bootstrap.import_subscriptions()(view.subscriptions, dry_run=dry_run)
    if undelivered:
        _import_undelivered(report)
    if as_json:
        print_json(to_json(report))
    else:
        print_report(report)


def _import_undelivered(report: ImportReport) -> None:
    importer = bootstrap.import_undelivered()
    made = (Became.IMPORTED, Became.ADOPTED)
    planned = [one.subscription for one in report.subscriptions or () if one.became in made]
    with progress("reading undelivered events", None) as tally:
        report.undelivered = importer.survey(planned=planned if report.is_dry_run else (), read=tally.advance)
    if report.is_dry_run:
        return
    with progress("importing", len(report.undelivered.waiting)) as tally, resumable("looked at", tally):
        report.imported = importer.apply(report.undelivered, tally.advance)
