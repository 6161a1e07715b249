"""
Redfish Events as controllers send them, for demonstrations.
"""

import json
from datetime import datetime
from typing import NamedTuple


class _Sample(NamedTuple):
    message_id: str
    event_type: str
    severity: str
    message: str
    arguments: tuple[str, ...]
    origin: str


# Texts and severities are those of the DMTF's registries; the machines are made up.
_SAMPLES = (
    _Sample(
        "ResourceEvent.1.4.ResourceStatusChangedWarning",
        "StatusChange",
        "Warning",
        "The health of resource '{0}' has changed to {1}.",
        ("/redfish/v1/Chassis/Rack7-U12/ThermalSubsystem/Fans/Fan3", "Warning"),
        "/redfish/v1/Chassis/Rack7-U12/ThermalSubsystem/Fans/Fan3",
    ),
    _Sample(
        "Environmental.1.1.TemperatureAboveUpperCautionThreshold",
        "Alert",
        "Warning",
        "Temperature '{0}' reading of {1} degree (C) is above the {2} upper caution threshold.",
        ("CPU1 Temp", "84.0", "82.0"),
        "/redfish/v1/Chassis/Rack7-U12/Sensors/CPU1Temp",
    ),
    _Sample(
        "Environmental.1.1.TemperatureNormal",
        "Alert",
        "OK",
        "Temperature '{0}' reading of {1} degree (C) is within normal operating range.",
        ("CPU1 Temp", "71.5"),
        "/redfish/v1/Chassis/Rack7-U12/Sensors/CPU1Temp",
    ),
    _Sample(
        "StorageDevice.1.2.DriveFailure",
        "Alert",
        "Critical",
        "A failure condition was detected for the drive located in '{0}'.",
        ("Front bay 4",),
        "/redfish/v1/Systems/web-04/Storage/RAID1/Drives/Bay4",
    ),
    _Sample(
        "StorageDevice.1.2.VolumeDegraded",
        "Alert",
        "Warning",
        "The storage volume '{0}' attached to the storage controller located in '{1}' was degraded.",
        ("Data", "Slot 2"),
        "/redfish/v1/Systems/web-04/Storage/RAID1/Volumes/Data",
    ),
    _Sample(
        "Power.1.1.PowerSupplyFailed",
        "Alert",
        "Critical",
        "Power supply '{0}' has failed.",
        ("PSU2",),
        "/redfish/v1/Chassis/Rack7-U12/PowerSubsystem/PowerSupplies/PSU2",
    ),
    _Sample(
        "NetworkDevice.1.1.LinkFlapDetected",
        "Alert",
        "Warning",
        "Link flap detected on network adapter '{0}' port '{1}'.",
        ("Slot 3", "1"),
        "/redfish/v1/Chassis/Rack7-U12/NetworkAdapters/Slot3/Ports/1",
    ),
    _Sample(
        "ResourceEvent.1.4.ResourceCreated",
        "ResourceAdded",
        "OK",
        "The resource was created successfully.",
        (),
        "/redfish/v1/Systems/web-17",
    ),
    _Sample(
        "TaskEvent.1.0.TaskCompletedOK",
        "StatusChange",
        "OK",
        "The task with Id '{0}' has completed.",
        ("545",),
        "/redfish/v1/TaskService/Tasks/545",
    ),
)


def sample_event(number: int, *, event_id: str, at: datetime) -> bytes:
    """
    The sample of this number, which may be any: they come round again.

    Args:
        event_id: of the one EventRecord in it.
    """
    sample = _SAMPLES[number % len(_SAMPLES)]
    record = {
        "MemberId": "0",
        "EventType": sample.event_type,
        "EventId": event_id,
        "EventTimestamp": at.isoformat(timespec="seconds"),
        "Severity": sample.severity,
        "MessageSeverity": sample.severity,
        "Message": sample.message.format(*sample.arguments),
        "MessageId": sample.message_id,
        "MessageArgs": list(sample.arguments),
        "OriginOfCondition": {"@odata.id": sample.origin},
    }
    event = {
        "@odata.type": "#Event.v1_9_0.Event",
        "Id": str(number + 1),
        "Name": "Event",
        "Events": [record],
    }
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
