"""
Choosing parked deliveries, and changing those that were chosen.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import click

from odim_relay import bootstrap
from odim_relay.cli.instants import InstantType
from odim_relay.cli.output import counted, print_json, print_table
from odim_relay.cli.progress import confirm, progress, resumable, told
from odim_relay.domain.delivery import ParkReason
from odim_relay.ports import DeliveryRecord
from odim_relay.use_cases.dead_letters import Selection, select
from odim_relay.use_cases.letters_by_hand import Done, Obstacle, Survey, Verb

Command = TypeVar("Command", bound=Callable[..., Any])

_DONE = {Verb.REPLAY: "replayed", Verb.DISCARD: "discarded"}
_DOING = {Verb.REPLAY: "replaying", Verb.DISCARD: "discarding"}
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
_CHANGING = (
    click.option("--limit", metavar="N", type=click.IntRange(min=1), help="At most so many.  [default: all]"),
    click.option("--dry-run", is_flag=True, help="Only count what would be changed."),
    click.option("--yes", is_flag=True, help="Do not ask."),
)


def filter_options(command: Command) -> Command:
    """
    Give the command the filters.
    """
    return _with(_FILTERS, command)


def changing_options(command: Command) -> Command:
    """
    Give the command `--limit`, `--dry-run` and `--yes`.
    """
    return _with(_CHANGING, command)


def _with(options: tuple[Callable[[Any], Any], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def chosen(*, limit: int | None = None, **given: Any) -> Iterator[DeliveryRecord]:
    """
    Walk the parked deliveries that the filters say.
    """
    reasons = [ParkReason(reason) for reason in given.pop("reasons")]
    selection = Selection(**given, reasons=reasons, limit=limit)
    return select(bootstrap.delivery_listing(), bootstrap.subscribe().everything, selection)


def change(
    verb: Verb,
    given: Mapping[str, Any],
    *,
    limit: int | None,
    rate: float | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """
    Count, ask, change, and say what was done.
    """
    letters = bootstrap.letters_by_hand()
    with progress("counting", None) as tally:
        survey = letters.survey(verb, told(chosen(**given), tally), limit)
    done = Done()
    if not dry_run and (survey.total or survey.left[Obstacle.IN_TURN]):
        if survey.total > 1:
            if not yes:
                _print_counts(survey, err=True)
            confirm(f"{verb.capitalize()} {counted(survey.total, 'delivery', 'deliveries')}?", yes=yes)
        with progress(_DOING[verb], survey.total) as tally, resumable(_DONE[verb], tally):
            done = letters.apply(verb, chosen(**given), limit=limit, rate=rate, progressed=tally.advance)
    if as_json:
        print_json(_to_json(verb, survey, done, dry_run=dry_run))
        return
    if dry_run and survey.total:
        _print_counts(survey)
        click.echo(f"{counted(survey.total, 'delivery', 'deliveries')} would be {_DONE[verb]}")
    elif survey.total:
        click.echo(f"{counted(done.count, 'delivery', 'deliveries')} {_DONE[verb]}")
    for note in _notes(verb, survey, done, dry_run=dry_run):
        click.echo(note)


def _print_counts(survey: Survey, *, err: bool = False) -> None:
    print_table(
        ("subscription", "reason", "count"),
        [(subscription_id, reason, count) for (subscription_id, reason), count in sorted(survey.counts.items())],
        err=err,
    )


def _notes(verb: Verb, survey: Survey, done: Done, *, dry_run: bool) -> Iterator[str]:
    in_turn, newer, gone = (survey.left[one] for one in (Obstacle.IN_TURN, Obstacle.NEWER, Obstacle.GONE))
    if not survey.total and not survey.left:
        yield f"Nothing to {verb}: no parked delivery is as asked for; `odim-relay dead-letters stats` counts what is"
    if in_turn:
        yield f"{_deliveries(in_turn, 'waits for its turn', 'wait for their turn')} already; nothing more is to be done"
    if verb is Verb.REPLAY:
        for subscription_id, count in sorted(survey.waiting_for_resume.items()):
            yield (
                f"{_deliveries(count, 'is', 'are')} of a suspended subscription: nothing is sent until "
                f"`odim-relay subscriptions resume {subscription_id}`"
            )
    if gone:
        yield f"{_deliveries(gone, 'is', 'are')} of a deleted subscription: the sweep removes what was for it, unsent"
    if newer:
        yield f"{_deliveries(newer, 'was', 'were')} parked by a newer version of odim-relay: kept as it is, not touched"
    if dry_run:
        return
    if done.count < survey.total:
        yield f"{survey.total - done.count} had left or been {_DONE[verb]} by somebody else meanwhile"
    if not done.is_published:
        yield "The broker cannot be reached: the reaper lets go what may go when it is back"


def _deliveries(count: int, verb: str, verbs: str) -> str:
    return f"{counted(count, f'delivery {verb}', f'deliveries {verbs}')}"


def _to_json(verb: Verb, survey: Survey, done: Done, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "matched": survey.total,
        _DONE[verb]: done.count,
        "counts": [
            {"subscription": subscription_id, "reason": reason, "count": count}
            for (subscription_id, reason), count in sorted(survey.counts.items())
        ],
        "waiting_already": survey.left[Obstacle.IN_TURN],
        "waiting_for_resume": dict(survey.waiting_for_resume) if verb is Verb.REPLAY else {},
        "of_deleted_subscriptions": survey.left[Obstacle.GONE],
        "of_a_newer_version": survey.left[Obstacle.NEWER],
        "published": done.is_published,
    }
