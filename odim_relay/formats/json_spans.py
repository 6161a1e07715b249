"""
Where the members of an object and the elements of an array stand in a JSON text, to edit it without writing it anew.

The values are stepped over by the standard library's parser, so what is a value here is what is one to `json.loads`.
"""

from dataclasses import dataclass
from typing import Any

from odim_relay.formats.json_text import JSON

_WHITE_SPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Span:
    """
    One value: it stands at `text[start:end]`; `value` is what it means.
    """

    start: int
    end: int
    value: Any


def skip_space(text: str, position: int) -> int:
    """
    The first position from `position` on that is no white space.
    """
    while text[position] in _WHITE_SPACE:
        position += 1
    return position


def members_at(text: str, start: int) -> dict[str, Span]:
    """
    The members of the object whose brace stands at `start`, by name; of several with one name the last, as for `json`.

    `text` must be valid JSON.
    """
    members: dict[str, Span] = {}
    position = skip_space(text, start + 1)
    while text[position] != "}":
        name, position = JSON.raw_decode(text, position)
        # From behind the colon that follows the name, to the value.
        position = skip_space(text, skip_space(text, position) + 1)
        value, end = JSON.raw_decode(text, position)
        members[name] = Span(position, end, value)
        position = _next(text, end)
    return members


def elements_at(text: str, start: int) -> list[Span]:
    """
    The elements of the array whose bracket stands at `start`, in order.

    `text` must be valid JSON.
    """
    elements: list[Span] = []
    position = skip_space(text, start + 1)
    while text[position] != "]":
        value, end = JSON.raw_decode(text, position)
        elements.append(Span(position, end, value))
        position = _next(text, end)
    return elements


def _next(text: str, end: int) -> int:
    position = skip_space(text, end)
    return skip_space(text, position + 1) if text[position] == "," else position
