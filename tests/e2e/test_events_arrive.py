"""
From Kafka to subscribers, over every process in between: what arrives, and what becomes of what cannot be understood
(S1, S8, S17).
"""

import hashlib
import json
from typing import Any

import pytest

from odim_relay import __version__
from odim_relay.domain.event import EventFormat, Shape
from odim_relay.domain.identity import delivery_id, event_id, part_id
from odim_relay.domain.subscription import Filters
from odim_relay.formats.redfish import decode
from odim_relay.formats.shaping import shape_body
from tests.support.account import Place
from tests.support.events import event, events
from tests.support.kafka_client import odim_envelope
from tests.support.relay import Relay, Subscriber
from tests.support.shared import shared_rows
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RELAY_PARTITIONS = 2
ARRIVES_S = 30.0


def received(relay: Relay, subscriber: Subscriber) -> dict[str, tuple[dict[str, str], bytes]]:
    """
    Headers (names in lower case) and body by webhook-id; fails when one came twice.
    """
    requests = relay.receiver.bodies(subscriber.path)
    found = {
        webhook_id: ({name.lower(): value for name, value in headers}, body) for webhook_id, headers, body in requests
    }
    assert len(found) == len(requests)
    return found


def name_of(relay: Relay, place: Place) -> str:
    epoch, _ = relay.ledger.positions(relay.topic)[place.partition]
    return event_id(epoch, relay.topic, place.partition, place.offset, 0)


def webhook_id(relay: Relay, place: Place, subscriber: Subscriber) -> str:
    return delivery_id(name_of(relay, place), subscriber.id)


def wait_until_read(relay: Relay) -> None:
    wait_until(relay.is_settled, timeout_s=ARRIVES_S, what="everything to be read and sent")
    relay.check_health()


def spellings(payloads: list[dict[str, Any]]) -> list[bytes]:
    """
    The payloads as JSON, by turns compact in ASCII, and indented in UTF-8.
    """
    return [
        json.dumps(payload, separators=(",", ":")).encode()
        if number % 2
        else json.dumps(payload, indent=1, ensure_ascii=False).encode()
        for number, payload in enumerate(payloads)
    ]


def test_every_event_arrives_once_over_https_with_its_own_bytes_and_headers(relay: Relay) -> None:
    payloads = [row["payload"] for row in shared_rows("redfish_events.jsonl")]
    bodies = spellings([payload for payload in payloads if "MetricValues" not in payload])
    assert len(bodies) >= 40
    subscriber = relay.subscribe()
    places = relay.publish(bodies)
    wait_until_read(relay)
    arrived = received(relay, subscriber)
    assert len(arrived) == len(bodies)
    completed = 0
    for place, body in zip(places, bodies, strict=True):
        headers, arrived_body = arrived[webhook_id(relay, place, subscriber)]
        decoded = decode(body)
        assert isinstance(decoded, tuple)
        if not decoded[0].is_complete:
            completed += 1
            body = shape_body(body, Shape(is_completed=True), event_id=name_of(relay, place))  # noqa: PLW2901 - as sent
        assert hashlib.sha256(arrived_body).hexdigest() == hashlib.sha256(body).hexdigest()
        assert headers["content-type"] == "application/json"
        assert headers["odata-version"] == "4.0"
        assert headers["user-agent"] == f"odim-relay/{__version__}"
        assert headers["x-odim-relay-attempt"] == "1"
        assert headers["webhook-timestamp"].isdecimal()
    assert relay.receiver.url("/").startswith("https://")
    assert relay.receiver.connections().established > 0
    assert completed == 3


def test_a_metric_report_goes_to_the_subscriptions_for_metric_reports_and_an_event_to_the_others(relay: Relay) -> None:
    reports = [row["payload"] for row in shared_rows("redfish_events.jsonl") if "MetricValues" in row["payload"]]
    for_events = relay.subscribe()
    for_reports = relay.subscribe(event_format=EventFormat.METRIC_REPORT)
    report = json.dumps(reports[0]).encode()
    # ODIM encodes a report twice: the request is a JSON string that holds it.
    relay.publish([json.dumps(report.decode()).encode()], event_type="MetricReport", wanted_by=[for_reports])
    relay.publish([event(1)], wanted_by=[for_events])
    wait_until_read(relay)
    assert [body for _, body in received(relay, for_reports).values()] == [report]
    assert [body for _, body in received(relay, for_events).values()] == [event(1)]


def test_a_mixed_record_is_split_per_subscriber_with_its_members_renumbered(relay: Relay) -> None:
    [mixed] = [row["payload"] for row in shared_rows("redfish_events.jsonl") if row["name"] == "multi-mixed-origins"]
    everything = relay.subscribe()
    by_severity = {
        severity: relay.subscribe(filters=Filters(severities=(severity,)))
        for severity in {record["MessageSeverity"] for record in mixed["Events"]}
    }
    assert len(by_severity) > 1
    body = json.dumps(mixed).encode()
    relay.publish([body])
    wait_until_read(relay)
    assert [arrived for _, arrived in received(relay, everything).values()] == [body]
    for severity, subscriber in by_severity.items():
        [(_, arrived)] = received(relay, subscriber).values()
        wanted = [record for record in mixed["Events"] if record["MessageSeverity"] == severity]
        renumbered = [{**record, "MemberId": str(number)} for number, record in enumerate(wanted)]
        assert json.loads(arrived) == {**mixed, "Events": renumbered}


def test_a_subscription_s_context_and_headers_go_with_its_events(relay: Relay) -> None:
    subscriber = relay.subscribe(context='rack "7" \\ é', headers=(("X-Token", "secret"),))
    relay.publish([event(1)])
    wait_until_read(relay)
    [(headers, body)] = received(relay, subscriber).values()
    assert headers["x-token"] == "secret"
    assert json.loads(body) == {**json.loads(event(1)), "Context": 'rack "7" \\ é'}


NESTED = b'{"Events":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "undecodable bytes": (b"\xff\xfe\x00\x01", "not_utf8"),
    "an empty value": (b"", "not_json"),
    "no JSON": (b"{'ip': 1}", "not_json"),
    "an array": (b"[1, 2]", "not_an_object"),
    "no request": (b'{"ip": "10.0.0.1", "eventType": ""}', "no_request"),
    "a number for a request": (b'{"ip": "10.0.0.1", "request": 7}', "request_not_bytes"),
    "no base64": (b'{"ip": "10.0.0.1", "request": "e30"}', "not_base64"),
    "a body that is no JSON": (odim_envelope(b"<xml/>"), "not_json"),
    "a body that is no event": (odim_envelope(b'{"a": 1}'), "not_an_event"),
    "null for Events": (odim_envelope(b'{"Events": null}'), "events_not_an_array"),
    "null in Events": (odim_envelope(b'{"Events": [null]}'), "record_not_an_object"),
    "10,000 levels, bare": (NESTED, "too_deep"),
    "10,000 levels in the body": (odim_envelope(NESTED), "too_deep"),
}


def test_what_cannot_be_understood_is_quarantined_with_reason_and_bytes_and_its_neighbours_arrive(relay: Relay) -> None:
    subscriber = relay.subscribe()
    places: dict[str, Place] = {}
    for number, (name, (value, _)) in enumerate(UNREADABLE.items()):
        relay.publish(events(2, first=10 * number))
        [places[name]] = relay.publish([value], wrapped=False, wanted_by=())
        relay.publish(events(2, first=10 * number + 5))
    wait_until_read(relay)
    entries = relay.ledger.quarantine()
    for name, place in places.items():
        entry = entries[f"{relay.topic}/{place.partition}/{place.offset}"]
        assert (name, entry["reason"]) == (name, UNREADABLE[name][1])
        assert entry["detail"]
        assert entry["value"] == UNREADABLE[name][0]
    assert len(received(relay, subscriber)) == 4 * len(UNREADABLE)


def test_a_tombstone_is_quarantined_and_its_neighbours_arrive(relay: Relay) -> None:
    subscriber = relay.subscribe()
    before = relay.ledger.quarantine_count()
    relay.publish([event(1)])
    [(partition, offset)] = relay.kafka.produce(relay.topic, [(b"key", None, [])], partition=0)  # type: ignore[list-item]
    relay.publish([event(2), event(3)])
    wait_until_read(relay)
    assert relay.ledger.quarantine_count() == before + 1
    assert relay.ledger.quarantine()[f"{relay.topic}/{partition}/{offset}"]["value"] == b""
    assert len(received(relay, subscriber)) == 3


def records(count: int, **members: object) -> bytes:
    record = {"EventType": "Alert", "MessageId": "A.1.0.B", "EventId": "same", "MemberId": "0", **members}
    root = {"@odata.type": "#Event.v1_13_0.Event", "Id": "same", "Name": "n"}
    return json.dumps({**root, "Events": [record] * count}).encode()


def test_odd_and_large_events_arrive_with_their_own_bytes(relay: Relay) -> None:
    subscriber = relay.subscribe()
    odd = {
        "no records": records(0),
        "5,000 records with one id": records(5_000),
        "5 MB": records(1, Message="x" * 5_000_000),
        "null members": records(1, Severity=None, OriginOfCondition=None, MessageArgs=None, Oem=None),
        "duplicate members": records(1)
        .replace(b'"Id": "same"', b'"Id": "1", "Id": "2"')
        .replace(b'"MemberId": "0"', b'"MemberId": "0", "MemberId": "0"'),
        "the same event": records(1),
        "the same event again": records(1),
    }
    places = dict(zip(odd, relay.publish(odd.values()), strict=True))
    wait_until_read(relay)
    arrived = received(relay, subscriber)
    assert len(arrived) == len(odd)
    for name, place in places.items():
        assert (name, arrived[webhook_id(relay, place, subscriber)][1] == odd[name]) == (name, True)


def test_an_event_over_a_mebibyte_arrives_in_parts_with_every_record_once(relay: Relay) -> None:
    subscriber = relay.subscribe(context="mine")
    body = json.loads(records(5, Message="x" * 400_000))
    for number, record in enumerate(body["Events"]):
        record["EventId"] = str(number)
    # The account counts one delivery for each event that is published: of its parts it knows nothing.
    [place] = relay.publish([json.dumps(body).encode()], wanted_by=())
    wait_until(lambda: len(relay.receiver.bodies(subscriber.path)) == 3, timeout_s=ARRIVES_S, what="the parts to come")
    arrived = received(relay, subscriber)
    name = name_of(relay, place)
    parts = [arrived[part_id(name, subscriber.id, indices)][1] for indices in ((0, 1), (2, 3), (4,))]
    assert max(map(len, parts)) <= 1_048_576
    documents = [json.loads(part) for part in parts]
    assert [record["EventId"] for one in documents for record in one["Events"]] == ["0", "1", "2", "3", "4"]
    assert [record["MemberId"] for one in documents for record in one["Events"]] == ["0", "1", "0", "1", "0"]
    assert {(one["Context"], one["Id"], one["Name"]) for one in documents} == {("mine", "same", "n")}
