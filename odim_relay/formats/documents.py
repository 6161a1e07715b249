"""
The JSON objects in a file, as they stand there: one, an array of them, or one after another (JSON Lines).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from odim_relay.formats.json_spans import elements_at
from odim_relay.formats.json_text import JSON, kind_of

_WHITE_SPACE = " \t\n\r"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """
    One JSON object.

    Attributes:
        line: where it begins, from 1.
        payload: its bytes, as they stand in the file.
        type: its `@odata.type`; empty without one.
    """

    line: int
    payload: bytes
    type: str


class NotADocumentError(ValueError):
    """
    The file holds something else. The message tells the line.
    """


def documents(content: bytes) -> list[Document]:
    """
    Find the objects, in order: the members of the array when that is all there is, else the values one after another.

    Raises:
        NotADocumentError: it is not JSON in UTF-8, or a value is no object.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise NotADocumentError(f"line {line}: not UTF-8: {exc.reason} at byte {exc.start}") from None
    values = list(_values(text))
    if len(values) == 1 and isinstance(values[0][2], list):
        start = values[0][0]
        values = [(span.start, span.end, span.value) for span in elements_at(text, start)]
    found = []
    line, seen = 1, 0
    for start, end, value in values:
        line, seen = line + text.count("\n", seen, start), start
        if not isinstance(value, dict):
            raise NotADocumentError(f"line {line}: an event is a JSON object, not {kind_of(value)}")
        kind = value.get("@odata.type")
        found.append(Document(line=line, payload=text[start:end].encode(), type=kind if isinstance(kind, str) else ""))
    return found


def _values(text: str) -> Iterator[tuple[int, int, Any]]:
    position = 0
    while True:
        while position < len(text) and text[position] in _WHITE_SPACE:
            position += 1
        if position == len(text):
            return
        try:
            value, end = JSON.raw_decode(text, position)
        except RecursionError:
            raise NotADocumentError(f"line {_line(text, position)}: nested too deeply") from None
        except ValueError as exc:
            at = getattr(exc, "pos", position)
            words = getattr(exc, "msg", str(exc))
            raise NotADocumentError(f"line {_line(text, at)}: not JSON: {words}") from None
        yield position, end, value
        position = end


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
