# ruff: noqa: INP001, E501 - a program, not a package; a row of a table is one line
"""
Finds every line that is logged, in the code itself, and writes docs/logs.md of them.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "odim_relay"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\.[a-z0-9]+(_[a-z0-9]+)*")
_LEVELS = {"exception": "error"}
_CALLS = {"debug", "info", "warning", "error", "exception"}
_TELLERS = {"tell", "_tell"}
"""
Functions of ours that log what they are given, with members of their own or without.
"""


@dataclass(slots=True)
class LogLine:
    """
    One event name.

    Attributes:
        members: names of what is told with it, beside `event`, `level` and `timestamp`.
        is_open: it may tell more than these.
    """

    name: str
    levels: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    is_open: bool = False


def log_lines() -> dict[str, LogLine]:
    """
    All of them, by name.
    """
    found: dict[str, LogLine] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for call, name, called in _calls(ast.parse(path.read_text(encoding="utf-8"))):
            line = found.setdefault(name, LogLine(name))
            line.levels |= {_LEVELS.get(called, called)} if called in _CALLS else set()
            line.members |= {keyword.arg for keyword in call.keywords if keyword.arg}
            line.is_open |= called == "_tell" or any(keyword.arg is None for keyword in call.keywords)
            if called == "exception" or any(keyword.arg == "exc_info" for keyword in call.keywords):
                line.members = line.members - {"exc_info"} | {"exception"}
    return dict(sorted(found.items()))


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        func, name = node.func, node.args[0].value
        called = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        if called in _CALLS | _TELLERS and isinstance(name, str) and NAME.fullmatch(name):
            yield node, name, called


_HEAD = """# Logs

{made}

Every process writes its log to stderr: one JSON object per line, or a console on a terminal (`LOG__FORMAT`). Each line has `event`,
`level` and `timestamp` (UTC), and the members below as far as they apply; names of events are constant, so that they can be searched
for. Ids stand for what they are of; no line has a body, a header's value, or the user-info or query of a URL.

## A delivery's life

| line | when |
|---|---|
| `record.quarantined` | a Kafka record could not be understood, and is kept |
| `delivery.attempted` | a request ended: at level DEBUG where it was answered 2xx, else WARNING with its decision: `RetryAfter`, `Park`, `Suspend` |
| `dead_letter.parked` | it is kept as a dead letter, after an attempt; `reason` is `exhausted`, `rejected` or `gone` |
| `delivery.refused` | DEBUG: a task came for a delivery that it may not send (any more) |
| `delivery.abandoned` | the right to send lapsed before the first byte: nothing was sent, the reaper sends it again |
| `delivery.broken` | a fault of our own, with its traceback: it is kept as a dead letter, for a person to look at |
| `deliveries.replayed` | the schedule let so many deliveries go that had waited |
| `deliveries.reaped`, `deliveries.expired` | the schedule mended, or let go, so many |
| `breaker.opened`, `breaker.closed` | a destination is left alone, or answered again: what waits for it goes out now |
| `subscription.suspended`, `subscription.resumed`, `subscription.terminated` | once for each change, whoever made it |
| `audit.noted` | somebody changed something: created, deleted, suspended, replayed, discarded |

A line of another name, or without a dot in its name, is a library's.

## All lines

`...` stands for further members.

| line | level | members |
|---|---|---|
"""


def logs_markdown(made: str) -> str:
    """
    The document.
    """
    rows = [
        f"| `{line.name}` | {', '.join(sorted(line.levels)) or 'info'} | "
        f"{', '.join([*(f'`{name}`' for name in sorted(line.members)), *(['...'] if line.is_open else [])])} |"
        for line in log_lines().values()
    ]
    return _HEAD.format(made=made) + "\n".join(rows) + "\n"
