import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odim_relay.domain.event import Event, EventFormat, Shape
from odim_relay.formats.redfish import decode
from odim_relay.formats.shaping import shape_body
from odim_relay.formats.splitting import MOST_BYTES, parts_of

MIB = 1_048_576


def event_of(*sizes: int, is_complete: bool = True, **members: Any) -> Event:
    """
    An Event whose records have about these sizes.
    """
    ids = {"EventType": "Other", "MessageId": "R.1.0.K"} if is_complete else {}
    records = [
        {**ids, **({"MemberId": str(index)} if is_complete else {}), "Message": "\u00fc" * (size // 2)}
        for index, size in enumerate(sizes)
    ]
    root = {"@odata.type": "#Event.v1_13_0.Event", "Id": "1", "Name": "n"} if is_complete else {}
    payload = json.dumps({**root, **members, "Events": records}, ensure_ascii=False).encode()
    decoded = decode(payload)
    assert isinstance(decoded, tuple)
    return decoded[0]


def bodies(event: Event, shape: Shape) -> list[bytes]:
    return [shape_body(event.payload, part, event_id="e") for part in parts_of(event, shape, event_id="e")]


def padded(size: int) -> Event:
    """
    An Event of exactly this size, of two records.
    """
    short = event_of(1000, 1000, Oem="")
    return event_of(1000, 1000, Oem="x" * (size - len(short.payload)))


def test_the_limit_is_one_mebibyte() -> None:
    assert MOST_BYTES == MIB


def test_a_small_event_is_one_part() -> None:
    shape = Shape(records=(1,), context="c")

    assert parts_of(event_of(10, 10), shape, event_id="e") == (shape,)


@pytest.mark.parametrize(("size", "count"), [(MIB - 1, 1), (MIB, 1), (MIB + 1, 2)])
def test_a_body_is_divided_when_it_is_larger_than_the_limit(size: int, count: int) -> None:
    event = padded(size)
    assert len(event.payload) == size

    assert len(parts_of(event, Shape(), event_id="e")) == count


@pytest.mark.parametrize(("context", "count"), [("c" * 86, 1), ("c" * 87, 2)])
def test_the_context_counts_as_it_is_sent(context: str, count: int) -> None:
    event = padded(MIB - 99)  # and 13 bytes are `"Context":"",`

    assert len(shape_body(event.payload, Shape(context=context), event_id="e")) == MIB - 99 + 13 + len(context)
    assert len(parts_of(event, Shape(context=context), event_id="e")) == count


def test_records_stay_in_order_and_each_part_holds_as_many_as_fit() -> None:
    event = event_of(*[300_000] * 7)

    parts = parts_of(event, Shape(context="c"), event_id="e")

    assert [part.records for part in parts] == [(0, 1, 2), (3, 4, 5), (6,)]
    assert {part.context for part in parts} == {"c"}


def test_each_part_is_an_event_by_itself() -> None:
    count: dict[str, Any] = {"Events@odata.count": 4}
    event = event_of(*[300_000] * 4, **count)

    first, second = map(json.loads, bodies(event, Shape(context="c")))

    assert [record["MemberId"] for record in first["Events"]] == ["0", "1", "2"]
    assert [record["MemberId"] for record in second["Events"]] == ["0"]
    assert (first["Events@odata.count"], second["Events@odata.count"]) == (3, 1)
    assert first["Context"] == second["Context"] == "c"
    assert first["Id"] == second["Id"] == "1"


def test_only_the_records_that_matched_are_divided() -> None:
    event = event_of(*[300_000] * 6)

    assert [part.records for part in parts_of(event, Shape(records=(0, 2, 3, 5)), event_id="e")] == [(0, 2, 3), (5,)]
    assert len(parts_of(event, Shape(records=(0, 2, 5)), event_id="e")) == 1


def test_a_record_that_is_too_large_by_itself_goes_alone() -> None:
    event = event_of(10, 2 * MIB, 10, 10)

    assert [part.records for part in parts_of(event, Shape(), event_id="e")] == [(0,), (1,), (2, 3)]


@pytest.mark.parametrize("shape", [Shape(), Shape(records=(1,))])
def test_one_record_is_never_divided(shape: Shape) -> None:
    event = event_of(2 * MIB) if shape.records is None else event_of(10, 2 * MIB)

    assert parts_of(event, shape, event_id="e") == (shape,)


def test_a_report_is_never_divided() -> None:
    payload = json.dumps({"MetricValues": ["x" * MIB, "y"], "Events": [{}, {}]}).encode()
    report = Event(format=EventFormat.METRIC_REPORT, payload=payload)

    assert parts_of(report, Shape(), event_id="e") == (Shape(),)


def test_what_is_added_to_records_counts_too() -> None:
    event = event_of(*[50] * 8_000, is_complete=False)
    assert len(event.payload) < MIB

    made = bodies(event, Shape(is_completed=True))

    assert len(made) == 2
    assert max(map(len, made)) <= MIB


@settings(deadline=None, max_examples=25)
@given(
    sizes=st.lists(st.integers(1, 500_000), min_size=2, max_size=9),
    context=st.none() | st.text(max_size=50),
    is_complete=st.booleans(),
    data=st.data(),
)
def test_no_record_is_lost_or_doubled_and_no_part_too_large_by_rule_l3(
    sizes: list[int], context: str | None, is_complete: bool, data: st.DataObject
) -> None:
    event = event_of(*sizes, is_complete=is_complete)
    records = data.draw(st.none() | st.sets(st.integers(0, len(sizes) - 1), min_size=1).map(sorted).map(tuple))
    shape = Shape(records=records, context=context, is_completed=not is_complete)

    parts = parts_of(event, shape, event_id="e")

    if len(parts) == 1:
        assert parts == (shape,)
    else:
        sent = [index for part in parts for index in part.records or ()]
        assert sent == list(range(len(sizes)) if records is None else records)
    assert all(len(body) <= MIB for body in bodies(event, shape))
    assert parts_of(event, shape, event_id="e") == parts
