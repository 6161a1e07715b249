"""
One delivery's body, out of its Event's payload: bytes as they came, but for a closed list (semantics S8).
"""

from odim_relay.domain.event import WHOLE, Shape
from odim_relay.formats.json_edits import Edit, edited, settings
from odim_relay.formats.json_spans import Span, elements_at, members_at, skip_space

EVENT_TYPE = "#Event.v1_13_0.Event"
NAME = "Event"
RECORD_TYPE = "Other"
MESSAGE_ID = "OdimRelay.1.0.EventWithoutMessageId"


def shape_body(payload: bytes, shape: Shape, *, event_id: str) -> bytes:
    """
    Leave the EventRecords out that did not match, set the Context, add what is missing; the same bytes for the same
    arguments.

    * Only the members of `Events` that `shape.records` names remain. Where one is left out, the `MemberId` of those
      that have one is numbered from "0" again, and `Events@odata.count` tells the new number where it is a number.
    * `shape.context` replaces the root's `Context`, or comes in as the first member.
    * With `shape.is_completed` each member that Event v1_13_0 requires and the source did not give as a text comes in
      first in its object, or replaces what stands there: `@odata.type`, `Id` (`event_id`), `Name` (`Event`); of each
      record `EventType` (`Other`), `MessageId` (`OdimRelay.1.0.EventWithoutMessageId`), `MemberId` (its place).

    Everything else keeps its bytes: white space, order, escapes, spelling of numbers, members nobody knows. Of members
    with one name the last counts, as for `json`; earlier ones stay as they are.

    Args:
        payload: what a decoder has understood as an Event or MetricReport.
        event_id: the event's own.

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
    edits: list[Edit] = []
    if "Events" in root and (shape.records is not None or shape.is_completed):
        edits += _records(text, root, shape)
    wanted: dict[str, str] = {}
    if shape.is_completed:
        required = {"@odata.type": EVENT_TYPE, "Id": event_id, "Name": NAME}
        wanted = {name: value for name, value in required.items() if not _is_text(root.get(name))}
    if shape.context is not None:
        wanted["Context"] = shape.context
    edits += settings(root_at, root, wanted)
    if not edits:
        return payload
    # A Context may hold half a surrogate pair: that has no UTF-8, but the escape that stands for it in JSON.
    return edited(text, 0, len(text), edits).encode("utf-8", "backslashreplace")


def _records(text: str, root: dict[str, Span], shape: Shape) -> list[Edit]:
    records = elements_at(text, root["Events"].start)
    kept = tuple(range(len(records))) if shape.records is None else shape.records
    is_selection = len(kept) < len(records)
    if not (is_selection or (shape.is_completed and records)):
        return []
    pieces = []
    for number, index in enumerate(kept):
        record = records[index]
        if number:
            # What stood before this record parts it from the one that is now before it.
            pieces.append(text[records[index - 1].end : record.start])
        pieces.append(_record(text, record, number, shape, is_renumbered=is_selection))
    edits = [(records[0].start, records[-1].end, "".join(pieces))]
    count = root.get("Events@odata.count")
    if is_selection and count and isinstance(count.value, float) and count.value != len(kept):
        edits.append((count.start, count.end, str(len(kept))))
    return edits


def _record(text: str, record: Span, number: int, shape: Shape, *, is_renumbered: bool) -> str:
    members = record.value
    wanted: dict[str, str] = {}
    if shape.is_completed:
        required = {"EventType": RECORD_TYPE, "MessageId": MESSAGE_ID, "MemberId": str(number)}
        wanted = {name: value for name, value in required.items() if not isinstance(members.get(name), str)}
    if is_renumbered and "MemberId" in members and members["MemberId"] != str(number):
        wanted["MemberId"] = str(number)
    if not wanted:
        return text[record.start : record.end]
    edits = settings(record.start, members_at(text, record.start), wanted)
    return edited(text, record.start, record.end, edits)


def _is_text(member: Span | None) -> bool:
    return member is not None and isinstance(member.value, str)
