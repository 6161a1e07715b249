"""
`odim-relay quarantine`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import click

from odim_relay import bootstrap
from odim_relay.cli.deliveries import as_text
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.instants import InstantType
from odim_relay.cli.output import (
    counted,
    instant,
    json_option,
    moment,
    print_fields,
    print_json,
    print_json_array,
    print_table,
    quiet_logs,
)
from odim_relay.cli.progress import confirm, progress, resumable
from odim_relay.ports import Action, QuarantinedRecord
from odim_relay.use_cases.quarantine import EntrySelection, NotThere, Replayed, Stays, TakenIn, select_entries

Command = TypeVar("Command", bound=Callable[..., Any])

_LIMIT = 100
_MOST_AT_ONCE = 200
_TOLD_REASONS = 5
_FILTERS = (
    click.option("--id", "entry_ids", multiple=True, metavar="ID", help="This record."),
    click.option("--topic", "topics", multiple=True, metavar="T", help="Of this topic."),
    click.option("--reason", "reasons", multiple=True, metavar="R", help="Not understood for this reason."),
    click.option(
        "--since", "since_ms", type=InstantType(), help="There since then or later: an instant, or 2h for how long ago."
    ),
    click.option("--until", "until_ms", type=InstantType(), help="There since then or earlier."),
)
_CHANGING = (
    click.option("--dry-run", is_flag=True, help="Only count what would be changed."),
    click.option("--yes", is_flag=True, help="Do not ask."),
)


def _filters(command: Command) -> Command:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _changing(command: Command) -> Command:
    for option in reversed(_CHANGING):
        command = option(command)
    return command


def _chosen(given: Mapping[str, Any]) -> Iterator[QuarantinedRecord]:
    return select_entries(bootstrap.quarantine_listing(), EntrySelection(**given))


@click.group()
def quarantine() -> None:
    """
    Kafka records that could not be understood.
    """
    quiet_logs()


@quarantine.command("list")
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
    List them, oldest first. Filters given several times are alternatives.
    """
    found = _chosen(given)
    shown = islice(found, limit) if limit else found
    if as_json:
        print_json_array(_to_json(entry) for entry in shown)
    else:
        print_table(
            ("id", "since (UTC)", "reason", "bytes", "detail"),
            [
                (entry.entry_id, moment(entry.quarantined_at_ms), entry.reason, entry.size, entry.detail)
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


@quarantine.command()
@_filters
@_changing
@json_option
def replay(*, dry_run: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """
    Take records in again, with today's decoders and subscriptions. What still cannot be understood stays.

    May be stopped and started again: no event is sent twice.
    """
    ids = _ask("Take in", given, dry_run=dry_run, yes=yes, as_json=as_json)
    if ids is None:
        return
    results: list[tuple[str, Replayed]] = []
    with (
        progress("taking in", len(ids)) as tally,
        resumable("looked at", tally),
        bootstrap.audit()(Action.QUARANTINE_REPLAYED, ids[0] if len(ids) == 1 else ""),
    ):
        replay_one = bootstrap.replay_quarantine()
        for id_ in ids:
            results.append((id_, replay_one(id_)))
            tally.advance()
    _print_results(results, as_json=as_json)


def _print_results(results: Sequence[tuple[str, Replayed]], *, as_json: bool) -> None:
    taken = [result for _, result in results if isinstance(result, TakenIn)]
    stay = [(id_, result) for id_, result in results if isinstance(result, Stays)]
    gone_count = sum(isinstance(result, NotThere) for _, result in results)
    events, deliveries = sum(one.event_count for one in taken), sum(one.delivery_count for one in taken)
    is_published = all(one.is_published for one in taken)
    if as_json:
        print_json(
            {
                "dry_run": False,
                "matched": len(results),
                "replayed": len(taken),
                "events": events,
                "deliveries": deliveries,
                "stay": [{"id": id_, "reason": one.reason, "detail": one.detail} for id_, one in stay],
                "gone": gone_count,
                "published": is_published,
            }
        )
        return
    click.echo(
        f"{counted(len(taken), 'record')} taken in: {counted(events, 'event')}, "
        f"{counted(deliveries, 'delivery', 'deliveries')}"
    )
    _tell_what_stays(stay)
    if gone_count:
        click.echo(f"{gone_count} had been taken out by somebody else meanwhile")
    if not is_published:
        click.echo("The broker cannot be reached: the reaper lets the deliveries go when it is back")


@quarantine.command()
@_filters
@_changing
@json_option
def discard(*, dry_run: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """
    Remove records for good. They are counted.
    """
    ids = _ask("Discard", given, dry_run=dry_run, yes=yes, as_json=as_json)
    if ids is None:
        return
    ledger = bootstrap.quarantine_ledger()
    with (
        progress("discarding", len(ids)) as tally,
        resumable("discarded", tally),
        bootstrap.audit()(Action.QUARANTINE_DISCARDED, ids[0] if len(ids) == 1 else ""),
    ):
        for start in range(0, len(ids), _MOST_AT_ONCE):
            tally.advance(ledger.discard(ids[start : start + _MOST_AT_ONCE]))
    if as_json:
        print_json({"dry_run": False, "matched": len(ids), "discarded": tally.count})
    else:
        click.echo(f"{counted(tally.count, 'record')} discarded")


def _ask(verb: str, given: Mapping[str, Any], *, dry_run: bool, yes: bool, as_json: bool) -> list[str] | None:
    """
    Count, show and ask. Returns the ids of what is to be changed; None when all is done and said.
    """
    ids: list[str] = []
    counts: Counter[tuple[str, str]] = Counter()
    for entry in _chosen(given):
        ids.append(entry.entry_id)
        counts[entry.record.rsplit("/", 2)[0], entry.reason] += 1
    rows = [(topic, reason, count) for (topic, reason), count in sorted(counts.items())]
    if not ids and not as_json:
        click.echo(f"Nothing to {verb.lower()}: no record in quarantine is as asked for")
        return None
    if not dry_run:
        if len(ids) > 1:
            if not yes:
                print_table(("topic", "reason", "count"), rows, err=True)
            confirm(f"{verb} {counted(len(ids), 'record')}?", yes=yes)
        return ids
    if as_json:
        columns = ("topic", "reason", "count")
        print_json(
            {
                "dry_run": dry_run,
                "matched": len(ids),
                "counts": [dict(zip(columns, row, strict=True)) for row in rows],
            }
        )
    else:
        print_table(("topic", "reason", "count"), rows)
        click.echo(f"{counted(len(ids), 'record')} would be looked at")
    return None


def _tell_what_stays(stay: Sequence[tuple[str, Stays]]) -> None:
    if not stay:
        return
    click.echo(f"{counted(len(stay), 'record stays', 'records stay')}, still not understood:")
    for id_, one in stay[:_TOLD_REASONS]:
        click.echo(f"  {id_}: {one.reason}: {one.detail}")
    if len(stay) > _TOLD_REASONS:
        click.echo(f"  and {len(stay) - _TOLD_REASONS} more; --json tells all")


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
