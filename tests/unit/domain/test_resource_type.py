import json
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odim_relay.domain.matching import Matcher, wants
from odim_relay.domain.resource_type import further_types_at, general_type, is_type, known_types, type_at
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.formats import redfish

# The types that ODIM lets a subscriber choose, each with a URI where it stands.
OF_ODIM: Final = {
    "AccelerationFunction": "/redfish/v1/Systems/1/Processors/FPGA1/AccelerationFunctions/1",
    "AddressPool": "/redfish/v1/Fabrics/f/AddressPools/1",
    "Assembly": "/redfish/v1/Chassis/1/Assembly",
    "Bios": "/redfish/v1/Systems/1/Bios",
    "BootOption": "/redfish/v1/Systems/1/BootOptions/Boot0001",
    "Chassis": "/redfish/v1/Chassis/1",
    "ComputerSystem": "/redfish/v1/Systems/1",
    "Drive": "/redfish/v1/Systems/1/Storage/1/Drives/4",
    "Endpoint": "/redfish/v1/Fabrics/f/Endpoints/9",
    "EthernetInterface": "/redfish/v1/Managers/1/EthernetInterfaces/eth0",
    "EventDestination": "/redfish/v1/EventService/Subscriptions/17",
    "EventService": "/redfish/v1/EventService",
    "Fabric": "/redfish/v1/Fabrics/f",
    "HostInterface": "/redfish/v1/Managers/1/HostInterfaces/1",
    "Job": "/redfish/v1/JobService/Jobs/1",
    "JobService": "/redfish/v1/JobService",
    "LogEntry": "/redfish/v1/Managers/1/LogServices/IML/Entries/5",
    "LogService": "/redfish/v1/Managers/1/LogServices/IML",
    "Manager": "/redfish/v1/Managers/1",
    "ManagerAccount": "/redfish/v1/AccountService/Accounts/3",
    "ManagerNetworkProtocol": "/redfish/v1/Managers/1/NetworkProtocol",
    "Memory": "/redfish/v1/Systems/1/Memory/DIMM3",
    "MemoryChunks": "/redfish/v1/Systems/1/MemoryDomains/1/MemoryChunks/1",
    "MemoryDomain": "/redfish/v1/Systems/1/MemoryDomains/1",
    "MemoryMetrics": "/redfish/v1/Systems/1/Memory/DIMM3/MemoryMetrics",
    "MessageRegistry": "/redfish/v1/Registries/Base/Base.1.22.1.json",
    "MessageRegistryFile": "/redfish/v1/Registries/Base",
    "NetworkAdapter": "/redfish/v1/Chassis/1/NetworkAdapters/Slot2",
    "NetworkDeviceFunction": "/redfish/v1/Chassis/1/NetworkAdapters/Slot2/NetworkDeviceFunctions/1",
    "NetworkInterface": "/redfish/v1/Systems/1/NetworkInterfaces/1",
    "NetworkPort": "/redfish/v1/Chassis/1/NetworkAdapters/Slot2/NetworkPorts/1",
    "PCIeDevice": "/redfish/v1/Systems/1/PCIeDevices/1",
    "PCIeFunction": "/redfish/v1/Systems/1/PCIeDevices/1/PCIeFunctions/1",
    "PCIeSlots": "/redfish/v1/Chassis/1/PCIeSlots",
    "Port": "/redfish/v1/Chassis/1/NetworkAdapters/Slot2/Ports/1",
    "Power": "/redfish/v1/Chassis/1/Power",
    "PrivilegeRegistry": "/redfish/v1/AccountService/PrivilegeMap",
    "Processor": "/redfish/v1/Systems/1/Processors/CPU1",
    "ProcessorCollection": "/redfish/v1/Systems/1/Processors",
    "ProcessorMetrics": "/redfish/v1/Systems/1/Processors/CPU1/ProcessorMetrics",
    "Redundancy": "/redfish/v1/Chassis/1/Power#/Redundancy/0",
    "Role": "/redfish/v1/AccountService/Roles/Operator",
    "SecureBoot": "/redfish/v1/Systems/1/SecureBoot",
    "Sensor": "/redfish/v1/Chassis/1/Sensors/CPU1Temp",
    "SerialInterfaces": "/redfish/v1/Managers/1/SerialInterfaces/1",
    "Session": "/redfish/v1/SessionService/Sessions/1",
    "Storage": "/redfish/v1/Systems/1/Storage/1",
    "Switch": "/redfish/v1/Fabrics/f/Switches/1",
    "Task": "/redfish/v1/TaskService/Tasks/545",
    "Thermal": "/redfish/v1/Chassis/1/Thermal",
    "VLanNetworkInterface": "/redfish/v1/Systems/1/EthernetInterfaces/1/VLANs/100",
    "Volume": "/redfish/v1/Systems/1/Storage/1/Volumes/7",
    "Zone": "/redfish/v1/Fabrics/f/Zones/1",
}
NO_RESOURCES: Final = {
    "Event": "/redfish/v1/EventService/SSE#/Events/0",
    "IPAddresses": "/redfish/v1/Managers/1/EthernetInterfaces/eth0#/IPv4Addresses/0",
    "Message": "/redfish/v1/TaskService/Tasks/545#/Messages/0",
    "PhysicalContext": "/redfish/v1/Chassis/1/Thermal#/Temperatures/0/PhysicalContext",
    "Privileges": "/redfish/v1/AccountService/Roles/Operator#/AssignedPrivileges",
    "Protocol": "/redfish/v1/Systems/1/Storage/1/Drives/4#/Protocol",
    "Resource": "/redfish/v1/Managers/BMC/Oem/Contoso/Widgets/7",
}
ALL: Final = OF_ODIM | NO_RESOURCES


def test_odim_offers_sixty_types() -> None:
    assert len(ALL) == 60


@pytest.mark.parametrize(("name", "uri"), ALL.items())
def test_an_event_can_match_by_every_type_that_odim_offers(name: str, uri: str) -> None:
    asking = Subscription(subscription_id="s", destination="https://a/", filters=Filters(resource_types=(name,)))

    def is_wanted(origin: str) -> bool:
        decoded = redfish.decode(json.dumps({"Events": [{"OriginOfCondition": {"@odata.id": origin}}]}).encode())
        assert isinstance(decoded, tuple)
        return bool(Matcher.of([asking]).match(decoded[0])) and wants(asking, decoded[0].records[0])

    assert is_wanted(uri)
    # No other type's origin will do, but for the base of all and for the resource that has the property.
    of_others = [other for one, other in ALL.items() if one != name and not other.startswith(f"{uri}#")]
    assert [other for other in of_others if is_wanted(other)] == (of_others if name == "Resource" else [])


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("", ()),
        ("/redfish/v1/Systems/1", ("Resource",)),
        ("/redfish/v1/Systems/Messages", ("Resource",)),
        ("/redfish/v1/Systems/1#/Status", ("Resource",)),
        ("/redfish/v1/Managers/1/EthernetInterfaces/1#/IPv6StaticAddresses/0", ("IPAddresses", "Resource")),
        ("/redfish/v1/Managers/1/EthernetInterfaces/1#/ipv4addresses/0", ("IPAddresses", "Resource")),
        ("/redfish/v1/Fabrics/f/Endpoints/1#/Protocol/Protocols", ("Protocol", "Resource")),
    ],
)
def test_a_fragment_tells_what_its_property_is_made_of(uri: str, expected: tuple[str, ...]) -> None:
    assert further_types_at(uri) == expected


def test_a_property_leaves_its_resource_the_type_it_has() -> None:
    assert type_at(NO_RESOURCES["Message"]) == "Task"


def test_every_type_that_odim_offers_is_among_those_that_are_told() -> None:
    assert {general_type(name).removesuffix("Collection") for name in ALL} <= known_types()


@pytest.mark.parametrize(("name", "uri"), OF_ODIM.items())
def test_the_uri_tells_every_type_that_odim_offers(name: str, uri: str) -> None:
    assert type_at(uri) == general_type(name)


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_type_that_odim_offers_may_be_asked_for(name: str) -> None:
    assert is_type(name)


@pytest.mark.parametrize("name", ["#Volume.v1_10_0.Volume", "Volume.v1_10_0", "VolumeCollection", "DriveMetrics"])
def test_a_type_may_be_asked_for_in_any_form(name: str) -> None:
    assert is_type(name)


@pytest.mark.parametrize("name", ["", "volume", "Volumes", "Systems", "Widget", "Metrics", "Collection"])
def test_what_is_no_type_may_not_be_asked_for(name: str) -> None:
    assert not is_type(name)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/redfish/v1", "ServiceRoot"),
        ("/redfish/v1/", "ServiceRoot"),
        ("/ODIM/v1/Systems/1", "ComputerSystem"),
        ("/redfish/v1/systems/1/processors/1", "Processor"),
        ("/redfish/v1/Systems/1/", "ComputerSystem"),
        ("/redfish/v1/Systems", "ComputerSystemCollection"),
        ("/redfish/v1/Systems/1/Bios/Settings", "Bios"),
        ("/redfish/v1/Chassis/1/Drives/1/Metrics", "DriveMetrics"),
        ("/redfish/v1/Chassis/1/PowerSubsystem/PowerSupplies/Bay2", "PowerSupply"),
        ("/redfish/v1/Chassis/1/ThermalSubsystem/LeakDetection/LeakDetectors/Moisture", "LeakDetector"),
        ("/redfish/v1/Chassis/1/Thermal#/Fans/0", "Thermal"),
        ("/redfish/v1/Chassis/1/Thermal/#/Fans/0", "Thermal"),
        ("/redfish/v1/RegistryStore/registries/en/base.json", "MessageRegistry"),
        ("/redfish/v1/RegistryStore/en/base.json", "MessageRegistry"),
        ("/redfish/v1/UpdateService/FirmwareInventory/BMC", "SoftwareInventory"),
    ],
)
def test_the_uri_tells_the_type(uri: str, expected: str) -> None:
    assert type_at(uri) == expected
    assert is_type(expected)


@pytest.mark.parametrize("name", ["Memory", "Systems", "Oem", "Bios", "Metrics", "Settings"])
def test_the_id_of_a_member_is_never_taken_for_a_kind(name: str) -> None:
    assert type_at(f"/redfish/v1/Chassis/{name}") == "Chassis"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/",
        "/redfish",
        "Systems/1",
        "/redfish/v2/Systems/1",
        "/redfish/v1/Managers/BMC/Oem/Contoso/Widgets/7",
        "/redfish/v1/Managers/BMC/Oem/Systems/7",
        "/redfish/v1/Systems/1/Nonsense",
        "/redfish/v1/Systems/1/Nonsense/Metrics",
    ],
)
def test_what_the_uri_does_not_tell_has_no_type(uri: str) -> None:
    assert type_at(uri) == ""


@settings(deadline=None)
@given(st.text() | st.lists(st.text(max_size=8)).map(lambda parts: "/redfish/v1/" + "/".join(parts)))
def test_any_text_has_a_type_or_none(uri: str) -> None:
    assert isinstance(type_at(uri), str)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Task", "Task"),
        ("Task.v1_2_0.Task", "Task"),
        ("#Task.v1_2_0.Task", "Task"),
        ("SerialInterfaces", "SerialInterface"),
        ("", ""),
    ],
)
def test_a_type_has_one_general_form(name: str, expected: str) -> None:
    assert general_type(name) == expected
