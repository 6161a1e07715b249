"""
Instants as people write them.
"""

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|min|m|h|d)")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}


def parse_instant(text: str, now_s: float) -> int:
    """
    Milliseconds since the epoch: of an ISO 8601 instant (local where it names no zone), or so long ago (`90min`, `2h`).

    Raises:
        ValueError: it is neither.
    """
    try:
        return round((now_s - parse_duration(text)) * 1000)
    except ValueError:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * 1000)


def parse_duration(text: str) -> float:
    """
    Seconds: of `90s`, `30min`, `2h`, `7d`.

    Raises:
        ValueError: it is none of them.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return float(found[1]) * _UNITS[found[2]]


class InstantType(click.ParamType):  # type: ignore[type-arg] # generic in newer versions of click only
    """
    An instant, as milliseconds since the epoch.
    """

    name = "when"

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self._now_s = now_s

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """
        See `parse_instant`.
        """
        if isinstance(value, int):
            return value
        try:
            return parse_instant(value, self._now_s())
        except ValueError:
            self.fail(
                f"{value!r} is no instant: write 2026-03-01T12:00:00Z, or how long ago: 30min, 2h, 7d", param, ctx
            )


class DurationType(click.ParamType):  # type: ignore[type-arg] # as above
    """
    A duration, as seconds.
    """

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """
        See `parse_duration`.
        """
        if isinstance(value, int | float):
            return value
        try:
            return parse_duration(value)
        except ValueError:
            self.fail(f"{value!r} is no duration: write 90s, 30min, 2h or 7d", param, ctx)
