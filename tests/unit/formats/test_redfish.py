import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odim_relay.domain.event import Event, EventFormat, EventRecord
from odim_relay.formats import Undecodable
from odim_relay.formats.redfish import decode
from tests.support.json_values import json_values

RECORD = {
    "EventType": "Alert",
    "MemberId": "0",
    "MessageId": "ResourceEvent.1.4.ResourceRemoved",
    "Severity": "OK",
    "MessageSeverity": "Warning",
    "OriginOfCondition": {"@odata.id": "/redfish/v1/Systems/1/Storage/1/Volumes/7/"},
}


def event_of(value: bytes) -> Event:
    decoded = decode(value)
    assert isinstance(decoded, tuple), decoded
    (event,) = decoded
    return event


def record_of(**members: Any) -> EventRecord:
    (record,) = event_of(json.dumps({"Events": [members]}).encode()).records
    return record


def test_an_event_is_read_record_by_record() -> None:
    value = json.dumps({"@odata.type": "#Event.v1_7_0.Event", "Events": [RECORD, {}]}, indent=2).encode()

    assert event_of(value) == Event(
        format=EventFormat.EVENT,
        payload=value,
        records=(
            EventRecord(
                event_type="Alert",
                message_id="ResourceEvent.ResourceRemoved",
                registry="ResourceEvent",
                severity="Warning",
                origin="/redfish/v1/Systems/1/Storage/1/Volumes/7",
                resource_type="Volume",
                further_types=("Resource",),
            ),
            EventRecord(),
        ),
        is_complete=False,
    )


def test_the_payload_is_the_bytes_as_they_came() -> None:
    value = b' {"Events" : [ ], "Oem": 1.50e+2}\n'

    assert event_of(value).payload is value


def test_a_metric_report_is_read() -> None:
    value = b"""{
        "@odata.type": "#MetricReport.v1_4_2.MetricReport",
        "MetricReportDefinition": {"@odata.id": "/redfish/v1/TelemetryService/MetricReportDefinitions/1"}
    }"""

    assert event_of(value) == Event(
        format=EventFormat.METRIC_REPORT,
        payload=value,
        report_definition="/redfish/v1/TelemetryService/MetricReportDefinitions/1",
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"MetricValues": []}', EventFormat.METRIC_REPORT),
        (b'{"Events": []}', EventFormat.EVENT),
        (b'{"Events": [], "MetricValues": []}', EventFormat.EVENT),
        (b'{"@odata.type": "#MetricReport.v1_0_0.MetricReport", "Events": []}', EventFormat.METRIC_REPORT),
        (b'{"@odata.type": "#Event.v1_0_0.Event", "Events": [], "MetricValues": []}', EventFormat.EVENT),
        (b'{"@odata.type": "#Unheard.v1_0_0.Of", "MetricValues": []}', EventFormat.METRIC_REPORT),
        (b'{"@odata.type": 7, "Events": []}', EventFormat.EVENT),
    ],
)
def test_the_type_tells_the_format_or_else_what_is_there(value: bytes, expected: EventFormat) -> None:
    assert event_of(value).format is expected


def test_an_event_without_records_is_valid() -> None:
    assert event_of(b'{"Events": []}').records == ()


def test_five_thousand_records_are_read() -> None:
    value = json.dumps({"Events": [RECORD] * 5_000}).encode()

    assert len(event_of(value).records) == 5_000


@pytest.mark.parametrize("odd", [None, 1, 2.5, True, [], {}, [["x"]], {"@odata.id": 3}, {"@odata.id": None}])
@pytest.mark.parametrize("name", RECORD)
def test_a_member_of_the_wrong_type_counts_as_absent(name: str, odd: Any) -> None:
    members = {key: value for key, value in RECORD.items() if key != name}

    assert record_of(**members, **{name: odd}) == record_of(**members)


@pytest.mark.parametrize(
    "members", [{"EventGroupId": "7"}, {"MessageArgs": ["x", 1, None]}, {"MessageArgs": "x"}, {"Oem": None}]
)
def test_members_nobody_filters_by_may_be_anything(members: dict[str, Any]) -> None:
    assert record_of(**RECORD, **members) == record_of(**RECORD)


def test_an_origin_that_is_a_string_is_understood() -> None:
    assert record_of(OriginOfCondition="/redfish/v1/Systems/1/").origin == "/redfish/v1/Systems/1"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"Severity": "Critical"}, "Critical"),
        ({"Severity": "Critical", "MessageSeverity": None}, "Critical"),
        ({"Severity": "Critical", "MessageSeverity": "OK"}, "OK"),
        ({}, ""),
    ],
)
def test_the_deprecated_severity_counts_where_it_is_alone(members: dict[str, Any], expected: str) -> None:
    assert record_of(**members).severity == expected


def test_a_number_of_any_length_does_not_lose_the_event() -> None:
    value = b'{"Events": [{"EventGroupId": ' + b"9" * 10_000 + b', "X": 1e99999}]}'

    assert len(event_of(value).records) == 1


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"", "not_json", "Expecting value: line 1 column 1 (char 0)"),
        (b"{", "not_json", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b'{"Events": []} x', "not_json", "Extra data: line 1 column 16 (char 15)"),
        (b'{"Events": [NaN]}', "not_json", "NaN is no JSON value"),
        (b'{"Events": [{"a": -Infinity}]}', "not_json", "-Infinity is no JSON value"),
        (b'\xef\xbb\xbf{"Events": []}', "not_json", "begins with a byte order mark"),
        (b'{"Events": ["\xff"]}', "not_utf8", "invalid start byte at byte 13"),
        ('{"Events": []}'.encode("utf-16"), "not_utf8", "invalid start byte at byte 0"),
        (b"[" * 100_000, "too_deep", "arrays and objects within each other, deeper than 200"),
        (b'{"a":' * 100_000, "too_deep", "arrays and objects within each other, deeper than 200"),
        (b"null", "not_an_object", "the payload is null, not an object"),
        (b"[]", "not_an_object", "the payload is an array, not an object"),
        (b"7", "not_an_object", "the payload is a number, not an object"),
        (b"false", "not_an_object", "the payload is true or false, not an object"),
        (b'"x"', "not_an_object", "the payload is a string, not an object"),
        (b"{}", "not_an_event", "has neither Events nor MetricValues"),
        (b'{"events": []}', "not_an_event", "has neither Events nor MetricValues"),
        (b'{"Events": null}', "events_not_an_array", "Events is null, not an array"),
        (b'{"Events": {}}', "events_not_an_array", "Events is an object, not an array"),
        (b'{"@odata.type": "#Event.v1_7_0.Event"}', "events_not_an_array", "Events is missing, not an array"),
        (b'{"Events": [{}, null]}', "record_not_an_object", "Events[1] is null, not an object"),
        (b'{"Events": [[]]}', "record_not_an_object", "Events[0] is an array, not an object"),
    ],
)
def test_what_hides_the_records_is_undecodable_with_the_place(value: bytes, reason: str, detail: str) -> None:
    assert decode(value) == Undecodable(reason=reason, detail=detail)


@pytest.mark.parametrize(("levels", "is_understood"), [(195, True), (200, False), (900, False)])
def test_nesting_has_a_limit_of_its_own_below_the_parsers(levels: int, is_understood: bool) -> None:
    value = b'{"Events": [{"Oem": ' + b"[" * levels + b"]" * levels + b"}]}"

    assert isinstance(decode(value), tuple) is is_understood


def test_nothing_of_the_record_is_in_the_detail() -> None:
    decoded = decode(b'{"Events": "' + b"secret" * 1_000 + b'"}')

    assert isinstance(decoded, Undecodable)
    assert "secret" not in decoded.detail


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_make_it_raise(value: bytes) -> None:
    assert isinstance(decode(value), tuple | Undecodable)


@settings(deadline=None, max_examples=60)
@given(json_values() | st.fixed_dictionaries({"Events": json_values() | st.lists(json_values())}))
def test_no_json_makes_it_raise(value: Any) -> None:
    assert isinstance(decode(json.dumps(value).encode()), tuple | Undecodable)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.dictionaries(st.sampled_from(list(RECORD)), json_values(), max_size=3), max_size=3))
def test_records_of_any_members_are_read_all(members: list[dict[str, Any]]) -> None:
    assert len(event_of(json.dumps({"Events": members}).encode()).records) == len(members)
