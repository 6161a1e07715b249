"""
Events that are too large for one request. Source: DSP0266: a pushed payload shall not exceed 1 MiB; a larger one is
divided at its EventRecords; MetricReports are not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from odim_relay.domain.event import Event, Shape
from odim_relay.formats.json_spans import elements_at, members_at, skip_space
from odim_relay.formats.shaping import shape_body

MOST_BYTES = 1_048_576
"""
Of one body, as it is sent.
"""

# What shaping adds at most: to the root, for each character of a Context, and to each record.
_ROOT, _ROOT_COMPLETED = 64, 256
_CHARACTER = 6
_RECORD, _RECORD_COMPLETED = 16, 128


def parts_of(event: Event, shape: Shape, *, event_id: str) -> tuple[Shape, ...]:
    """
    Divide a body that would be larger than 1 MiB: the shapes of its parts, each with as many records as fit, in order.

    The same for the same arguments. A record that is too large by itself is a part of its own, and stays too large.

    Returns:
        `shape` alone where the body fits, or cannot be divided.
    """
    count = len(event.records) if shape.records is None else len(shape.records)
    to_root, to_record = _most_added(shape)
    # A MetricReport has no records.
    if count <= 1 or len(event.payload) + to_root + to_record * len(event.records) <= MOST_BYTES:
        return (shape,)
    sizes = _sizes(event.payload)
    kept = tuple(range(count)) if shape.records is None else shape.records
    size = sizes.rest + sum(sizes.records[index] for index in kept)
    most = size + to_root + to_record * count
    # Near the limit it is not worth guessing.
    if most <= MOST_BYTES or (size <= MOST_BYTES and _fits(event, shape, event_id)):
        return (shape,)
    room = MOST_BYTES - sizes.rest - to_root
    return tuple(replace(shape, records=part) for part in _packed(kept, sizes.records, to_record, room))


def _most_added(shape: Shape) -> tuple[int, int]:
    to_root = _ROOT_COMPLETED if shape.is_completed else _ROOT
    return to_root + _CHARACTER * len(shape.context or ""), _RECORD_COMPLETED if shape.is_completed else _RECORD


def _fits(event: Event, shape: Shape, event_id: str) -> bool:
    return len(shape_body(event.payload, shape, event_id=event_id)) <= MOST_BYTES


def _packed(kept: Sequence[int], sizes: Sequence[int], to_record: int, room: int) -> list[tuple[int, ...]]:
    parts: list[list[int]] = []
    left = 0
    for index in kept:
        size = sizes[index] + to_record
        if not parts or size > left:
            parts.append([])
            left = room
        parts[-1].append(index)
        left -= size
    return [tuple(part) for part in parts]


@dataclass(frozen=True, slots=True)
class _Sizes:
    """
    Bytes of an Event's records, each with what parts it from the one before it, and of all around them.
    """

    rest: int
    records: tuple[int, ...]


# The same event is asked about for each subscription that wants it.
@lru_cache(maxsize=2)
def _sizes(payload: bytes) -> _Sizes:
    text = payload.decode()
    records = elements_at(text, members_at(text, skip_space(text, 0))["Events"].start)
    starts = [records[0].start, *(record.end for record in records[:-1])]
    sizes = tuple(len(text[start : record.end].encode()) for start, record in zip(starts, records, strict=True))
    return _Sizes(rest=len(payload) - sum(sizes), records=sizes)
