"""
One delivery's body, out of its Event's payload: bytes as they came, but for a closed list (semantics S8).
"""

import json

from odim_relay.domain.event import WHOLE, Shape
from odim_relay.formats.json_spans import Span, elements_at, members_at, skip_space


def shape_body(payload: bytes, shape: Shape) -> bytes:
    """
    Leave the EventRecords out that did not match, and set the Context; the same bytes for the same arguments.

    * Only the members of `Events` that `shape.records` names remain. Where one is left out, the `MemberId` of those
      that have one is numbered from "0" again, and `Events@odata.count` tells the new number where it is a number.
    * `shape.context` replaces the root's `Context`, or comes in as the first member.

    Everything else keeps its bytes: white space, order, escapes, spelling of numbers, members nobody knows. Of members
    with one name the last counts, as for `json`; earlier ones stay as they are.

    Args:
        payload: what a decoder has understood as an Event or MetricReport.

    Returns:
        `payload` itself when the shape asks for nothing.

    Raises:
        IndexError: `shape.records` names a record that the payload does not have.
    """
    if shape == WHOLE:
        return payload
    text = payload.decode()
    root_at = skip_space(text, 0)
    root = members_at(text, root_at)
    edits: list[tuple[int, int, str]] = []
    if shape.records is not None and "Events" in root:
        edits += _selection(text, root, shape.records)
    if shape.context is not None:
        edits += _context(root_at, root, shape.context)
    if not edits:
        return payload
    return _edited(text, edits)


def _selection(text: str, root: dict[str, Span], kept: tuple[int, ...]) -> list[tuple[int, int, str]]:
    events = root["Events"]
    records = elements_at(text, events.start)
    if len(kept) == len(records):
        return []
    pieces = []
    for number, index in enumerate(kept):
        record = records[index]
        if number:
            # What stood before this record parts it from the one that is now before it.
            pieces.append(text[records[index - 1].end : record.start])
        pieces.append(_renumbered(text, record, number))
    edits = [(records[0].start, records[-1].end, "".join(pieces))]
    count = root.get("Events@odata.count")
    if count and isinstance(count.value, float) and count.value != len(kept):
        edits.append((count.start, count.end, str(len(kept))))
    return edits


def _renumbered(text: str, record: Span, number: int) -> str:
    if "MemberId" not in record.value or record.value["MemberId"] == str(number):
        return text[record.start : record.end]
    member_id = members_at(text, record.start)["MemberId"]
    return f'{text[record.start : member_id.start]}"{number}"{text[member_id.end : record.end]}'


def _context(root_at: int, root: dict[str, Span], context: str) -> list[tuple[int, int, str]]:
    spelled = json.dumps(context, ensure_ascii=False)
    present = root.get("Context")
    if present:
        return [] if present.value == context else [(present.start, present.end, spelled)]
    first = root_at + 1
    comma = "," if root else ""
    return [(first, first, f'"Context":{spelled}{comma}')]


def _edited(text: str, edits: list[tuple[int, int, str]]) -> bytes:
    pieces = []
    done = 0
    for start, end, replacement in sorted(edits):
        pieces += [text[done:start], replacement]
        done = end
    pieces.append(text[done:])
    # A Context may hold half a surrogate pair: that has no UTF-8, but the escape that stands for it in JSON.
    return "".join(pieces).encode("utf-8", "backslashreplace")
