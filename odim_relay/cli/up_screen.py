"""
What `odim-relay up` shows.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from odim_relay.cli.standing import breaker
from odim_relay.dev.demo import Figures, Received

_COLOURS = {"OK": "green", "Warning": "yellow", "Critical": "bold red"}


class Screen:
    """
    Progress while starting, then where everything is; on a terminal kept up to date, elsewhere line by line.
    """

    def __init__(self, *, is_silent: bool) -> None:
        """
        Args:
            is_silent: says nothing: the answer is for a program.
        """
        self._is_silent = is_silent
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())
        self._is_live = not is_silent and self._console.is_terminal
        self._status = self._console.status("starting", spinner="dots") if self._is_live else None
        self._told = ""
        self._live: Live | None = None
        self._seen_trouble = ""

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.still()

    def starting(self, what: str) -> None:
        """
        Tell what is being waited for.
        """
        if self._status is not None:
            self._status.update(what)
        elif what != self._told and not self._is_silent:
            click.echo(what)
        self._told = what

    def still(self) -> None:
        """
        End what moves; what is printed from here on stays.
        """
        if self._status is not None:
            self._status.stop()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def ready(self, lines: Sequence[tuple[str, str]], notice: str | None, *, seconds: float) -> None:
        """
        Tell where everything is.
        """
        self.still()
        if self._is_silent:
            return
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in lines:
            grid.add_row(name, escape(value))
        parts: list[RenderableType] = [grid]
        if notice:
            parts += [Text(), Text(notice, style="yellow")]
        if self._is_live:
            title = f"odim-relay is ready after {seconds:.1f} s"
            self._console.print(Panel(Group(*parts), title=title, subtitle="Ctrl-C stops it", border_style="green"))
            return
        click.echo(f"odim-relay is ready after {seconds:.1f} s")
        for name, value in lines:
            click.echo(f"  {name:<12} {value}")
        if notice:
            click.echo(notice)

    def show(self, figures: Figures) -> None:
        """
        Tell what happened since it was last told.
        """
        if self._is_silent:
            return
        if self._is_live:
            if self._live is None:
                self._live = Live(console=self._console, auto_refresh=False)
                self._live.start()
            self._live.update(_picture(figures), refresh=True)
            return
        for event in figures.fresh:
            click.echo(
                f"{event.at:%H:%M:%S}  {event.severity:<8}  {event.message_id}  {event.origin}  attempt {event.attempt}"
            )
        if figures.trouble != self._seen_trouble:
            self._seen_trouble = figures.trouble
            click.echo(figures.trouble or "all is well again")

    def stopping(self, stop: Callable[[], None]) -> None:
        """
        Stop, and tell so, if there is still somebody to be told.
        """
        with suppress(OSError):  # the terminal may be closed
            self.still()
            if self._is_live:
                self._console.print("stopping: what is in flight is finished; Ctrl-C again ends it at once")
        stop()
        with suppress(OSError):
            if not self._is_silent:
                click.echo("odim-relay has stopped")


def _picture(figures: Figures) -> RenderableType:
    ledger = figures.ledger
    cells = (
        ("taken in", str(ledger.ingested)),
        ("delivered", str(ledger.delivered)),
        ("under way", str(ledger.under_way)),
        ("waiting", str(ledger.waiting)),
        ("dead letters", str(ledger.dead_letters)),
        ("breaker", breaker(ledger.destination, ledger.now_ms)),
    )
    counts = Text("   ").join(Text.assemble(f"{name} ", (value, "bold cyan")) for name, value in cells)
    parts: list[RenderableType] = [counts, _events(figures.last)]
    if figures.trouble:
        parts.append(Text(figures.trouble, style="red"))
    return Group(*parts)


def _events(last: Sequence[Received]) -> Table:
    table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    table.add_column("received", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("MessageId", no_wrap=True, overflow="ellipsis", ratio=3)
    table.add_column("OriginOfCondition", no_wrap=True, overflow="ellipsis", ratio=4)
    table.add_column("attempt", justify="right")
    for event in reversed(last):
        table.add_row(
            f"{event.at.astimezone():%H:%M:%S}",
            Text(event.severity, style=_COLOURS.get(event.severity, "")),
            escape(event.message_id),
            escape(event.origin),
            event.attempt,
        )
    return table
