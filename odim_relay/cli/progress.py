"""
How far a command has got: a bar on a terminal, a line now and then elsewhere.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from odim_relay.cli.exits import FAILED, UNREACHABLE, FailedCommand
from odim_relay.errors import TransientError

Item = TypeVar("Item")

_LINE_EVERY_S = 5.0
_SHOWN_EVERY = 100


class Tally:
    """
    Counts what is done.
    """

    def __init__(self, tell: Callable[[int], None]) -> None:
        """
        Args:
            tell: shows the count, after each change.
        """
        self.count = 0
        self._tell = tell

    def advance(self, by: int = 1) -> None:
        """
        So many more are done.
        """
        self.count += by
        self._tell(self.count)


@contextmanager
def progress(doing: str, total: int | None) -> Iterator[Tally]:
    """
    Show on stderr how many of `total` are done; None is not known.
    """
    if not sys.stderr.isatty():
        yield Tally(lines(doing, total))
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(doing, total=total)
        yield Tally(lambda count: bar.update(task, completed=count))


def lines(doing: str, total: int | None, now_s: Callable[[], float] = time.monotonic) -> Callable[[int], None]:
    """
    Tell a count on stderr, but not more often than every few seconds.
    """
    told_at_s = now_s()

    def tell(count: int) -> None:
        nonlocal told_at_s
        if now_s() - told_at_s >= _LINE_EVERY_S:
            told_at_s = now_s()
            click.echo(f"{doing}: {count}{'' if total is None else f' of {total}'}", err=True)

    return tell


def told(items: Iterable[Item], tally: Tally) -> Iterator[Item]:
    """
    Hand the items on, and count them, in hundreds: there may be very many.
    """
    for number, item in enumerate(items, 1):
        if number % _SHOWN_EVERY == 0:
            tally.advance(_SHOWN_EVERY)
        yield item


@contextmanager
def resumable(done: str, tally: Tally) -> Iterator[None]:
    """
    Say how far it got when it is interrupted or a store goes away: starting it again goes on with the rest.
    """
    try:
        yield
    except KeyboardInterrupt as exc:
        raise FailedCommand(f"stopped: {tally.count} {done}; start it again for the rest", FAILED) from exc
    except TransientError as exc:
        raise FailedCommand(f"{exc}; {tally.count} {done}; start it again for the rest", UNREACHABLE) from exc


def confirm(question: str, *, yes: bool) -> None:
    """
    Ask, unless it was answered with `--yes`; nothing but a yes lets the command go on.
    """
    if yes:
        return
    try:
        answer = click.confirm(question, err=True)
    except click.Abort as exc:
        click.echo(err=True)
        raise FailedCommand("nothing was done, for nobody said yes; --yes does without asking") from exc
    if not answer:
        raise FailedCommand("nothing was done")
