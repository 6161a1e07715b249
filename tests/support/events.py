"""
Redfish events for tests that count them.
"""

import json


def event(number: int, *, severity: str = "OK", origin: str = "/redfish/v1/Systems/1") -> bytes:
    """
    A small Redfish event; `number` tells it from others.
    """
    record = {
        "MemberId": "0",
        "EventType": "Alert",
        "EventId": str(number),
        "Severity": severity,
        "MessageId": "ResourceEvent.1.4.ResourceChanged",
        "OriginOfCondition": {"@odata.id": origin},
    }
    payload = {"@odata.type": "#Event.v1_7_0.Event", "Id": str(number), "Name": "Events", "Events": [record]}
    return json.dumps(payload).encode()


def events(count: int, first: int = 0) -> list[bytes]:
    """
    So many different events, with numbers from `first`.
    """
    return [event(number) for number in range(first, first + count)]
