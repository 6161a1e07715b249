import pytest

from odim_relay.domain.inventory import EMPTY, Aggregate, Inventory, Source, device_of, is_pseudo_host

UUID = "6d4a0a66-7efa-578e-83cf-44dc68d2874e"
SYSTEM = f"/redfish/v1/Systems/{UUID}.1"
AGGREGATE = "/redfish/v1/AggregationService/Aggregates/a"


def test_an_address_is_found_in_any_spelling() -> None:
    inventory = Inventory.of([Source(address="2001:db8::1", origin=SYSTEM)], [])

    found = [inventory.origin_of(one) for one in ("2001:db8::1", "2001:DB8:0::1", "[2001:db8::1]:443", "2001:db8::2")]
    assert found == [SYSTEM, SYSTEM, SYSTEM, ""]


def test_of_two_with_one_name_the_later_counts() -> None:
    inventory = Inventory.of(
        [Source(address="10.0.0.1", origin="/a"), Source(address="10.0.0.1", origin="/b")],
        [Aggregate(uri=AGGREGATE, elements=("/a",)), Aggregate(uri=AGGREGATE, elements=("/b",))],
    )

    assert inventory.origin_of("10.0.0.1") == "/b"
    assert inventory.aggregates == {"/b": (AGGREGATE,)}


def test_an_element_is_in_each_of_its_aggregates_once() -> None:
    elements = (SYSTEM, SYSTEM)
    inventory = Inventory.of([], [Aggregate(uri=uri, elements=elements) for uri in ("/b", "/a")])

    assert inventory.aggregates == {SYSTEM: ("/a", "/b")}


def test_it_is_used_as_soon_as_a_source_is_known() -> None:
    assert Inventory.of([Source(address="10.0.0.1", origin=SYSTEM)], []).is_used
    assert not Inventory.of([], [Aggregate(uri=AGGREGATE, elements=(SYSTEM,))]).is_used
    assert not EMPTY.is_used


@pytest.mark.parametrize(
    ("source", "is_one"),
    [
        ("SystemsCollection", True),
        ("ManagerCollection", True),
        ("TasksCollection", True),
        ("MyCollection-host", False),
        ("Collection", False),
        ("collection.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_the_names_of_odims_own_sources_are_no_addresses(source: str, is_one: bool) -> None:
    assert is_pseudo_host(source) is is_one


@pytest.mark.parametrize(
    ("origin", "device"),
    [
        (SYSTEM, UUID),
        (f"/redfish/v1/Chassis/{UUID}.1", UUID),
        (f"/redfish/v1/managers/{UUID}.System.Embedded.1", UUID),
        ("/redfish/v1/Systems/1", ""),
        ("/redfish/v1/Systems/.1", ""),
        (f"/redfish/v1/Fabrics/{UUID}", ""),
        ("", ""),
    ],
)
def test_the_id_of_a_machine_is_what_stands_before_the_dot(origin: str, device: str) -> None:
    assert device_of(origin) == device
