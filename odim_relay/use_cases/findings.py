"""
What the doctor says.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_FEW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One thing that was looked at.

    Attributes:
        subject: `redis persistence`.
        is_wrong: False for what is as it should be, and for what cannot be told.
        found: what is.
        remedy: how to mend it, or what to look at; empty when there is nothing to do.
        is_unreachable: it could not be looked at, for its store does not answer.
    """

    subject: str
    is_wrong: bool
    found: str
    remedy: str = ""
    is_unreachable: bool = False


def verdict(subject: str, *, wrong: bool, found: str, remedy: str) -> Finding:
    """
    A finding with a remedy if it is wrong.
    """
    return Finding(subject=subject, is_wrong=wrong, found=found, remedy=remedy if wrong else "")


def hint(subject: str, *, wanted: bool, found: str, remedy: str) -> Finding:
    """
    A finding that is not wrong, with something to think about if that is wanted.
    """
    return Finding(subject=subject, is_wrong=False, found=found, remedy=remedy if wanted else "")


def config(subject: str, value: str | None, *, wanted: Collection[str], name: str, remedy: str) -> Finding:
    """
    Judge a configuration of Redis by the values that are well.
    """
    if value is None:
        return unknown(subject, name)
    return verdict(subject, wrong=value not in wanted, found=f"{name} is {value}", remedy=remedy)


def unknown(subject: str, name: str) -> Finding:
    """
    A configuration that Redis refuses to tell.
    """
    return Finding(
        subject=subject,
        is_wrong=False,
        found=f"{name} is not told: this server refuses CONFIG GET",
        remedy=f"look at {name} where the server is configured",
    )


def some(names: Sequence[str]) -> str:
    """
    The first few of them, and how many more there are.
    """
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def size(count: float) -> str:
    """
    Bytes in words: `1.5 GiB`.
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":  # noqa: PLR2004 - as those units are
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1024
    raise AssertionError("the last unit takes all")


def span(seconds: float) -> str:
    """
    How long, in the largest unit: `3 days`.
    """
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if round(abs(seconds)) >= length:
            count = round(seconds / length)
            return f"{count} {unit}{'' if abs(count) == 1 else 's'}"
    return f"{seconds:.1f} s"
