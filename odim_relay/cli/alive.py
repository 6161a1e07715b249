"""
`odim-relay alive`.
"""

import time
from pathlib import Path

import click

from odim_relay.cli.exits import FailedCommand
from odim_relay.domain.liveness import age_s


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--within",
    "within_s",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="how old the sign may be",
)
def alive(*, file: Path, within_s: float) -> None:
    """
    Tell whether the process that writes FILE (its LIVENESS__FILE) is alive: for a supervisor's probe.

    Bridge, workers and beat write it each time their main loop comes round, also while they wait for a store that is
    away: that is no reason to start them again. Reads no settings and asks no store.
    """
    try:
        age = age_s(file.read_text(encoding="ascii"), time.monotonic())
    except OSError as exc:
        raise FailedCommand(f"{file}: no sign of life: {exc.strerror}") from exc
    except ValueError as exc:
        raise FailedCommand(f"{file}: no sign of life: {exc}") from exc
    if age > within_s:
        raise FailedCommand(f"{file}: the last sign of life is {age:.0f} s old; {within_s:g} s are allowed")
    click.echo(f"alive {age:.1f} s ago")
