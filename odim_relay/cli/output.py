"""
Answers on stdout: tables for people, JSON for programs.
"""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from odim_relay import telemetry

Command = TypeVar("Command", bound=Callable[..., Any])

# Where nobody looks at it, nothing is folded or cut off: the reader may be grep.
_UNFOLDED = 10_000
_IDS = frozenset({"id", "subscription"})
"""
Columns whose values are there to be copied: they stay in one piece.
"""
_LEAST_WIDTH = 12
_GAP = 3


def json_option(command: Command) -> Command:
    """
    Give the command `--json`, as `as_json`.
    """
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def quiet_logs() -> None:
    """
    For commands that answer and end: what went wrong is in their own last line.
    """
    telemetry.configure_logs(level="CRITICAL")


def console(*, err: bool = False) -> Console:
    """
    Where answers go; with `err`, what is asked. Made anew each time: stdout may be another one by then.
    """
    file = sys.stderr if err else sys.stdout
    return Console(file=file, width=None if file.isatty() else _UNFOLDED, highlight=False)


def print_json(value: object) -> None:
    """
    Print one JSON value.
    """
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_json_array(values: Iterable[object]) -> None:
    """
    Print a JSON array as its elements come, one per line: it may be longer than memory.
    """
    opened = "["
    for value in values:
        click.echo(f"{opened}\n  {json.dumps(value, ensure_ascii=False)}", nl=False)
        opened = ","
    click.echo("[]" if opened == "[" else "\n]")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, err: bool = False) -> None:
    """
    Print rows under their headings; a column whose values are all numbers stands to the right. Where the terminal is
    too narrow for that, each row becomes a block of lines.
    """
    cells = [list(row) for row in rows]
    out = console(err=err)
    if cells and _least_width(columns, cells) > out.width:
        for row in cells:
            out.print(_fields(zip(columns, row, strict=True)))
            out.print()
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        is_number = bool(cells) and all(isinstance(row[index], int | float) for row in cells)
        table.add_column(
            column, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number or column in _IDS
        )
    for row in cells:
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


def _least_width(columns: Sequence[str], cells: Sequence[Sequence[object]]) -> int:
    """
    Of a table in which ids stand in one piece and nothing is folded to a thread.
    """
    widths = [max(len(column), *(len(_cell(row[index])) for row in cells)) for index, column in enumerate(columns)]
    least = [
        width if column in _IDS else min(width, _LEAST_WIDTH) for column, width in zip(columns, widths, strict=True)
    ]
    return sum(least) + _GAP * (len(columns) - 1)


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """
    Print one thing: a line per member.
    """
    console().print(_fields(fields))


def _fields(fields: Iterable[tuple[str, object]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in fields:
        grid.add_row(name, _cell(value))
    return grid


def _cell(value: object) -> str:
    return escape("" if value is None else str(value))


def counted(count: int, noun: str, plural: str = "") -> str:
    """
    `1 delivery`, `2 deliveries`.
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def instant(milliseconds: int | None) -> str | None:
    """
    An instant as ISO 8601 in UTC; None for none.
    """
    if not milliseconds:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(milliseconds: int | None) -> str | None:
    """
    The same for a person: to the second, in UTC.
    """
    told = instant(milliseconds)
    return None if told is None else f"{told[:10]} {told[11:19]}"


def age(seconds: float) -> str:
    """
    How long, for people: the two largest units.
    """
    left = max(round(seconds), 0)
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (parts and len(parts) < 2) or (unit == "s" and not parts):  # noqa: PLR2004 - two units
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
