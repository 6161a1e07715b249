import json
from datetime import UTC, datetime

from odim_relay.dev.samples import sample_event
from odim_relay.dev.subscriber import Inbox
from odim_relay.formats.redfish import decode

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_samples_are_events_that_can_be_matched() -> None:
    for number in range(20):
        decoded = decode(sample_event(number, event_id=f"e{number}", at=AT))
        assert isinstance(decoded, tuple)
        (record,) = decoded[0].records
        assert record.registry
        assert record.origin
        assert record.severity in {"OK", "Warning", "Critical"}
        assert "{" not in json.loads(decoded[0].payload)["Events"][0]["Message"]


def test_the_subscriber_tells_what_came_after() -> None:
    inbox = Inbox()
    for number in range(3):
        headers = {"webhook-id": f"d{number}", "x-odim-relay-attempt": "1"}
        inbox.add(sample_event(number, event_id="e", at=AT), headers, at_s=10.0)
    told = inbox.after(1)
    assert told["count"] == 3
    assert [(event["number"], event["delivery_id"]) for event in told["events"]] == [(2, "d1"), (3, "d2")]


def test_the_subscriber_takes_what_is_no_event() -> None:
    inbox = Inbox()
    for body in (b"", b"[]", b'{"Events":[]}', b'{"Events":[{"OriginOfCondition":"/x"}]}'):
        inbox.add(body, {}, at_s=0)
    assert inbox.after(0)["count"] == 4
    assert inbox.after(3)["events"][0]["origin"] == "/x"
