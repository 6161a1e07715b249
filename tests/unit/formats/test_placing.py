"""
An event is told by the names that its machine has here, and not one other byte of it is touched.
"""

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odim_relay.domain.event import Event
from odim_relay.domain.inventory import EMPTY, Aggregate, Inventory, Source
from odim_relay.formats import redfish
from odim_relay.formats.placing import Placed, place
from tests.support.json_values import json_values

UUID: Final = "6d4a0a66-7efa-578e-83cf-44dc68d2874e"
OTHER_UUID: Final = "e2616735-aa1f-49d9-9e03-bb1823b3100e"
SYSTEM: Final = f"/redfish/v1/Systems/{UUID}.1"
FABRIC: Final = f"/redfish/v1/Fabrics/{UUID}"
INVENTORY: Final = Inventory.of(
    [
        Source(address="10.0.0.1", origin=SYSTEM),
        Source(address="2001:db8::1", origin=SYSTEM),
        Source(address="bmc.example", origin=SYSTEM),
        Source(address="10.0.0.2", origin=FABRIC),
    ],
    [],
)
MISSING: Final = object()


def read(payload: bytes, source: str = "10.0.0.1") -> Event:
    decoded = redfish.decode(payload, source=source)
    assert isinstance(decoded, tuple), decoded
    return decoded[0]


def event_of(*origins: Any, source: str = "10.0.0.1", version: str = "v1_7_0") -> Event:
    records = [{"EventType": "Alert"} | ({} if one is MISSING else {"OriginOfCondition": one}) for one in origins]
    body = {"@odata.type": f"#Event.{version}.Event", "Events": records}
    return read(json.dumps(body).encode(), source)


def placed(event: Event, inventory: Inventory = INVENTORY) -> Event:
    """
    The event placed: what its records say is always what its payload does.
    """
    result = place(event, inventory)
    assert result == Placed(read(result.event.payload, event.source), is_of_unknown_source=False)
    return result.event


def origins_in(event: Event) -> list[Any]:
    return [record.get("OriginOfCondition", MISSING) for record in json.loads(event.payload)["Events"]]


# --- ids ---


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/redfish/v1/Systems/1", f"/redfish/v1/Systems/{UUID}.1"),
        ("/redfish/v1/Systems/1/", f"/redfish/v1/Systems/{UUID}.1/"),
        ("/redfish/v1/Systems/1//", f"/redfish/v1/Systems/{UUID}.1//"),
        ("/redfish/v1/systems/1", f"/redfish/v1/systems/{UUID}.1"),
        ("/redfish/v1/CHASSIS/1/Power", f"/redfish/v1/CHASSIS/{UUID}.1/Power"),
        ("/redfish/v1/Chassis/1/Thermal#/Fans/0", f"/redfish/v1/Chassis/{UUID}.1/Thermal#/Fans/0"),
        ("/redfish/v1/Managers/1#/Status", f"/redfish/v1/Managers/{UUID}.1#/Status"),
        ("/redfish/v1/Managers/1?$select=a/../b", f"/redfish/v1/Managers/{UUID}.1?$select=a/../b"),
        ("/redfish/v1/Systems/System.Embedded.1", f"/redfish/v1/Systems/{UUID}.System.Embedded.1"),
        ("/redfish/v1/Systems/My%20System/Bios", f"/redfish/v1/Systems/{UUID}.My%20System/Bios"),
        (f"/redfish/v1/Systems/{OTHER_UUID}", f"/redfish/v1/Systems/{UUID}.{OTHER_UUID}"),
        ("/redfish/v1/Systems/...", f"/redfish/v1/Systems/{UUID}...."),
        ("/redfish/v1/Systems/1/.well/..x", f"/redfish/v1/Systems/{UUID}.1/.well/..x"),
    ],
)
def test_an_id_of_the_bmc_gets_the_machines_before_it(uri: str, expected: str) -> None:
    event = placed(event_of({"@odata.id": uri}, uri))

    assert origins_in(event) == [{"@odata.id": expected}, expected]
    assert event.records[0].origin == expected.removesuffix("/")


@pytest.mark.parametrize(
    "uri",
    [
        SYSTEM,
        f"/redfish/v1/Chassis/{UUID}.2/Power",
        f"/redfish/v1/Systems/{OTHER_UUID}.1",
        f"/redfish/v1/Systems/{OTHER_UUID.upper()}.1",
        "/redfish/v1/Systems",
        "/redfish/v1/Systems/",
        "/redfish/v1/Systems?$top=1",
        "/redfish/v1/Systems//1",
        "/redfish/v1//Systems/1",
        "/redfish/v1/Systems/#/1",
        "/redfish/v1/Systems/..",
        "/redfish/v1/Systems/../Systems/1",
        "/redfish/v1/Systems/1/../2",
        "/redfish/v1/Systems/1/%2E%2e/2",
        "/redfish/v1/Systems/1/.",
        "/redfish/v1/Systems/%2e?a",
        "/redfish/v1/Fabrics/1",
        "/redfish/v1/SystemsOfOthers/1",
        "/redfish/v1/UpdateService/FirmwareInventory/Systems/1",
        "/redfish/v1/Oem/Systems/1",
        "/Redfish/V1/Systems/1",
        "/ODIM/v1/Systems/1",
        "redfish/v1/Systems/1",
        "https://10.0.0.1/redfish/v1/Systems/1",
        "//10.0.0.1/redfish/v1/Systems/1",
        " /redfish/v1/Systems/1",
        "Systems",
    ],
)
def test_other_uris_stay_and_so_does_the_event(uri: str) -> None:
    event = event_of({"@odata.id": uri}, uri)

    assert place(event, INVENTORY) == Placed(event, is_of_unknown_source=False)
    assert place(event, INVENTORY).event is event


@pytest.mark.parametrize("source", ["10.0.0.1", "2001:DB8:0::1", "BMC.example."])
def test_a_source_is_known_in_any_spelling(source: str) -> None:
    assert placed(event_of("/redfish/v1/Systems/1", source=source)).records[0].origin == SYSTEM


def test_placing_twice_is_placing_once() -> None:
    once = placed(event_of("/redfish/v1/Systems/1", MISSING, version="v1_13_0"))

    assert place(once, INVENTORY).event is once


def test_the_type_of_what_is_renamed_stays() -> None:
    event = event_of("/redfish/v1/Systems/1/Storage/1/Volumes/2")

    assert placed(event).records == (replace(event.records[0], origin=f"{SYSTEM}/Storage/1/Volumes/2"),)


def test_an_id_that_is_no_uuid_is_not_put_there_twice_either() -> None:
    inventory = Inventory.of([Source(address="10.0.0.1", origin="/redfish/v1/Systems/rack7.1")], [])
    event = event_of("/redfish/v1/Systems/1", "/redfish/v1/Chassis/rack7.1", "/redfish/v1/Chassis/rack70.1")

    assert origins_in(placed(event, inventory)) == [
        "/redfish/v1/Systems/rack7.1",
        "/redfish/v1/Chassis/rack7.1",
        "/redfish/v1/Chassis/rack7.rack70.1",
    ]


def test_a_source_that_is_no_machine_with_an_id_renames_nothing() -> None:
    event = event_of("/redfish/v1/Systems/1", {"@odata.id": "/redfish/v1/Fabrics/1"}, source="10.0.0.2")

    assert place(event, INVENTORY).event is event


# --- origins that say nothing ---


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (MISSING, {"@odata.id": SYSTEM}),
        (None, {"@odata.id": SYSTEM}),
        ({}, {"@odata.id": SYSTEM}),
        ({"@odata.id": None}, {"@odata.id": SYSTEM}),
        ({"@odata.id": ""}, {"@odata.id": SYSTEM}),
        ({"@odata.id": "/"}, {"@odata.id": SYSTEM}),
        ({"@odata.id": "//"}, {"@odata.id": SYSTEM}),
        ({"@odata.id": 5, "Name": "x"}, {"@odata.id": SYSTEM, "Name": "x"}),
        ({"Name": "x"}, {"@odata.id": SYSTEM, "Name": "x"}),
        ("", SYSTEM),
        ("/", SYSTEM),
        (5, {"@odata.id": SYSTEM}),
        ([], {"@odata.id": SYSTEM}),
        (False, {"@odata.id": SYSTEM}),
    ],
)
def test_an_origin_that_says_nothing_becomes_the_source(origin: Any, expected: Any) -> None:
    event = placed(event_of(origin))

    assert origins_in(event) == [expected]
    assert (event.records[0].origin, event.records[0].resource_type) == (SYSTEM, "ComputerSystem")


def test_a_fabric_is_an_origin_too() -> None:
    assert placed(event_of(MISSING, source="10.0.0.2")).records[0].resource_type == "Fabric"


# --- OriginAddress ---


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("10.0.0.1", "https://10.0.0.1"),
        ("2001:DB8::1", "https://[2001:db8::1]"),
        ("bmc.example", "https://bmc.example"),
        ("10.0.0.2", "https://10.0.0.2"),
    ],
)
def test_the_address_of_the_source_is_told_where_the_schema_has_it(source: str, address: str) -> None:
    event = placed(event_of(SYSTEM, MISSING, source=source, version="v1_13_0"))

    assert [record["OriginAddress"] for record in json.loads(event.payload)["Events"]] == [address, address]


@pytest.mark.parametrize(
    ("version", "has_it"),
    [
        ("v1_7_0", False),
        ("v1_12_1", False),
        ("v1_13_0", True),
        ("v1_13_1", True),
        ("v1_20_0", True),
        ("v2_0_0", True),
        ("v1_13", False),
    ],
)
def test_older_payloads_get_no_address(version: str, has_it: bool) -> None:
    event = placed(event_of("/redfish/v1/Systems/1", version=version))

    assert ("OriginAddress" in json.loads(event.payload)["Events"][0]) is has_it


@pytest.mark.parametrize("address", ["https://192.0.2.7", "", None])
def test_an_address_that_is_there_stays(address: str | None) -> None:
    record = {"OriginOfCondition": SYSTEM, "OriginAddress": address}
    event = read(json.dumps({"@odata.type": "#Event.v1_13_0.Event", "Events": [record]}).encode())

    assert place(event, INVENTORY).event is event


def test_what_only_speaks_of_a_newer_version_gets_no_address() -> None:
    record = {"OriginOfCondition": SYSTEM, "Message": "#Event.v1_13_0.Event"}
    event = read(json.dumps({"@odata.type": "#Event.v1_7_0.Event", "Events": [record]}).encode())

    assert place(event, INVENTORY).event is event


# --- bytes ---


def test_everything_else_keeps_its_bytes() -> None:
    payload = (
        b'\n{ "@odata.type":"#Event.v1_13_0.Event" , "x" : 1.50e+2,"Events": [\t{"OriginOfCondition" :'
        rb' { "@odata.id":"\/redfish\/v1\/Systems\/1\/" ,"y":"\u00fc/redfish/v1/Systems/1"}, "z":null},'
        b' {} ,{"OriginOfCondition":"/"}],"Events@odata.count":3 } '
    )

    assert placed(read(payload)).payload == (
        b'\n{ "@odata.type":"#Event.v1_13_0.Event" , "x" : 1.50e+2,"Events": [\t{"OriginAddress":"https://10.0.0.1",'
        b'"OriginOfCondition" : { "@odata.id":"/redfish/v1/Systems/' + UUID.encode() + b'.1/" ,'
        rb'"y":"\u00fc/redfish/v1/Systems/1"}, "z":null},'
        b' {"OriginAddress":"https://10.0.0.1","OriginOfCondition":{"@odata.id":"' + SYSTEM.encode() + b'"}} ,'
        b'{"OriginAddress":"https://10.0.0.1","OriginOfCondition":"'
        + SYSTEM.encode()
        + b'"}],"Events@odata.count":3 } '
    )


def test_of_members_with_one_name_the_last_counts_and_the_others_stay() -> None:
    payload = (
        b'{"Events":[{"OriginOfCondition":"/redfish/v1/Systems/8"}],"Events":[{"OriginOfCondition":5,'
        b'"OriginOfCondition":{"@odata.id":"/redfish/v1/Systems/9","@odata.id":"/redfish/v1/Systems/1"}}]}'
    )

    assert placed(read(payload)).payload == payload.replace(b"/redfish/v1/Systems/1", SYSTEM.encode())


def test_half_a_surrogate_pair_stays_the_escape_that_it_was() -> None:
    event = placed(read(rb'{"Events":[{"OriginOfCondition":"/redfish/v1/Systems/\ud800","Message":"\udc00"}]}'))

    assert event.payload == (
        rb'{"Events":[{"OriginOfCondition":"/redfish/v1/Systems/' + UUID.encode() + rb'.\ud800","Message":"\udc00"}]}'
    )


def test_only_records_that_change_are_touched() -> None:
    event = event_of(SYSTEM, "/redfish/v1/Systems/1", SYSTEM)

    assert placed(event).payload == event.payload.replace(b"/redfish/v1/Systems/1", SYSTEM.encode())


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["OriginOfCondition", "OriginAddress", "Message"]),
            json_values() | st.sampled_from(["", "/", "/redfish/v1/Systems/1", SYSTEM]),
        )
    ),
    st.sampled_from(["v1_7_0", "v1_13_0"]),
)
def test_whatever_the_records_hold_they_are_placed_as_the_payload_is(records: list[Any], version: str) -> None:
    body = {"@odata.type": f"#Event.{version}.Event", "Events": records, "Name": "/redfish/v1/Systems/1"}
    event = placed(read(json.dumps(body).encode()))

    assert len(event.records) == len(records)
    assert all(record.origin for record in event.records)
    assert place(event, INVENTORY).event is event
    bare = {"OriginOfCondition": None, "OriginAddress": None}
    before, after = (json.loads(one) for one in (json.dumps(body), event.payload))
    assert [one | bare for one in before.pop("Events")] == [one | bare for one in after.pop("Events")]
    assert before == after


# --- reports ---


def report_of(*properties: Any) -> Event:
    values = [{"MetricId": "a"} | ({} if one is MISSING else {"MetricProperty": one}) for one in properties]
    body = {"@odata.type": "#MetricReport.v1_4_2.MetricReport", "@odata.id": "/redfish/v1/Systems/1"}
    return read(json.dumps(body | {"MetricValues": values}).encode())


def test_a_report_tells_by_its_metric_properties_which_machine_spoke() -> None:
    event = report_of("/redfish/v1/Chassis/1/Sensors/a#/Reading", MISSING, None, SYSTEM, "/redfish/v1/Systems/2")

    assert placed(event).payload == (
        event.payload.replace(b'"/redfish/v1/Chassis/1', f'"/redfish/v1/Chassis/{UUID}.1'.encode()).replace(
            b'"/redfish/v1/Systems/2"', f'"/redfish/v1/Systems/{UUID}.2"'.encode()
        )
    )


@pytest.mark.parametrize(
    "payload",
    [
        b'{"MetricValues":[{"MetricProperty":"/redfish/v1/Fabrics/1"},{"MetricProperty":null},7,null,[]]}',
        b'{"MetricValues":{"MetricProperty":"/redfish/v1/Systems/1"}}',
        b'{"@odata.type":"#MetricReport.v1_4_2.MetricReport","MetricProperty":"/redfish/v1/Systems/1"}',
        b'{"MetricValues":[]}',
    ],
)
def test_a_report_without_such_properties_stays(payload: bytes) -> None:
    event = read(payload)

    assert place(event, INVENTORY).event is event


@pytest.mark.parametrize("source", ["10.0.0.2", "192.0.2.1"])
def test_a_report_of_no_machine_with_an_id_stays(source: str) -> None:
    event = replace(report_of("/redfish/v1/Systems/1"), source=source)

    assert place(event, INVENTORY) == Placed(event, is_of_unknown_source=source == "192.0.2.1")


# --- unknown sources ---


def test_an_event_of_an_unknown_source_is_of_nobody_but_says_what_it_said() -> None:
    event = event_of("/redfish/v1/Systems/1/Bios", MISSING, source="10.0.0.100", version="v1_13_0")
    result = place(event, INVENTORY)

    assert result.is_of_unknown_source
    assert result.event.payload is event.payload
    assert result.event.records == (replace(event.records[0], origin=""), event.records[1])
    assert result.event.records[0].resource_type == "Bios"


def test_an_event_of_an_unknown_source_without_an_origin_is_the_same() -> None:
    event = event_of(MISSING, source="10.0.0.100")

    assert place(event, INVENTORY) == Placed(event, is_of_unknown_source=True)
    assert place(event, INVENTORY).event is event


@pytest.mark.parametrize(
    ("source", "inventory"),
    [
        ("", INVENTORY),
        ("SystemsCollection", INVENTORY),
        ("10.0.0.100", EMPTY),
        ("10.0.0.1", Inventory.of([], [Aggregate(uri="/a", elements=(SYSTEM,))])),
    ],
)
def test_who_tells_no_source_or_is_odim_itself_or_is_asked_of_nobody_stays(source: str, inventory: Inventory) -> None:
    event = event_of("/redfish/v1/Systems/1", source=source, version="v1_13_0")
    result = place(event, inventory)

    assert result.event is event
    assert not result.is_of_unknown_source
