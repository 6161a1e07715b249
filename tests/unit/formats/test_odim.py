import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odim_relay.domain.event import Event, EventFormat
from odim_relay.formats import Ignored, Undecodable, redfish
from odim_relay.formats.odim import decode, decoder
from tests.support.json_values import json_values

BODY = b'{"@odata.type": "#Event.v1_7_0.Event", "Events": [{"EventType": "Alert"}]}'
REPORT = b'{"@odata.type": "#MetricReport.v1_4_2.MetricReport", "MetricValues": [{"MetricValue": "\xc3\xbc"}]}'


def in_base64(body: bytes) -> str:
    return base64.b64encode(body).decode()


def envelope(**members: Any) -> bytes:
    return json.dumps(members).encode()


def event_of(value: bytes) -> Event:
    decoded = decode(value)
    assert isinstance(decoded, tuple), decoded
    (event,) = decoded
    return event


def test_the_payload_in_the_envelope_is_read_as_redfish() -> None:
    event = event_of(envelope(ip="10.24.0.4", request=in_base64(BODY), eventType=""))

    assert (event,) == redfish.decode(BODY, source="10.24.0.4")


@pytest.mark.parametrize("request_", [in_base64(BODY), list(BODY), in_base64(BODY)[:8] + "\r\n" + in_base64(BODY)[8:]])
def test_the_request_is_base64_or_an_array_of_bytes(request_: Any) -> None:
    assert event_of(envelope(request=request_)).payload == BODY


@pytest.mark.parametrize("names", [("ip", "request"), ("IP", "Request"), ("Ip", "REQUEST"), ("ip", "reque\u017ft")])
def test_names_may_be_in_any_case(names: tuple[str, str]) -> None:
    event = event_of(envelope(**dict(zip(names, ("10.24.0.4", in_base64(BODY)), strict=True))))

    assert (event.source, event.payload) == ("10.24.0.4", BODY)


def test_the_last_of_members_with_one_name_counts() -> None:
    value = f'{{"ip":"a","IP":"b","ip":"c","iP":null,"request":"{in_base64(BODY)}"}}'.encode()

    assert event_of(value).source == "c"


@pytest.mark.parametrize(
    ("ip", "source"),
    [
        ("10.24.0.4", "10.24.0.4"),
        ("10.24.0.4:55028", "10.24.0.4"),
        ("odim-grf-plugin:45001", "odim-grf-plugin"),
        ("TasksCollection", "TasksCollection"),
        ("fe80::1", "fe80::1"),
        ("[fe80::1]:443", "fe80::1"),
        ("[fe80::1]", "fe80::1"),
        ("host:", "host"),
        (" 10.24.0.4:443\n", "10.24.0.4"),
        ("https://10.24.0.4", "https://10.24.0.4"),
        ("", ""),
        (None, ""),
        (7, ""),
        ([], ""),
    ],
)
def test_the_source_is_the_address_without_its_port(ip: Any, source: str) -> None:
    assert event_of(envelope(ip=ip, request=in_base64(BODY))).source == source


def test_a_report_that_was_encoded_twice_is_unwrapped() -> None:
    twice = json.dumps(REPORT.decode()).encode()
    event = event_of(envelope(request=in_base64(b"\n" + twice), eventType="MetricReport"))

    assert event.format is EventFormat.METRIC_REPORT
    assert event.payload == REPORT


def test_half_a_surrogate_pair_in_a_report_encoded_twice_becomes_its_escape() -> None:
    event = event_of(envelope(request=in_base64(rb'"{\"MetricValues\": [], \"Name\": \"\ud800\"}"')))

    assert event.payload == rb'{"MetricValues": [], "Name": "\ud800"}'


@pytest.mark.parametrize("event_type", ["MetricReport", "Alert", "", None, 3])
def test_the_body_decides_what_it_is(event_type: Any) -> None:
    assert event_of(envelope(request=in_base64(BODY), eventType=event_type)).format is EventFormat.EVENT
    assert event_of(envelope(request=in_base64(REPORT), eventType=event_type)).format is EventFormat.METRIC_REPORT


@pytest.mark.parametrize("members", [{}, {"request": in_base64(b'{"Name":"GRF"}')}, {"request": "***"}])
def test_the_start_of_a_plugin_is_not_for_subscribers(members: dict[str, Any]) -> None:
    assert decode(envelope(eventType="PluginStartUp", **members)) == Ignored(kind="plugin_start_up")


@pytest.mark.parametrize(
    "value",
    [
        b'{"MessageType": 0, "Data": "e30="}',
        b'{"MessageType": 1, "Data": {"PluginID": "GRF", "EMBQueues": ["topic"]}}',
        b'{"messagetype": 0.0, "DATA": "", "ip": "10.24.0.4"}',
    ],
)
def test_what_odims_services_tell_each_other_is_not_for_subscribers(value: bytes) -> None:
    assert decode(value) == Ignored(kind="control_message")


@pytest.mark.parametrize(
    "members",
    [{"MessageType": 0}, {"Data": "e30="}, {"MessageType": "0", "Data": ""}, {"MessageType": True, "Data": ""}],
)
def test_what_is_only_a_part_of_a_control_message_is_kept_in_quarantine(members: dict[str, Any]) -> None:
    assert isinstance(decode(envelope(**members)), Undecodable)


def test_a_request_is_an_event_whatever_stands_beside_it() -> None:
    assert event_of(envelope(MessageType=0, Data="", request=in_base64(BODY))).payload == BODY


def test_the_uris_of_a_payload_are_translated_and_its_words_are_not() -> None:
    body = b'{"Events": [{"OriginOfCondition": {"@odata.id": "/ODIM/v1/Systems/1/"}, "Message": "ODIM at /ODIM/v1"}]}'
    event = event_of(envelope(request=in_base64(body)))

    assert event.records[0].origin == "/redfish/v1/Systems/1"
    assert b"/redfish/v1/Systems/1/" in event.payload
    assert b"ODIM at /redfish/v1" in event.payload


def test_the_uris_of_a_report_that_was_encoded_twice_are_translated() -> None:
    body = b'{"MetricReportDefinition": {"@odata.id": "/ODIM/v1/d"}, "MetricValues": []}'
    event = event_of(envelope(request=in_base64(json.dumps(body.decode()).encode())))

    assert event.report_definition == "/redfish/v1/d"


def test_what_uris_are_called_can_be_chosen() -> None:
    value = envelope(
        request=in_base64(b'{"Events": [{"OriginOfCondition": "/ODIM/v1"}, {"OriginOfCondition": "/x/v1"}]}')
    )
    decoded = decoder({"x": "redfish"})(value)

    assert isinstance(decoded, tuple)
    assert [record.origin for record in decoded[0].records] == ["/ODIM/v1", "/redfish/v1"]


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"", "not_json", "envelope: Expecting value: line 1 column 1 (char 0)"),
        (b"invalidJson", "not_json", "envelope: Expecting value: line 1 column 1 (char 0)"),
        (b'{"ip": NaN}', "not_json", "envelope: NaN is no JSON value"),
        (b"\xff", "not_utf8", "envelope: invalid start byte at byte 0"),
        (b"[" * 100_000, "too_deep", "envelope: arrays and objects within each other, deeper than 200"),
        (b"null", "not_an_object", "envelope: null, not an object"),
        (b"[]", "not_an_object", "envelope: an array, not an object"),
        (b"{}", "no_request", "request: missing or empty"),
        (b'{"request": null}', "no_request", "request: missing or empty"),
        (b'{"request": ""}', "no_request", "request: missing or empty"),
        (b'{"request": []}', "no_request", "request: missing or empty"),
        (b'{"request": 7}', "request_not_bytes", "request: a number, neither base64 nor an array of bytes"),
        (b'{"request": {"a": 1}}', "request_not_bytes", "request: an object, neither base64 nor an array of bytes"),
        (b'{"request": [256]}', "request_not_bytes", "request: an array with members that are not 0 to 255"),
        (b'{"request": [-1]}', "request_not_bytes", "request: an array with members that are not 0 to 255"),
        (b'{"request": [1e1]}', "request_not_bytes", "request: an array with members that are not 0 to 255"),
        (b'{"request": ["a"]}', "request_not_bytes", "request: an array with members that are not 0 to 255"),
        (
            b'{"request": [%s]}' % (b"9" * 30),
            "request_not_bytes",
            "request: an array with members that are not 0 to 255",
        ),
        (b'{"request": "***"}', "not_base64", None),
        (b'{"request": "e30"}', "not_base64", None),
        (b'{"request": "e30=e30="}', "not_base64", None),
        (b'{"request": "e3 0="}', "not_base64", None),
        (b'{"request": "\\u00fc"}', "not_base64", None),
        (b'{"request": "e30="}', "not_an_event", "request: has neither Events nor MetricValues"),
        (b'{"request": "eyI="}', "not_json", "request: Unterminated string starting at: line 1 column 2 (char 1)"),
        (b'{"request": "Int9Ig=="}', "not_an_event", "request: has neither Events nor MetricValues"),
        (b'{"request": "Ing="}', "not_json", "request: Unterminated string starting at: line 1 column 1 (char 0)"),
        (b'{"request": "IlwiXCIi"}', "not_an_object", "request: the payload is a string, not an object"),
    ],
)
def test_what_hides_the_payload_is_undecodable_with_the_place(value: bytes, reason: str, detail: str | None) -> None:
    decoded = decode(value)

    assert isinstance(decoded, Undecodable), decoded
    assert decoded.reason == reason
    # The words about base64 are the standard library's, and not the same in each version of it.
    assert detail is None or decoded.detail == detail


@settings(deadline=None, max_examples=60)
@given(st.binary() | json_values().map(lambda value: json.dumps(value).encode()))
def test_no_bytes_make_it_raise(value: bytes) -> None:
    assert isinstance(decode(value), tuple | Undecodable | Ignored)


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["ip", "IP", "request", "Request", "eventType", "eventtype"]),
        json_values() | st.binary().map(in_base64) | st.lists(st.integers(-1, 256)),
    )
)
def test_no_envelope_makes_it_raise(members: dict[str, Any]) -> None:
    assert isinstance(decode(envelope(**members)), tuple | Undecodable | Ignored)


@settings(deadline=None, max_examples=60)
@given(json_values())
def test_no_body_makes_it_raise(value: Any) -> None:
    once = json.dumps(value)
    for body in (once, json.dumps(once)):
        assert isinstance(decode(envelope(request=in_base64(body.encode()))), tuple | Undecodable)
