"""
The JSON object in a request's body, or what is wrong with it.
"""

import json
import math
import re
from typing import Any

from odim_relay.api.http.errors import refusal
from odim_relay.formats.json_text import refuse_constant

MOST_NESTED = 32
"""
Levels of arrays and objects within each other.
"""
# One without an end goes to the end: looking for a shorter one at each of its quotes would take for ever.
_STRING = re.compile(r'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ANNOTATION = re.compile(r"@|.*@(?:odata|Redfish|Message)\.")


class _DuplicateError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def read_document(body: bytes) -> dict[str, Any]:
    """
    Parse the object.

    Raises:
        RedfishError: 400 with MalformedJSON, PropertyDuplicate or UnrecognizedRequestBody.
    """
    try:
        text = body.decode()
        if _is_too_deep(text):
            raise refusal(400, "MalformedJSON")
        document = _DECODER.decode(text)
        # An escape may spell half a character; no encoder takes it further.
        if "\\u" in text and _SURROGATE.search(json.dumps(document, ensure_ascii=False)):
            raise refusal(400, "MalformedJSON")
    except _DuplicateError as exc:
        raise refusal(400, "PropertyDuplicate", exc.name, related=(f"#/{exc.name}",)) from None
    except (ValueError, RecursionError):
        raise refusal(400, "MalformedJSON") from None
    if not isinstance(document, dict):
        raise refusal(400, "UnrecognizedRequestBody")
    return document


def without_annotations(document: dict[str, Any]) -> dict[str, Any]:
    """
    The properties of the object itself; what is said about it or one of them is left out, as Redfish wants it.
    """
    return {name: value for name, value in document.items() if not _ANNOTATION.match(name)}


def _is_too_deep(text: str) -> bool:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > MOST_NESTED:
            return True
    return False


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise _DuplicateError(name)
        members[name] = value
    return members


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:20]} is too large")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_once_each, parse_float=_finite, parse_constant=refuse_constant)
