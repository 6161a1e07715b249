"""
What the relay itself has to say, held against Redfish's schemas and registries.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from odim_relay.formats.notices import buffer_exceeded, delivery_test, heartbeat
from tests.support.shared import shared_data

SCHEMAS = "redfish_schemas/json-schema"
TYPES = {"string": str, "integer": int, "array": list, "boolean": bool, "null": type(None), "object": dict}


def definition(of: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_data(f"{SCHEMAS}/{of}.json").read_bytes())["definitions"][name]
    return found


@pytest.fixture(params=["buffer_exceeded", "heartbeat", "delivery_test"])
def event(request: pytest.FixtureRequest) -> dict[str, Any]:
    notice = {
        "buffer_exceeded": buffer_exceeded("mine", identity="one"),
        "heartbeat": heartbeat(event_id="an-id", at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        "delivery_test": delivery_test(event_id="an-id", at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    }[request.param]
    members: dict[str, Any] = json.loads(notice.body)
    return members


def check(members: dict[str, Any], schema: dict[str, Any]) -> None:
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= members.keys() <= schema["properties"].keys()
    for name, value in members.items():
        wanted = schema["properties"][name]
        types = wanted.get("type", "string")  # a reference here is to an enumeration or a text
        assert isinstance(value, tuple(TYPES[one] for one in ([types] if isinstance(types, str) else types))), name
        assert re.search(wanted.get("pattern", ""), str(value)), name


def test_it_is_as_the_schema_of_event_wants_it(event: dict[str, Any]) -> None:
    check(event, definition("Event.v1_13_0", "Event"))

    assert event["@odata.type"] == "#Event.v1_13_0.Event"


def test_its_record_is_as_the_schema_wants_it(event: dict[str, Any]) -> None:
    (record,) = event["Events"]

    check(record, definition("Event.v1_13_0", "EventRecord"))

    assert record["EventType"] in definition("Event", "EventType")["enum"]
    assert record["MessageSeverity"] in definition("Resource", "Health")["enum"]
    assert record["MemberId"] == "0"


def test_it_says_what_the_registry_of_its_message_says(event: dict[str, Any]) -> None:
    (record,) = event["Events"]
    prefix, major, minor, key = record["MessageId"].split(".")
    names = {"Base": "Base.1.22.1", "HeartbeatEvent": "HeartbeatEvent.1.1.1", "ResourceEvent": "ResourceEvent.1.4.3"}
    name = names[prefix]
    registry = json.loads(shared_data(f"redfish_schemas/registries/{name}.json").read_bytes())
    message = registry["Messages"][key]

    assert (prefix, [major, minor]) == (registry["RegistryPrefix"], registry["RegistryVersion"].split(".")[:2])
    for member in ("Message", "MessageSeverity", "Severity"):
        assert record[member] == message[member]
    # With a severity of OK there is nothing to resolve, and the member shall not be there.
    assert record.get("Resolution") == (message["Resolution"] if record["MessageSeverity"] != "OK" else None)
    assert len(record["MessageArgs"]) == message["NumberOfArgs"]
