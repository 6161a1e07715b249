"""
What the relay itself has to say, held against Redfish's schemas and registries.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from odim_relay.domain.notices import Change, ChangeKind
from odim_relay.formats.notices import buffer_exceeded, delivery_test, heartbeat
from odim_relay.formats.own_events import change_event
from odim_relay.formats.own_messages import registry as own_registry
from tests.support.redfish_schemas import flaws
from tests.support.shared import shared_data

SCHEMAS = "redfish_schemas/json-schema"
TYPES = {"string": str, "integer": int, "array": list, "boolean": bool, "null": type(None), "object": dict}


def definition(of: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_data(f"{SCHEMAS}/{of}.json").read_bytes())["definitions"][name]
    return found


OWN = {
    f"own {kind}": change_event(
        Change(number=1, kind=kind, subject="s", detail="3", noted_at_ms=1_767_323_045_006), ["a-subscription"]
    )
    for kind in ChangeKind
}


@pytest.fixture(params=["buffer_exceeded", "heartbeat", "delivery_test", *OWN])
def event(request: pytest.FixtureRequest) -> dict[str, Any]:
    if request.param in OWN:
        own: dict[str, Any] = json.loads(OWN[request.param])
        return own
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
        is_link = wanted.get("$ref", "").endswith("/idRef")  # any other reference is to an enumeration or a text
        types = wanted.get("type", "object" if is_link else "string")
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


def dmtf_registry(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_data(f"redfish_schemas/registries/{name}.json").read_bytes())
    return found


def test_the_whole_of_it_is_valid(event: dict[str, Any]) -> None:
    assert flaws(event, "Event.v1_13_0") == set()


def test_it_says_what_the_registry_of_its_message_says(event: dict[str, Any]) -> None:
    (record,) = event["Events"]
    prefix, major, minor, key = record["MessageId"].split(".")
    names = {"Base": "Base.1.22.1", "HeartbeatEvent": "HeartbeatEvent.1.1.1", "ResourceEvent": "ResourceEvent.1.4.3"}
    registry = own_registry() if prefix == "OdimRelay" else dmtf_registry(names[prefix])
    message = registry["Messages"][key]

    assert (prefix, [major, minor]) == (registry["RegistryPrefix"], registry["RegistryVersion"].split(".")[:2])
    for number, argument in enumerate(record["MessageArgs"], 1):
        message["Message"] = message["Message"].replace(f"%{number}", argument)
    for member in ("Message", "MessageSeverity", "Severity"):
        assert record[member] == message[member]
    # With a severity of OK there is nothing to resolve, and the member shall not be there.
    assert record.get("Resolution") == (message["Resolution"] if record["MessageSeverity"] != "OK" else None)
    assert len(record["MessageArgs"]) == message["NumberOfArgs"]


def test_the_registry_of_our_own_has_the_form_of_redfish_s_own() -> None:
    """
    The schema of registries is not at hand: what those of the same version have in common is.
    """
    theirs = [dmtf_registry(name) for name in ("Environmental.1.4.0", "HeartbeatEvent.1.1.1", "ResourceEvent.1.4.3")]
    ours = own_registry()
    assert {one["@odata.type"] for one in theirs} == {ours["@odata.type"]}
    members = set.intersection(*(set(one) for one in theirs)) - {"@Redfish.Copyright", "Release"}
    assert members <= ours.keys() <= set.union(*(set(one) for one in theirs))
    assert ours["Id"] == f"{ours['RegistryPrefix']}.{ours['RegistryVersion']}"

    entries = [message for one in theirs for message in one["Messages"].values()]
    everywhere, anywhere = set.intersection(*map(set, entries)), set.union(*map(set, entries))
    for key, message in ours["Messages"].items():
        assert re.fullmatch("[A-Za-z0-9]+", key)
        assert everywhere <= message.keys() <= anywhere
        count = message["NumberOfArgs"]
        assert {len(message[name]) for name in ("ParamTypes", "ArgDescriptions", "ArgLongDescriptions")} == {count}
        assert set(message["ParamTypes"]) <= {"string", "number"}
        assert set(re.findall(r"%\d+", message["Message"])) == {f"%{number}" for number in range(1, count + 1)}
        assert message["Severity"] == message["MessageSeverity"]
        assert (message["Severity"] == "OK") is (message["Resolution"] == "None.")


def test_every_change_has_a_message_of_its_own() -> None:
    ids = {json.loads(body)["Events"][0]["MessageId"] for body in OWN.values()}

    assert len(ids) == len(ChangeKind)
    assert {id_.rpartition(".")[2] for id_ in ids} == own_registry()["Messages"].keys()
