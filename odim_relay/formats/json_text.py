"""
JSON as it comes off a wire: read, or refused with a reason.
"""

import json
from typing import Any

from odim_relay.formats import Undecodable

MOST_NESTED = 200
"""
Levels of arrays and objects within each other. Far below what the parser can do wherever the payload is read again.
"""


def refuse_constant(constant: str) -> None:
    """
    For `parse_constant`: NaN and the infinities are no JSON, though the standard library reads them.
    """
    raise ValueError(f"{constant} is no JSON value")


# Numbers are carried, never counted with: as floats they may have any number of digits.
JSON = json.JSONDecoder(parse_int=float, parse_constant=refuse_constant)


def read_json(value: bytes, decoder: json.JSONDecoder = JSON) -> Any:
    """
    Parse one JSON value of RFC 8259 in UTF-8; never raises. With `JSON`, numbers come as floats.

    Returns:
        the value; `Undecodable` when there is none: `not_utf8`, `not_json`, `too_deep`.
    """
    try:
        text = value.decode()
    except UnicodeDecodeError as exc:
        return Undecodable(reason="not_utf8", detail=f"{exc.reason} at byte {exc.start}")
    if text.startswith("\ufeff"):
        return Undecodable(reason="not_json", detail="begins with a byte order mark")
    try:
        read = decoder.decode(text)
    except RecursionError:
        return _TOO_DEEP
    except ValueError as exc:
        return Undecodable(reason="not_json", detail=str(exc))
    if text.count("{") + text.count("[") > MOST_NESTED and _is_too_deep(read):
        return _TOO_DEEP
    return read


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_NESTED + 1):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True


_TOO_DEEP = Undecodable(reason="too_deep", detail=f"arrays and objects within each other, deeper than {MOST_NESTED}")


def kind_of(value: Any) -> str:
    """
    What a parsed value is, in words: `an object`, `null`.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a string"
        case dict():
            return "an object"
        case list():
            return "an array"
        case _:
            return "a number"


def text_within(value: bytes) -> bytes:
    """
    The text of a JSON string, in UTF-8; what is none comes back as it is.
    """
    if not value.lstrip(b" \t\r\n").startswith(b'"'):
        return value
    text = read_json(value)
    # Half a surrogate pair has no UTF-8, but the escape that stands for it in JSON.
    return text.encode("utf-8", "backslashreplace") if isinstance(text, str) else value
