import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.inventory import Aggregate, Source
from odim_relay.formats.odim_rows import (
    RowFlaw,
    read_aggregate_document,
    read_aggregate_hosts,
    read_device,
    read_undelivered_key,
    read_undelivered_value,
)

ID = "3ce177bf-42a4-4335-b1c1-41540a4b65d7"
SYSTEM = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"
AGGREGATE = "/redfish/v1/AggregationService/Aggregates/9a4c2f8e-0000-4000-8000-000000000001"
EVENT = b'{"Events":[{"Message":"a\\nb \\"q\\" \\u0026 &"}]}'


def reason_of(found: object) -> str:
    assert isinstance(found, RowFlaw), found
    return found.reason


# --- devices ---


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("10.24.0.4", "10.24.0.4"),
        ("10.24.0.4:443", "10.24.0.4"),
        ("bmc7.example", "bmc7.example"),
        ("BMC7.Example.", "bmc7.example"),
        ("bmc7:443", "bmc7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
    ],
)
def test_a_device_is_known_by_its_address_in_one_spelling(host: str, address: str) -> None:
    member = f"{host}||https://{host}/redfish/v1/EventService/Subscriptions/1||[{SYSTEM}]"
    assert read_device(member) == Source(address=address, origin=SYSTEM)


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        (SYSTEM, SYSTEM),
        (f"{SYSTEM}/", SYSTEM),
        (f"{SYSTEM}/Processors/1", SYSTEM),
        (f"/redfish/v1/Chassis/6d4a.1 {SYSTEM}", SYSTEM),
        ("/redfish/v1/Fabrics/3f /redfish/v1/Managers/6d4a.1", "/redfish/v1/Managers/6d4a.1"),
        ("/redfish/v1/Systems /redfish/v1/Fabrics/3f/Switches/1", "/redfish/v1/Fabrics/3f"),
        (f"/redfish/v1/Systems {SYSTEM} /redfish/v1/Systems/other.2", SYSTEM),
    ],
)
def test_of_a_devices_origins_the_first_that_says_which_machine_it_is_counts(origins: str, origin: str) -> None:
    found = read_device(f"10.0.0.1||https://10.0.0.1/s||[{origins}]")
    assert found == Source(address="10.0.0.1", origin=origin)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("", "not_a_row"),
        ("10.0.0.1", "not_a_row"),
        ("10.0.0.1||https://x", "not_a_row"),
        (f"10.0.0.1||[{SYSTEM}]", "not_a_row"),
        (f"10.0.0.1||https://x||{SYSTEM}", "not_a_row"),
        ("10.0.0.1||https://x||[...", "not_a_row"),
        ("10.0.0.1||https://x||[]", "no_origin"),
        ("10.0.0.1||https://x||[...]", "no_origin"),
        ("10.0.0.1||https://x||[/redfish/v1/Systems /]", "no_origin"),
        (f"||https://x||[{SYSTEM}]", "wrong_address"),
        (f"10.0.0||https://x||[{SYSTEM}]", "wrong_address"),
        (f"a host||https://x||[{SYSTEM}]", "wrong_address"),
        (f"\udc80||https://x||[{SYSTEM}]", "wrong_address"),
        ("10.0.0.1||https://x||[/redfish/v1/Systems/\udc80.1]", "wrong_origin"),
    ],
)
def test_a_device_that_cannot_be_told_says_why(member: str, reason: str) -> None:
    assert reason_of(read_device(member)) == reason


@pytest.mark.parametrize("host", ["SystemsCollection", "ChassisCollection", "ManagerCollection", "FabricsCollection"])
def test_the_row_of_a_pseudo_host_is_passed_over_and_is_no_flaw(host: str) -> None:
    assert read_device(f"{host}||||[/redfish/v1/Systems]") is None


# --- aggregates ---


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([{"@odata.id": SYSTEM}], (SYSTEM,)),
        ([{"@odata.id": f"{SYSTEM}/"}, SYSTEM], (SYSTEM,)),
        ([SYSTEM, "/redfish/v1/Chassis/c.1/"], (SYSTEM, "/redfish/v1/Chassis/c.1")),
    ],
)
def test_an_aggregate_has_the_elements_of_its_document(elements: list[object], expected: tuple[str, ...]) -> None:
    found = read_aggregate_document(f"{AGGREGATE}/", json.dumps({"Elements": elements}))
    assert found == (Aggregate(uri=AGGREGATE, elements=expected), ())


@pytest.mark.parametrize("document", ['{"Elements":[]}', '{"Elements":null}', "{}"])
def test_an_aggregate_without_elements_stays_and_is_counted(document: str) -> None:
    aggregate, (flaw,) = read_aggregate_document(AGGREGATE, document)
    assert aggregate == Aggregate(uri=AGGREGATE, elements=())
    assert flaw.reason == "no_elements"


def test_an_element_that_is_no_uri_keeps_no_other_from_being_one() -> None:
    document = json.dumps({"Elements": ["", None, 5, "/", "systems/1", {"@odata.id": SYSTEM}]})
    aggregate, flaws = read_aggregate_document(AGGREGATE, document)
    assert aggregate == Aggregate(uri=AGGREGATE, elements=(SYSTEM,))
    assert [flaw.reason for flaw in flaws] == ["wrong_element"] * 5


@pytest.mark.parametrize(
    ("uri", "document", "reason"),
    [
        (AGGREGATE, "{", "not_json"),
        (AGGREGATE, "[]", "not_an_object"),
        (AGGREGATE, '{"Elements":"x"}', "wrong_member"),
        (AGGREGATE, '{"Elements":{"@odata.id":"x"}}', "wrong_member"),
        ("", '{"Elements":[]}', "wrong_aggregate"),
        ("/redfish/v1/Other/1", '{"Elements":[]}', "wrong_aggregate"),
    ],
)
def test_an_aggregate_that_cannot_be_read_says_why(uri: str, document: str, reason: str) -> None:
    aggregate, flaws = read_aggregate_document(uri, document)
    assert aggregate is None
    assert [flaw.reason for flaw in flaws] == [reason]


def test_the_hosts_of_an_aggregate_are_read() -> None:
    assert read_aggregate_hosts("9a4c||[10.0.0.1 fe80::1]") == ("9a4c", ("10.0.0.1", "fe80::1"))
    assert read_aggregate_hosts("9a4c||[]") == ("9a4c", ())


@pytest.mark.parametrize("member", ["", "9a4c", "||[10.0.0.1]", "9a4c||10.0.0.1", "9a4c||[10.0.0.1"])
def test_a_row_of_hosts_that_is_none_says_so(member: str) -> None:
    assert reason_of(read_aggregate_hosts(member)) == "not_a_row"


# --- undelivered events ---


@pytest.mark.parametrize(
    "destination",
    [
        "https://10.0.0.1/d",
        "https://10.0.0.1:8080/d?a=1&b=2",
        "https://[fe80::1234]:5678/x",
        "https://h/UndeliveredEvents:x",
    ],
)
def test_a_destination_is_found_in_a_key_whatever_colons_it_has(destination: str) -> None:
    assert read_undelivered_key(f"UndeliveredEvents:{destination}:{ID}") == (destination, ID)


@pytest.mark.parametrize("key", ["UndeliveredEvents:destination", f"UndeliveredEvents::{ID}", f"Other:https://h/:{ID}"])
def test_a_key_of_another_form_says_so(key: str) -> None:
    assert reason_of(read_undelivered_key(key)) == "not_an_undelivered_key"


@pytest.mark.parametrize("times", [0, 1, 2])
def test_an_undelivered_event_is_unwrapped_and_not_damaged(times: int) -> None:
    value = EVENT
    for _ in range(times):
        value = json.dumps(value.decode()).encode()
    assert read_undelivered_value(value) == EVENT


@pytest.mark.parametrize("value", [b"", b'"', b'"event', b"\xff", b" {} "])
def test_a_value_that_is_no_json_string_stays_as_it_is(value: bytes) -> None:
    assert read_undelivered_value(value) == value


# --- whatever stands there ---

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Elements", "@odata.id", "Other"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON.map(json.dumps) | st.text())
def test_nothing_that_stands_in_a_row_raises(text: str) -> None:
    assert isinstance(read_device(text), Source | RowFlaw | None)
    assert isinstance(read_device(f"h||u||[{text}]"), Source | RowFlaw | None)
    assert isinstance(read_aggregate_hosts(text), tuple | RowFlaw)
    assert isinstance(read_undelivered_key(text), tuple | RowFlaw)
    aggregate, flaws = read_aggregate_document(AGGREGATE, text)
    assert aggregate is not None or flaws
