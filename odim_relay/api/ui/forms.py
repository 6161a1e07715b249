"""
What browsers send of forms, and the spans of time that people write into them.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

_MOST_FIELDS = 50
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*(s|sec|m|min|h|d)?", re.ASCII)
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_LONGEST_S = 10 * 365 * 86_400


def fields_of(encoded: str) -> Mapping[str, str]:
    """
    The last value of each name of a query or a form.

    Raises:
        ValueError: there are too many, or they are no UTF-8.
    """
    return dict(parse_qsl(encoded, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))


def read_span_s(text: str) -> float | None:
    """
    A span of time as people write it, in seconds: `90`, `90 s`, `15 min`, `2h`, `1 d`. None for nothing.

    Raises:
        ValueError: it is none, in words that tell the person.
    """
    if not text.strip():
        return None
    match = _SPAN.fullmatch(text.strip().lower())
    span_s = float(match[1]) * _SECONDS[match[2] or "s"] if match else -1.0
    if not 0 <= span_s <= _LONGEST_S:
        raise ValueError("write a span of time such as 90 s, 15 min, 2 h or 1 d, of ten years at most")
    return span_s


def read_number(text: str, *, least: int, most: int, default: int) -> int:
    """
    A whole number within bounds; the default for none, the nearer bound for one beyond them.
    """
    digits = text.strip()
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:  # noqa: PLR2004 - digits
        return default
    return min(max(int(digits), least), most)
