"""
`odim-relay up --outage`: what a terminal shows of it, and how it ends.
"""

import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event as Flag

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.standing import breaker
from odim_relay.cli.up_signals import obey_signals
from odim_relay.dev.outage import SETTINGS, Outage, Scene
from odim_relay.dev.outage_account import Account
from odim_relay.dev.stack import NotStartedError, Plan, Stack, StoppedError
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.settings import ENV_PREFIX, load

_TICK_S = 0.2
_PLAIN_EVERY_S = 2.0
_LEVELS = " ▁▂▃▄▅▆▇█"
_NAMED = 5
_CELL = 11
_AROUND_CHART, _LEAST_CHART = 44, 10


def show_outage(data_dir: Path | None) -> None:
    """
    Play it on a stack of its own, whatever the settings say: nothing outside of this machine is touched.

    Raises:
        FailedCommand: an event did not arrive, or more than once, or it was stopped before its end.
    """
    folder = (data_dir or Path(tempfile.mkdtemp(prefix="odim-relay-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    _set_aside_settings(folder)
    account = _play(folder)
    if account is None:
        raise FailedCommand(f"stopped before the end: nothing is proven; the logs are in {folder}/logs")
    if not account.is_flawless:
        raise FailedCommand(f"{what_is_wrong(account)}; the logs are in {folder}/logs")
    if data_dir is None:
        shutil.rmtree(folder, ignore_errors=True)


def _set_aside_settings(folder: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith(ENV_PREFIX)]:
        del os.environ[name]
    os.environ.update({ENV_PREFIX + name: value for name, value in SETTINGS.items()})
    os.chdir(folder)  # where no .env file is


def _play(folder: Path) -> Account | None:
    settings = load()
    outage, stopping = Outage(), Flag()
    plan = Plan(
        data_dir=folder,
        redis=True,
        kafka=True,
        topics=settings.kafka.topics,
        allows_loopback=True,
        worker_stop_s=math.ceil(settings.delivery.timeout_s) + 5,
        without=("api", "flower"),
    )
    screen = OutageScreen()
    stack = Stack(plan, stopping=stopping, tell=screen.starting)
    obey_signals(stack, stopping)
    began_at_s = time.monotonic()
    try:
        stack.start_stores()
        outage.subscribe()
        stack.start_relay()
        screen.tell(
            f"ready after {time.monotonic() - began_at_s:.1f} s: Redis, Kafka's protocol, bridge, workers, beat"
        )
        for scene in outage.play(stack.watch(_TICK_S)):
            screen.show(scene)
    except StoppedError:
        pass
    except NotStartedError as exc:
        screen.still()
        click.echo(exc.log, err=True)
        raise
    finally:
        with suppress(OSError):  # the terminal may be closed
            screen.still()
        stack.stop()
    if not outage.is_over:
        return None
    screen.sum_up(outage.account)
    return outage.account


def what_is_wrong(account: Account) -> str:
    """
    Name what did not arrive exactly once.
    """
    faults = [
        f"{len(ids):,} {what}: {', '.join(ids[:_NAMED])}{', ...' if len(ids) > _NAMED else ''}"
        for ids, what in (
            (account.lost_ids, "of the events did not arrive"),
            (account.doubled_ids, "arrived more than once"),
            (account.strange_ids, "arrived that nobody had published"),
        )
        if ids
    ]
    return "; ".join(faults) or "no event waited for the subscriber: nothing is proven"


class OutageScreen:
    """
    The story line by line; below it, on a terminal, figures that move.
    """

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())
        self._is_live = self._console.is_terminal
        self._live: Live | None = None
        self._began_at_s = time.monotonic()
        self._plain_at_s = 0.0
        self._doing = ""
        if self._is_live:
            self._start_live()

    def _start_live(self) -> None:
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def starting(self, what: str) -> None:
        """
        Tell what is being waited for.
        """
        if self._live is not None:
            self._live.update(Text(f"         {what} ...", style="dim"), refresh=True)
        elif what != self._doing:
            self.tell(what)
        self._doing = what

    def tell(self, line: str) -> None:
        """
        Tell something that stays.
        """
        seconds = time.monotonic() - self._began_at_s
        self._console.print(Text.assemble((f"{seconds:5.1f} s  ", "dim"), line))

    def show(self, scene: Scene) -> None:
        """
        Show what happened since the last scene, and where everything stands.
        """
        for line in scene.lines:
            self.tell(line)
        if self._live is not None:
            self._live.update(picture(scene, self._console.width), refresh=True)
        elif time.monotonic() >= self._plain_at_s + _PLAIN_EVERY_S:
            self._plain_at_s = time.monotonic()
            self.tell("  " + ", ".join(f"{name} {value}" for name, value in (*_cells(scene), _breaker(scene))))

    def still(self) -> None:
        """
        End what moves.
        """
        if self._live is not None:
            self._live.stop()
            self._live = None

    def sum_up(self, account: Account) -> None:
        """
        Tell how it ended.
        """
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column()
        table.add_column(justify="right", style="bold")
        for name, value in _totals(account):
            table.add_row(name, value)
        self._console.print()
        self._console.print(table)
        self._console.print()
        if account.is_flawless:
            self._console.print(
                Text(f"Every one of {account.published:,} events arrived exactly once.", style="bold green")
            )


def _totals(account: Account) -> list[tuple[str, str]]:
    def seconds(value: float | None) -> str:
        return "never" if value is None else f"{value:.1f} s"

    return [
        ("published", f"{account.published:,}"),
        ("delivered", f"{account.arrived:,}"),
        ("lost", f"{len(account.lost_ids):,}"),
        ("doubled", f"{len(account.doubled_ids):,}"),
        ("", ""),
        ("the outage", seconds(account.outage_s)),
        ("events that waited", f"{account.waited:,}"),
        ("requests that the failing subscriber saw", f"{account.refused:,}"),
        ("connections tried while it was off", f"{account.knocks:,}"),
        ("from its return to the first event", seconds(account.first_s)),
        ("from its return to the last that had waited", seconds(account.last_s)),
    ]


def _cells(scene: Scene) -> list[tuple[str, str]]:
    return [
        ("events in", f"{scene.ledger.ingested:,}"),
        ("delivered", f"{scene.arrived:,}"),
        ("waiting", f"{scene.ledger.waiting:,}"),
        ("probes seen", f"{scene.ledger.probes:,}"),
        ("knocks", f"{scene.ledger.knocks:,}"),
    ]


def _breaker(scene: Scene) -> tuple[str, str]:
    return "breaker", breaker(scene.ledger.destination, scene.ledger.now_ms)


def picture(scene: Scene, width: int) -> RenderableType:
    """
    The figures, and the last minute as two charts.
    """
    colour = "green" if scene.ledger.destination.breaker is Breaker.CLOSED else "yellow"
    table = Table(border_style=colour, header_style="dim")
    styles = {"delivered": "bold green", "waiting": "bold yellow"}
    for name, _ in _cells(scene):
        # What moves, moves in its place.
        table.add_column(name, style=styles.get(name, "bold"), justify="right", min_width=_CELL)
    table.add_row(*(value for _, value in _cells(scene)))
    name, value = _breaker(scene)
    room = max(width - _AROUND_CHART, _LEAST_CHART)
    return Group(
        Text(),
        table,
        Text.assemble((f" {name:<10}", "dim"), (value, f"bold {colour}")),
        chart("delivered", scene.arrivals, room, "green", "in each half second"),
        chart("waiting", scene.waiting, room, "yellow", "in the ledger"),
    )


def chart(name: str, values: Sequence[int], room: int, style: str, unit: str) -> Text:
    """
    The last values as bars, the highest of all as the full height.
    """
    highest = max(values, default=0)
    last = values[-room:]
    bars = "".join(_LEVELS[math.ceil(value / max(highest, 1) * (len(_LEVELS) - 1))] for value in last)
    return Text.assemble((f" {name:<10}", "dim"), (bars, style), (f"  at most {highest:,} {unit}", "dim"))
