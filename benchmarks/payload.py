"""
The events that are sent about.
"""

import json

SYSTEMS = 100
PAYLOAD_BYTES = 1024


def event_payload(system: int) -> bytes:
    """
    A Redfish Event of 1 KiB with one EventRecord, from one of the systems.
    """
    record = {
        "EventId": f"{system:08}",
        "EventTimestamp": "2026-11-21T00:00:00Z",
        "EventType": "Alert",
        "MemberId": "0",
        "Message": "",
        "MessageArgs": ["Drive 7"],
        "MessageId": "StorageDevice.1.5.VolumeDegraded",
        "MessageSeverity": "Warning",
        "OriginOfCondition": {"@odata.id": f"/redfish/v1/Systems/{system}/Storage/1/Volumes/7"},
    }
    event = {"@odata.type": "#Event.v1_7_0.Event", "Id": f"{system:08}", "Name": "Event", "Events": [record]}
    record["Message"] = "x" * (PAYLOAD_BYTES - len(json.dumps(event)))
    return json.dumps(event).encode()
