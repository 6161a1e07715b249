import base64
import json

import pytest

from odim_relay.formats.documents import NotADocumentError, documents
from odim_relay.formats.odim import decode as decode_odim
from odim_relay.formats.wrapping import wrap_odim, wrap_redfish

EVENT = (
    b'{ "@odata.type":"#Event.v1_7_0.Event","Id":"1","n":1.50e+3, "Events":[{"Message":"\xc3\xa4\\u00e4 \\"q\\""}] }'
)
REPORT = b'{"@odata.type":"#MetricReport.v1_4_2.MetricReport","Id":"CPU","MetricValues":[]}'


def payloads(content: bytes) -> list[bytes]:
    return [document.payload for document in documents(content)]


def test_a_single_object_is_taken_byte_by_byte_without_the_space_around_it() -> None:
    assert payloads(b"\n  " + EVENT + b"\r\n\t") == [EVENT]


def test_an_object_over_many_lines_stays_as_it_is() -> None:
    pretty = b'{\n  "Id": "1",\n  "Events": []\n}'
    assert payloads(pretty + b"\n") == [pretty]


def test_members_of_an_array_are_taken_one_by_one() -> None:
    assert payloads(b"[" + EVENT + b" ,\n" + REPORT + b"]") == [EVENT, REPORT]
    assert payloads(b"[]") == []


def test_json_lines_may_have_empty_lines_and_none_at_the_end() -> None:
    found = documents(EVENT + b"\n\n" + REPORT)
    assert [(document.line, document.payload) for document in found] == [(1, EVENT), (3, REPORT)]
    assert documents(b"") == []


def test_the_type_is_told() -> None:
    assert [document.type for document in documents(EVENT + REPORT + b'{"@odata.type":7}')] == [
        "#Event.v1_7_0.Event",
        "#MetricReport.v1_4_2.MetricReport",
        "",
    ]


def test_a_byte_order_mark_is_left_out() -> None:
    assert payloads(b"\xef\xbb\xbf" + EVENT) == [EVENT]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a":1}\n{"a":2}\n{"a":', "line 3: not JSON"),
        (b'{"a":1}\nhello', "line 2: not JSON"),
        (b'{"a":1}\n7\n', "line 2: an event is a JSON object, not a number"),
        (b'[{},\n{},\n"x"]', "line 3: an event is a JSON object, not a string"),
        (b'{"a":1}\n[{}]\n', "line 2: an event is a JSON object, not an array"),
        (b'{"a":1}\n\xff\n', "line 2: not UTF-8"),
        (b'{"a":NaN}', "line 1: not JSON"),
        (b'[{"a":1},]', "line 1: not JSON"),
        (b"[" * 100_000, "line 1: nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_told_with_its_line(content: bytes, words: str) -> None:
    with pytest.raises(NotADocumentError, match=words):
        documents(content)


def test_numbers_of_any_length_are_carried() -> None:
    long = b'{"n":' + b"1" * 10_000 + b"}"
    assert payloads(long) == [long]


@pytest.mark.parametrize("payload", [EVENT, REPORT, '{"Events":[],"Message":"漢字 <&> \u2028"}'.encode()])
def test_what_is_wrapped_for_odim_comes_out_as_it_went_in(payload: bytes) -> None:
    (document,) = documents(payload)
    decoded = decode_odim(wrap_odim(document, "10.24.0.4:45002"))
    assert isinstance(decoded, tuple)
    assert [(event.payload, event.source) for event in decoded] == [(payload, "10.24.0.4")]


def test_only_a_report_is_a_string_in_the_envelope() -> None:
    (event, report) = documents(EVENT + REPORT)
    assert json.loads(wrap_odim(event, "h"))["eventType"] == ""
    assert json.loads(wrap_odim(report, "h"))["eventType"] == "MetricReport"
    assert json.loads(base64.b64decode(json.loads(wrap_odim(event, "h"))["request"])) == json.loads(EVENT)
    assert json.loads(base64.b64decode(json.loads(wrap_odim(report, "h"))["request"])) == REPORT.decode()


def test_redfish_is_not_wrapped() -> None:
    (document,) = documents(EVENT)
    assert wrap_redfish(document, "h") == EVENT
