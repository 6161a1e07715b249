import pytest

from odim_relay.domain.inventory import Aggregate, Source
from odim_relay.domain.inventory_entries import (
    LONGEST_ADDRESS,
    LONGEST_URI,
    MOST_ELEMENTS,
    Fault,
    Member,
    read_address,
    read_aggregate,
    read_aggregate_uri,
    read_source,
)

SYSTEM = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"
AGGREGATE = "/redfish/v1/AggregationService/Aggregates/c14d91b5"


@pytest.mark.parametrize(
    ("spelling", "kept"),
    [
        ("10.24.0.4", "10.24.0.4"),
        ("10.24.0.4:443", "10.24.0.4"),
        (" BMC7.Rack.example.:45001 ", "bmc7.rack.example"),
        ("bmc_7-a", "bmc_7-a"),
        ("[2001:DB8::0:1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("bücher.example", "bücher.example"),
    ],
)
def test_an_address_is_kept_in_one_spelling(spelling: str, kept: str) -> None:
    assert read_source(spelling, SYSTEM) == Source(address=kept, origin=SYSTEM)


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        " ",
        "a b",
        "https://10.0.0.1/",
        "10.0.0.1/24",
        "10.0.0.1:",
        "10.0.0.1:port",
        "[2001:db8::1]443",
        "10.0.0.256",
        "10.0.0",
        "a,b",
        "a\x00b",
        "SystemsCollection",
        "x" * (LONGEST_ADDRESS + 1),
    ],
)
def test_what_is_no_address_is_refused_with_what_it_should_be(spelling: str) -> None:
    fault = read_address(spelling)

    assert isinstance(fault, Fault)
    assert fault.member is Member.ADDRESS
    assert str(fault).startswith(f"address {spelling[:80]!r} is ")
    assert len(fault.value) <= 80


@pytest.mark.parametrize(
    "uri", [SYSTEM, "/redfish/v1/Fabrics/f1", "/redfish/v1/Chassis/1/Power", "/redfish/v1/Systems/é"]
)
def test_a_source_may_be_any_resource_and_a_slash_at_its_end_does_not_count(uri: str) -> None:
    assert read_source("h", f"{uri}/") == Source(address="h", origin=uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/",
        "6d4a0a66.1",
        "/redfish/v1",
        "/redfish/v1/Systems",
        "/redfish/v1/Systems/",
        "/ODIM/v1/Systems/1",
        "/redfish/v1/Systems/a b",
        "/redfish/v1/Systems/\x7f",
        "https://h/redfish/v1/Systems/1",
        f"/redfish/v1/Systems/{'x' * LONGEST_URI}",
    ],
)
def test_what_is_no_resource_is_refused(uri: str) -> None:
    of_source, of_element = read_source("h", uri), read_aggregate("a", [SYSTEM, uri])

    assert isinstance(of_source, Fault)
    assert (of_source.member, of_source.index) == (Member.SYSTEM, None)
    assert isinstance(of_element, Fault)
    assert (of_element.member, of_element.index) == (Member.ELEMENTS, 1)


@pytest.mark.parametrize("name", ["c14d91b5", AGGREGATE, f"{AGGREGATE}/"])
def test_an_aggregate_is_named_by_its_id_or_its_uri_and_has_each_element_once(name: str) -> None:
    assert read_aggregate(name, [f"{SYSTEM}/", SYSTEM, "/redfish/v1/Fabrics/f1"]) == Aggregate(
        uri=AGGREGATE, elements=(SYSTEM, "/redfish/v1/Fabrics/f1")
    )


@pytest.mark.parametrize("name", ["", "/", "a/b", " a", "/redfish/v1/Systems/1", "a\nb", "x" * 256])
def test_what_names_no_aggregate_is_refused(name: str) -> None:
    fault = read_aggregate_uri(name)

    assert isinstance(fault, Fault)
    assert fault.member is Member.AGGREGATE
    assert read_aggregate(name, []) == fault


def test_an_aggregate_may_be_empty_but_has_an_end() -> None:
    assert read_aggregate("a", []) == Aggregate(uri=f"{AGGREGATE.rpartition('/')[0]}/a", elements=())
    too_many = read_aggregate("a", [f"/redfish/v1/Systems/{number}.1" for number in range(MOST_ELEMENTS + 1)])
    assert str(too_many) == f"elements are {MOST_ELEMENTS + 1}; {MOST_ELEMENTS} are the most"
