import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odim_relay.domain.event import Shape
from odim_relay.formats.redfish import decode
from odim_relay.formats.shaping import shape_body
from tests.support.json_values import TEXTS, json_values

EVENT_ID = "6f0f5c1e-0000-5000-8000-000000000001"
shaped = partial(shape_body, event_id=EVENT_ID)

PAYLOAD = rb"""
{ "Id": "1" , "Context": "the BMC's",
  "Events": [
    { "MemberId" : "0", "Message": "a \"q\" \u00fc \\" , "X": 1.50e+2 } ,
    {"Message":"second","Oem":{"MemberId":"inner","Context":"inner"},"MemberId":"1"},
    {"Message":"third"}
  ],
  "Events@odata.count" : 3, "Events ": [] }
"""


def test_a_shape_that_asks_for_nothing_gives_the_payload_itself() -> None:
    assert shaped(PAYLOAD, Shape()) is PAYLOAD


def test_all_records_are_the_payload_itself() -> None:
    assert shaped(PAYLOAD, Shape(records=(0, 1, 2))) is PAYLOAD


def test_the_context_it_has_already_changes_nothing() -> None:
    assert shaped(PAYLOAD, Shape(context="the BMC's")) is PAYLOAD


def test_records_are_left_out_and_the_others_numbered_again() -> None:
    assert shaped(PAYLOAD, Shape(records=(1, 2))) == (
        rb"""
{ "Id": "1" , "Context": "the BMC's",
  "Events": [
    {"Message":"second","Oem":{"MemberId":"inner","Context":"inner"},"MemberId":"0"},
    {"Message":"third"}
  ],
  "Events@odata.count" : 2, "Events ": [] }
"""
    )


def test_what_parts_the_records_stays_as_it_was() -> None:
    assert shaped(PAYLOAD, Shape(records=(0, 2))) == (
        rb"""
{ "Id": "1" , "Context": "the BMC's",
  "Events": [
    { "MemberId" : "0", "Message": "a \"q\" \u00fc \\" , "X": 1.50e+2 },
    {"Message":"third"}
  ],
  "Events@odata.count" : 2, "Events ": [] }
"""
    )


def test_the_context_is_replaced_at_the_root_and_only_there() -> None:
    body = shaped(PAYLOAD, Shape(context='"mine"\n\u00fc'))

    assert body == PAYLOAD.replace(b'"the BMC\'s"', '"\\"mine\\"\\n\u00fc"'.encode())


def test_half_a_surrogate_pair_in_the_context_becomes_its_escape() -> None:
    assert shaped(b'{"x":"\xc3\xbc"}', Shape(context="\ud800\u00fc")) == b'{"Context":"\\ud800\xc3\xbc","x":"\xc3\xbc"}'


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"Events":[]}', b'{"Context":"c","Events":[]}'),
        (b' { "Events" : [] } ', b' {"Context":"c", "Events" : [] } '),
        (b"{}", b'{"Context":"c"}'),
        (b"{ }", b'{"Context":"c" }'),
        (b'{"Context":null}', b'{"Context":"c"}'),
        (b'{"Context":{"a":[1]},"x":1}', b'{"Context":"c","x":1}'),
        (b'{"Context":"a","Context":"b"}', b'{"Context":"a","Context":"c"}'),
        (b'{"Conte\\u0078t":"a"}', b'{"Conte\\u0078t":"c"}'),
    ],
)
def test_the_context_is_replaced_or_comes_first(payload: bytes, expected: bytes) -> None:
    assert shaped(payload, Shape(context="c")) == expected


def test_of_several_events_the_last_is_edited_which_is_the_one_that_was_matched() -> None:
    payload = b'{"Events":[{"MessageId":"a"}],"Events":[{"MessageId":"b"},{"MessageId":"c"}]}'
    decoded = decode(payload)
    assert isinstance(decoded, tuple)

    assert [record.message_id for record in decoded[0].records] == ["b", "c"]
    assert shaped(payload, Shape(records=(1,))) == b'{"Events":[{"MessageId":"a"}],"Events":[{"MessageId":"c"}]}'


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"Events":[{},{"MemberId":7}]}', b'{"Events":[{"MemberId":"0"}]}'),
        (b'{"Events":[{},{"MemberId":null}]}', b'{"Events":[{"MemberId":"0"}]}'),
        (b'{"Events":[{},{"MemberId":"5","MemberId":"6"}]}', b'{"Events":[{"MemberId":"5","MemberId":"0"}]}'),
        (b'{"Events":[{},{"MemberId":"\\u0030"}]}', b'{"Events":[{"MemberId":"\\u0030"}]}'),
        (b'{"Events":[{},{}],"Events@odata.count":"2"}', b'{"Events":[{}],"Events@odata.count":"2"}'),
        (b'{"Events":[{},{}],"Events@odata.count":true}', b'{"Events":[{}],"Events@odata.count":true}'),
        (b'{"Events":[{},{}],"Events@odata.count":1.0}', b'{"Events":[{}],"Events@odata.count":1.0}'),
        (b'{"Events@odata.count":2,"Events":[{},{}]}', b'{"Events@odata.count":1,"Events":[{}]}'),
    ],
)
def test_numbers_are_set_where_they_are(payload: bytes, expected: bytes) -> None:
    assert shaped(payload, Shape(records=(1,))) == expected


def test_a_context_and_records_are_both_shaped() -> None:
    payload = b'{"Events":[{"MemberId":"0"},{"MemberId":"1"}],"Context":""}'

    assert shaped(payload, Shape(records=(1,), context="c")) == b'{"Events":[{"MemberId":"0"}],"Context":"c"}'


def test_a_record_that_is_not_there_cannot_be_selected() -> None:
    with pytest.raises(IndexError):
        shaped(b'{"Events":[{},{}]}', Shape(records=(2,)))


# --- completing ---

BARE = Shape(is_completed=True)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        # Missing members come in first, in one piece.
        (
            b'{ "Events" : [ { "EventId":1.50 } ] }',
            (
                b'{"@odata.type":"#Event.v1_13_0.Event","Id":"ID","Name":"Event", "Events" : [ {"EventType":"Other",'
                b'"MessageId":"OdimRelay.1.0.EventWithoutMessageId","MemberId":"0", "EventId":1.50 } ] }'
            ),
        ),
        (
            b'{"Events":[]}',
            b'{"@odata.type":"#Event.v1_13_0.Event","Id":"ID","Name":"Event","Events":[]}',
        ),
        # What is there and no text is replaced where it stands.
        (
            b'{"@odata.type":null,"Name":"n","Id":7,"Events":[{"MemberId":0,"MessageId":"R.1.0.K","EventType":[]}]}',
            (
                b'{"@odata.type":"#Event.v1_13_0.Event","Name":"n","Id":"ID",'
                b'"Events":[{"MemberId":"0","MessageId":"R.1.0.K","EventType":"Other"}]}'
            ),
        ),
        # What is there is kept, even if it is wrong.
        (
            b'{"@odata.type":"t","Id":"i","Name":"n","Events@odata.count":7,"Events":[{"MessageId":"","MemberId":""}]}',
            (
                b'{"@odata.type":"t","Id":"i","Name":"n","Events@odata.count":7,'
                b'"Events":[{"EventType":"Other","MessageId":"","MemberId":""}]}'
            ),
        ),
        (
            b'{"@odata.type":"#Event.","Id":"","Name":"","Events":[{},{"EventType":"","MessageId":"","MemberId":"9"}]}',
            (
                b'{"@odata.type":"#Event.","Id":"","Name":"","Events":[{"EventType":"Other",'
                b'"MessageId":"OdimRelay.1.0.EventWithoutMessageId","MemberId":"0"},'
                b'{"EventType":"","MessageId":"","MemberId":"9"}]}'
            ),
        ),
    ],
)
def test_what_event_requires_is_added_and_all_else_stays(payload: bytes, expected: bytes) -> None:
    assert shaped(payload, BARE) == expected.replace(b'"ID"', f'"{EVENT_ID}"'.encode())


def test_a_complete_event_is_the_payload_itself() -> None:
    payload = (
        b'{"@odata.type":"#Event.v1_0_0.Event","Id":"1","Name":"n",'
        b'"Events":[{"EventType":"Alert","MessageId":"R.1.0.K","MemberId":"7"}]}'
    )

    assert shaped(payload, BARE) == payload


def test_a_record_that_has_no_member_id_gets_its_place_among_those_that_are_sent() -> None:
    payload = b'{"Events":[{"MemberId":"0"},{},{"MemberId":"2"}]}'

    body = json.loads(shaped(payload, Shape(records=(1, 2), context="c", is_completed=True)))

    assert [record["MemberId"] for record in body["Events"]] == ["0", "1"]
    assert (body["Context"], body["Id"]) == ("c", EVENT_ID)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"Events":[{}]}',
        b'{"Events":[{"EventType":"Alert","MessageId":"a","MemberId":"0"}]}',
        b'{"@odata.type":"#Event.v1_0_0.Event","Id":"1","Name":null,"Events":[]}',
        b'{"@odata.type":"#Event.v1_0_0.Event","Id":1,"Name":"n","Events":[]}',
        b'{"@odata.type":"#Event.v1_0_0.Event","Id":"1","Name":"n","Events":[{"EventType":"Alert","MessageId":"a"}]}',
        b'{"@odata.type":"#Event.v1_0_0.Event","Id":"1","Name":"n","Events":[{"EventType":1,"MessageId":"a","MemberId":"0"}]}',
        b'{"@odata.type":"#Event.v1_0_0.Event","Id":"1","Name":"n","Events":[{"EventType":"a","MessageId":null,"MemberId":"0"}]}',
    ],
)
def test_decoding_tells_what_lacks_something_and_what_is_completed_lacks_nothing(payload: bytes) -> None:
    before, after = decode(payload), decode(shaped(payload, BARE))
    assert isinstance(before, tuple)
    assert isinstance(after, tuple)

    assert (before[0].is_complete, after[0].is_complete) == (False, True)


def test_a_report_has_only_its_context_shaped() -> None:
    assert shaped(b'{"MetricValues":[]}', Shape(context="c")) == b'{"Context":"c","MetricValues":[]}'


def test_numbers_longer_than_the_parsers_limit_survive() -> None:
    payload = b'{"Events":[{"n":' + b"9" * 10_000 + b"},{}]}"

    assert shaped(payload, Shape(records=(0,))) == payload.replace(b",{}", b"")


def test_what_decoding_takes_for_nested_enough_can_be_shaped_deep_in_the_stack() -> None:
    payload = b'{"Events":[{},{"Oem":' + b"[" * 190 + b"]" * 190 + b"}]}"
    assert isinstance(decode(payload), tuple)

    def deep(levels: int) -> bytes:
        return deep(levels - 1) if levels else shaped(payload, Shape(records=(1,), context="c"))

    assert json.loads(deep(400))["Context"] == "c"


# --- properties ---

spaces = st.text(alphabet=" \t\r\n", max_size=2)


@st.composite
def spelled(draw: st.DrawFn, value: Any) -> str:
    """
    One of the ways to write a value down.
    """
    if isinstance(value, dict):
        members = [
            f"{draw(spelled(name))}{draw(spaces)}:{draw(spaces)}{draw(spelled(inner))}" for name, inner in value.items()
        ]
        return "{" + draw(joined(members)) + "}"
    if isinstance(value, list):
        return "[" + draw(joined([draw(spelled(inner)) for inner in value])) + "]"
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


@st.composite
def joined(draw: st.DrawFn, parts: list[str]) -> str:
    return ",".join(f"{draw(spaces)}{part}{draw(spaces)}" for part in parts) or draw(spaces)


records = st.dictionaries(
    st.sampled_from(["MemberId", "MessageId", "EventType", "Oem", "\ud800"]), json_values(), max_size=4
)


@st.composite
def selections(draw: st.DrawFn, count: int) -> tuple[int, ...] | None:
    if not count:
        return None
    return draw(st.none() | st.sets(st.integers(0, count - 1), min_size=1).map(sorted).map(tuple))


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], bytes, Shape]:
    model: dict[str, Any] = {"Events": draw(st.lists(records, max_size=5))}
    others = st.sampled_from(["Context", "Id", "Name", "@odata.type", "Events@odata.count", "Oem", "\ud83d"])
    model |= draw(st.dictionaries(others, json_values(), max_size=4))
    names = draw(st.permutations(list(model)))
    model = {name: model[name] for name in names}
    shape = Shape(
        records=draw(selections(len(model["Events"]))),
        context=draw(st.none() | TEXTS),
        is_completed=draw(st.booleans()),
    )
    return model, f"{draw(spaces)}{draw(spelled(model))}{draw(spaces)}".encode(), shape


def expected_of(model: dict[str, Any], shape: Shape) -> dict[str, Any]:
    expected = dict(model)
    if shape.is_completed:
        complete(expected, {"@odata.type": "#Event.v1_13_0.Event", "Id": EVENT_ID, "Name": "Event"})
        expected["Events"] = [dict(record) for record in expected["Events"]]
        kept_ones = range(len(expected["Events"])) if shape.records is None else shape.records
        for number, index in enumerate(kept_ones):
            message_id = "OdimRelay.1.0.EventWithoutMessageId"
            required = {"EventType": "Other", "MessageId": message_id, "MemberId": str(number)}
            complete(expected["Events"][index], required)
    if shape.records is not None and len(shape.records) < len(model["Events"]):
        kept = [dict(expected["Events"][index]) for index in shape.records]
        for number, record in enumerate(kept):
            if "MemberId" in record:
                record["MemberId"] = str(number)
        expected["Events"] = kept
        count = model.get("Events@odata.count")
        if isinstance(count, int | float) and not isinstance(count, bool):
            expected["Events@odata.count"] = len(kept)
    if shape.context is not None:
        expected["Context"] = shape.context
    return expected


def complete(members: dict[str, Any], required: dict[str, str]) -> None:
    members |= {name: value for name, value in required.items() if not isinstance(members.get(name), str)}


def normal(value: Any) -> Any:
    # Two halves of a surrogate pair, each escaped, are one character once they have been through JSON.
    return json.loads(json.dumps(value))


@settings(deadline=None, max_examples=60)
@given(cases())
def test_the_body_means_what_the_shape_says_each_time(case: tuple[dict[str, Any], bytes, Shape]) -> None:
    model, payload, shape = case
    body = shaped(payload, shape)

    assert json.loads(body) == normal(expected_of(model, shape))
    assert shaped(bytes(bytearray(payload)), shape) == body


@settings(deadline=None, max_examples=60)
@given(
    data=st.data(),
    parts=st.lists(st.tuples(spaces, records, spaces), min_size=1, max_size=5),
    context=st.none() | TEXTS,
)
def test_the_body_is_made_of_slices_of_the_payload(
    data: st.DataObject, parts: list[tuple[str, dict[str, Any], str]], context: str | None
) -> None:
    head, tail = ' {"Id" : 1e0,"Events":[', '], "\u00fc": -0.0 }\n'
    members = [f"{before}{data.draw(spelled(without_member_id(record)))}" for before, record, _ in parts]
    payload = (head + ",".join(members) + tail).encode()
    kept = data.draw(st.sets(st.integers(0, len(parts) - 1), min_size=1).map(sorted))
    space = members[0][: len(parts[0][0])]
    expected = [members[index] for index in kept]
    if kept[0]:
        # The first that is left takes the place of the first there was.
        expected[0] = space + expected[0][len(parts[kept[0]][0]) :]

    body = shaped(payload, Shape(records=tuple(kept), context=context))

    inserted = "" if context is None else f'"Context":{json.dumps(context, ensure_ascii=False)},'
    whole = head.replace("{", "{" + inserted) + ",".join(expected) + tail
    assert body == whole.encode("utf-8", "backslashreplace")


def without_member_id(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "MemberId"}
