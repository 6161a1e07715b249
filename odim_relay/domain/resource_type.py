"""
Which type of Redfish resource stands at a URI.

Redfish fixes the URIs of its resources (each schema's `Redfish.Uris`), so the path tells the type: a collection's
segment names the type of its members, other segments name a resource of their own. Of the types ODIM lets a subscriber
choose, six are no resource but what properties of resources are made of (`Event`, `IPAddresses`, `Message`,
`PhysicalContext`, `Privileges`, `Protocol`): an event is of them where its origin names such a property. `Resource` is
the base of all types, so every event with an origin is of it.
"""

from types import MappingProxyType

_MEMBERS = MappingProxyType(
    {
        "accelerationfunctions": "AccelerationFunction",
        "accounts": "ManagerAccount",
        "addresspools": "AddressPool",
        "aggregates": "Aggregate",
        "aggregationsources": "AggregationSource",
        "batteries": "Battery",
        "bootoptions": "BootOption",
        "branches": "Circuit",
        "cables": "Cable",
        "cdus": "CoolingUnit",
        "certificates": "Certificate",
        "chassis": "Chassis",
        "componentintegrity": "ComponentIntegrity",
        "compositionreservations": "CompositionReservation",
        "connectionmethods": "ConnectionMethod",
        "connections": "Connection",
        "consistencygroups": "ConsistencyGroup",
        "containerimages": "ContainerImage",
        "containers": "Container",
        "controllers": "StorageController",
        "controls": "Control",
        "coolingloops": "CoolingLoop",
        "drives": "Drive",
        "endpointgroups": "EndpointGroup",
        "endpoints": "Endpoint",
        "entries": "LogEntry",
        "ethernetinterfaces": "EthernetInterface",
        "fabricadapters": "FabricAdapter",
        "fabrics": "Fabric",
        "facilities": "Facility",
        "fans": "Fan",
        "feeders": "Circuit",
        "fileshares": "FileShare",
        "filesystems": "FileSystem",
        "filters": "Filter",
        "firmwareinventory": "SoftwareInventory",
        "floorpdus": "PowerDistribution",
        "graphicscontrollers": "GraphicsController",
        "heaters": "Heater",
        "hostinterfaces": "HostInterface",
        "immersionunits": "CoolingUnit",
        "jobs": "Job",
        "jsonschemas": "JsonSchemaFile",
        "keys": "Key",
        "leakdetectors": "LeakDetector",
        "licenses": "License",
        "logservices": "LogService",
        "mains": "Circuit",
        "managers": "Manager",
        "mediacontrollers": "MediaController",
        "memory": "Memory",
        "memorychunks": "MemoryChunks",
        "memorydomains": "MemoryDomain",
        "memoryregions": "MemoryRegion",
        "metricdefinitions": "MetricDefinition",
        "metricreportdefinitions": "MetricReportDefinition",
        "metricreports": "MetricReport",
        "networkadapters": "NetworkAdapter",
        "networkdevicefunctions": "NetworkDeviceFunction",
        "networkinterfaces": "NetworkInterface",
        "networkports": "NetworkPort",
        "outletgroups": "OutletGroup",
        "outlets": "Outlet",
        "pciedevices": "PCIeDevice",
        "pciefunctions": "PCIeFunction",
        "ports": "Port",
        "powershelves": "PowerDistribution",
        "powersupplies": "PowerSupply",
        "processors": "Processor",
        "pumps": "Pump",
        "rackpdus": "PowerDistribution",
        "registeredclients": "RegisteredClient",
        "registries": "MessageRegistryFile",
        "reservoirs": "Reservoir",
        "resourceblocks": "ResourceBlock",
        "resourcezones": "Zone",
        "roles": "Role",
        "securebootdatabases": "SecureBootDatabase",
        "sensors": "Sensor",
        "serialinterfaces": "SerialInterface",
        "sessions": "Session",
        "signatures": "Signature",
        "simplestorage": "SimpleStorage",
        "softwareinventory": "SoftwareInventory",
        "steps": "Job",
        "storage": "Storage",
        "storagepools": "StoragePool",
        "storageservices": "StorageService",
        "subprocessors": "Processor",
        "subscriptions": "EventDestination",
        "subtasks": "Task",
        "switches": "Switch",
        "switchgear": "PowerDistribution",
        "systems": "ComputerSystem",
        "tasks": "Task",
        "transferswitches": "PowerDistribution",
        "triggers": "Triggers",
        "trustedcomponents": "TrustedComponent",
        "usbcontrollers": "USBController",
        "virtualmedia": "VirtualMedia",
        "vlans": "VLanNetworkInterface",
        "volumes": "Volume",
        "zones": "Zone",
    }
)
"""
Segment of a collection, in lower case, to the type of its members.
"""

_SINGLE = MappingProxyType(
    {
        "accountservice": "AccountService",
        "aggregationservice": "AggregationService",
        "assembly": "Assembly",
        "bios": "Bios",
        "certificateservice": "CertificateService",
        "compositionservice": "CompositionService",
        "environmentmetrics": "EnvironmentMetrics",
        "eventservice": "EventService",
        "jobservice": "JobService",
        "keyservice": "KeyService",
        "leakdetection": "LeakDetection",
        "licenseservice": "LicenseService",
        "managerdiagnosticdata": "ManagerDiagnosticData",
        "memorymetrics": "MemoryMetrics",
        "networkprotocol": "ManagerNetworkProtocol",
        "operatingsystem": "OperatingSystem",
        "pcieslots": "PCIeSlots",
        "power": "Power",
        "powerequipment": "PowerEquipment",
        "powersubsystem": "PowerSubsystem",
        "privilegemap": "PrivilegeRegistry",
        "privilegeregistry": "PrivilegeRegistry",
        "processormetrics": "ProcessorMetrics",
        "registrystore": "MessageRegistry",
        "secureboot": "SecureBoot",
        "securitypolicy": "SecurityPolicy",
        "serviceconditions": "ServiceConditions",
        "sessionservice": "SessionService",
        "taskservice": "TaskService",
        "telemetryservice": "TelemetryService",
        "thermal": "Thermal",
        "thermalequipment": "ThermalEquipment",
        "thermalmetrics": "ThermalMetrics",
        "thermalsubsystem": "ThermalSubsystem",
        "updateservice": "UpdateService",
    }
)
"""
Segment of a resource that is no member of a collection, in lower case, to its type.
"""

_OTHER_NAMES = MappingProxyType({"SerialInterfaces": "SerialInterface"})
_TYPES = frozenset((*_MEMBERS.values(), *_SINGLE.values(), "ServiceRoot", "MessageRegistry", "Redundancy"))
_PROPERTIES = MappingProxyType(
    {
        "@message.extendedinfo": "Message",
        "assignedprivileges": "Privileges",
        "endpointprotocol": "Protocol",
        "events": "Event",
        "ipv4address": "IPAddresses",
        "ipv4addresses": "IPAddresses",
        "ipv4staticaddresses": "IPAddresses",
        "ipv6address": "IPAddresses",
        "ipv6addresses": "IPAddresses",
        "ipv6staticaddresses": "IPAddresses",
        "ipv6staticdefaultgateways": "IPAddresses",
        "messages": "Message",
        "physicalcontext": "PhysicalContext",
        "physicalsubcontext": "PhysicalContext",
        "portprotocol": "Protocol",
        "privilegesused": "Privileges",
        "protocol": "Protocol",
        "protocols": "Protocol",
        "supportedcontrollerprotocols": "Protocol",
        "supporteddeviceprotocols": "Protocol",
        "supportedprotocols": "Protocol",
    }
)
"""
Property, in lower case, to the schema that says what it is made of.
"""

_BASE = "Resource"
_NO_RESOURCES = frozenset((*_PROPERTIES.values(), _BASE))
_FIRST_AFTER_ROOT = 3


def type_at(uri: str) -> str:
    """
    Tell the type of the resource at `uri`, in its general form: `Volume`, and `VolumeCollection` for the collection.

    Any service's root will do (`/redfish/v1/`, `/ODIM/v1/`), upper and lower case are one, trailing slashes do not
    count. Below `Registries/{id}` and `RegistryStore` everything is a `MessageRegistry`; `Settings` has the type of
    what it belongs to, `Metrics` that type followed by `Metrics`. A member of a resource (`.../Thermal#/Fans/0`) has
    the resource's type, except `Redundancy`, which is one by itself.

    Returns:
        empty where the URI does not tell: not below a root, an OEM's own, or of a kind that is not in the tables.
    """
    path, _, fragment = uri.partition("#")
    segments = path.lower().split("/")
    if len(segments) < _FIRST_AFTER_ROOT or segments[_FIRST_AFTER_ROOT - 1] != "v1":
        return ""
    if fragment.startswith("/Redundancy/"):
        return "Redundancy"
    return _walk(segments[_FIRST_AFTER_ROOT:])


def _walk(segments: list[str]) -> str:
    # From the left, so that a member's id is never taken for a kind: a chassis may be called Memory.
    kind, is_collection = "ServiceRoot", False
    for segment in segments:
        if not segment:
            continue
        if is_collection:
            is_collection = False
        elif segment == "oem":
            return ""
        elif kind.startswith("MessageRegistry"):
            kind = "MessageRegistry"
        elif segment in _MEMBERS:
            kind, is_collection = _MEMBERS[segment], True
        elif segment == "metrics":
            kind = kind and f"{kind}Metrics"
        elif segment not in {"settings", "sd"}:
            kind = _SINGLE.get(segment, "")
    return f"{kind}Collection" if is_collection else kind


def further_types_at(uri: str) -> tuple[str, ...]:
    """
    The types that an event with this origin is of besides `type_at`: those of the properties that its fragment names
    (`.../EthernetInterfaces/1#/IPv4Addresses/0` is of `IPAddresses`), and `Resource`.

    Returns:
        each once; empty for an empty URI.
    """
    if not uri:
        return ()
    _, _, fragment = uri.partition("#")
    if not fragment:
        return (_BASE,)
    named = (_PROPERTIES.get(name) for name in fragment.lower().split("/"))
    return (*dict.fromkeys(filter(None, named)), _BASE)


def known_types() -> frozenset[str]:
    """
    Every type that an event can be of, but for collections.
    """
    return _TYPES | _NO_RESOURCES


def is_type(name: str) -> bool:
    """
    Whether a subscriber may ask for this type, in any form that `general_type` takes: `type_at` can tell it, or ODIM
    offers it.
    """
    general = general_type(name)
    return general.removesuffix("Collection").removesuffix("Metrics") in _TYPES or general in _TYPES | _NO_RESOURCES


def general_type(name: str) -> str:
    """
    The general form of a type as a subscriber writes it: `#Task.v1_2_0.Task` and `Task` are `Task`.

    ODIM's `SerialInterfaces` is Redfish's `SerialInterface`.
    """
    general = name.removeprefix("#").partition(".")[0]
    return _OTHER_NAMES.get(general, general)
