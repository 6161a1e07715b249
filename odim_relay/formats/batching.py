"""
Several Events in one body. Source: DSP0266: an Event holds any number of EventRecords, and is at most 1 MiB.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from odim_relay.domain.event import Shape
from odim_relay.formats.json_edits import Edit, edited, settings
from odim_relay.formats.json_spans import Span, elements_at, members_at, skip_space
from odim_relay.formats.shaping import shape_body
from odim_relay.formats.splitting import MOST_BYTES

_DIGITS = 8
"""
What a larger `Events@odata.count` adds at most.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    An Event that may go with others.
    """

    event_id: str
    payload: bytes
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """
    Attributes:
        taken: places of the members that the body holds, ascending; 0 is among them.
    """

    body: bytes
    taken: tuple[int, ...]


def compose(members: Sequence[Member], *, is_ordered: bool = False) -> Batch:
    """
    Append the EventRecords of the others to the first one's body, in order, each as its bytes are; the same bytes for
    the same arguments.

    * Of each Event its shaped body counts (`shape_body`). At the root the first one's members stand, and only they.
    * A record without an `EventId` gets one first of all: its event's id. That is so also where nothing is appended:
      by it an event is known whatever company it is in.
    * Where something is appended, `MemberId` numbers all records from "0", and an `Events@odata.count` tells how many.
    * What cannot be appended is left out: a MetricReport, an Event without records or with another `Context`, and what
      would make the body larger than 1 MiB. With `is_ordered` nothing behind it is taken either.
    """
    first, *others = members
    body = _Body.of(first)
    if not body.records:
        return Batch(body=body.text.encode(), taken=(0,))
    count = len(body.records)
    left = MOST_BYTES - len(body.with_identities(first.event_id, 0).encode()) - _DIGITS
    taken, appended = [0], list[str]()
    for place, member in enumerate(others, 1):
        pieces = _Body.of(member).pieces(member.event_id, count) if member.shape.context == first.shape.context else []
        size = sum(len(piece.encode()) + 1 for piece in pieces)
        if pieces and size <= left:
            taken.append(place)
            appended += pieces
            count, left = count + len(pieces), left - size
        elif is_ordered:
            break
    if not appended:
        return Batch(body=body.with_identities(first.event_id, None).encode(), taken=(0,))
    return Batch(body=body.with_identities(first.event_id, 0, appended).encode(), taken=tuple(taken))


@dataclass(frozen=True, slots=True)
class _Body:
    """
    A shaped body and where things stand in it; `records` is empty for what is no Event, or has none.
    """

    text: str
    root: dict[str, Span]
    records: list[Span]

    @classmethod
    def of(cls, member: Member) -> Self:
        text = shape_body(member.payload, member.shape, event_id=member.event_id).decode()
        root = members_at(text, skip_space(text, 0))
        events = root.get("Events")
        return cls(text, root, elements_at(text, events.start) if events and isinstance(events.value, list) else [])

    def pieces(self, event_id: str, first_number: int | None) -> list[str]:
        """
        The records with their identities, numbered from `first_number` on, or as they are.
        """
        return [
            edited(self.text, record.start, record.end, _identities(self.text, record, event_id, number))
            for at, record in enumerate(self.records)
            for number in [None if first_number is None else first_number + at]
        ]

    def with_identities(self, event_id: str, first_number: int | None, appended: Sequence[str] = ()) -> str:
        """
        The whole body with its records so, and what is appended behind them.
        """
        edits: list[Edit] = [
            (record.start, record.end, piece)
            for record, piece in zip(self.records, self.pieces(event_id, first_number), strict=True)
        ]
        if appended:
            start, end, last = edits[-1]
            edits[-1] = (start, end, ",".join([last, *appended]))
            stated = self.root.get("Events@odata.count")
            if stated and isinstance(stated.value, float):
                edits.append((stated.start, stated.end, str(len(self.records) + len(appended))))
        return edited(self.text, 0, len(self.text), edits)


def _identities(text: str, record: Span, event_id: str, number: int | None) -> list[Edit]:
    members = members_at(text, record.start)
    wanted = {}
    if "EventId" not in members or members["EventId"].value in (None, ""):
        wanted["EventId"] = event_id
    if number is not None:
        wanted["MemberId"] = str(number)
    return settings(record.start, members, wanted)
