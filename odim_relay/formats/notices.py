"""
Redfish Events that the relay itself has to say.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from odim_relay.formats.base_messages import message

_NAMESPACE = UUID("2b5a7f0e-8a55-5f5b-9d1c-7a0f6f64696d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """
    An Event to be sent.

    Attributes:
        event_id: the same for the same occasion, however often it is sent.
    """

    event_id: str
    body: bytes


def buffer_exceeded(context: str | None, *, identity: str) -> Notice:
    """
    Tell a subscriber that events of its left unsent. Source: Base 1.22.1, EventBufferExceeded; Event v1_13_0.

    Args:
        context: the subscription's.
        identity: what tells this occasion from others.
    """
    event_id = str(uuid5(_NAMESPACE, identity))
    said = message("EventBufferExceeded")
    record = _record(event_id, said["MessageId"], said["Message"], said["MessageSeverity"])
    record["Resolution"] = said["Resolution"]
    return _notice(event_id, "Events were lost", record, context=context)


def heartbeat(*, event_id: str, at: datetime) -> Notice:
    """
    Tell a subscriber that we are there. Source: HeartbeatEvent 1.1.1, RedfishServiceFunctional; Event v1_13_0.

    Args:
        at: with its time zone.
    """
    record = _record(
        event_id, "HeartbeatEvent.1.1.RedfishServiceFunctional", "Redfish service is functional.", "OK", at=at
    )
    return _notice(event_id, "Heartbeat", record)


def delivery_test(*, event_id: str, at: datetime) -> Notice:
    """
    Let a subscriber see that events arrive. Source: ResourceEvent 1.4, TestMessage; Event v1_13_0.

    Args:
        at: with its time zone.
    """
    record = _record(event_id, "ResourceEvent.1.4.TestMessage", "Test message.", "OK", at=at)
    return _notice(event_id, "Test event", record)


def _record(
    event_id: str, message_id: str, text: str, severity: str, *, at: datetime | None = None
) -> dict[str, object]:
    return {
        "EventType": "Other",
        "EventId": event_id,
        **({} if at is None else {"EventTimestamp": at.isoformat(timespec="seconds")}),
        "MemberId": "0",
        "MessageId": message_id,
        "Message": text,
        "MessageArgs": [],
        "MessageSeverity": severity,
        # Deprecated, and all that older subscribers look at.
        "Severity": severity,
    }


def _notice(event_id: str, name: str, record: dict[str, object], *, context: str | None = None) -> Notice:
    event = {
        "@odata.type": "#Event.v1_13_0.Event",
        "Id": event_id,
        "Name": name,
        **({} if context is None else {"Context": context}),
        "Events": [record],
    }
    return Notice(event_id=event_id, body=json.dumps(event, separators=(",", ":")).encode())
