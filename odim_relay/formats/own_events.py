"""
Changes of the relay itself, as Redfish Events.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from odim_relay.domain.notices import Change, ChangeKind
from odim_relay.domain.own_resources import EVENT_SERVICE, SUBSCRIPTIONS
from odim_relay.formats.own_messages import MESSAGES

_NAMESPACE = UUID("5d7b0a52-4be1-5d0b-8f0a-6e6f7469636e")


def change_event_id(change: Change) -> str:
    """
    Name the event that tells a change, or that tells it to those of its readers that are left: the same however often
    it is made.
    """
    what = (change.number, change.noted_at_ms, change.kind, change.subject, change.after)
    return str(uuid5(_NAMESPACE, "/".join(map(str, what))))


def change_event(change: Change, subscription_ids: Sequence[str]) -> bytes:
    """
    Make the event: one record for each subscription that the change is about. Source: Event v1_13_0.

    Args:
        subscription_ids: at least one, but for the quarantine.
    """
    event_id, message = change_event_id(change), MESSAGES[change.kind]
    records = [
        _record(change, f"{event_id}.{number}", number, *about)
        for number, about in enumerate(_about(change, subscription_ids))
    ]
    event = {
        "@odata.type": "#Event.v1_13_0.Event",
        "Id": event_id,
        "Name": message.key,
        "Events": records,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def _about(change: Change, subscription_ids: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """
    Where each record's condition is, and its message's arguments.
    """
    if change.kind is ChangeKind.QUARANTINE_GROWING:
        return [(EVENT_SERVICE, (change.detail,))]
    more = (change.detail,)[: len(MESSAGES[change.kind].arguments) - 1]
    return [(f"{SUBSCRIPTIONS}/{id_}", (id_, *more)) for id_ in subscription_ids]


def _record(change: Change, event_id: str, number: int, origin: str, arguments: tuple[str, ...]) -> dict[str, Any]:
    message = MESSAGES[change.kind]
    at = datetime.fromtimestamp(change.noted_at_ms / 1000, UTC)
    return {
        "EventType": "StatusChange" if message.severity == "OK" else "Alert",
        "EventId": event_id,
        "EventTimestamp": at.isoformat(timespec="milliseconds"),
        "MemberId": str(number),
        "MessageId": message.message_id,
        "Message": message.filled(arguments),
        "MessageArgs": list(arguments),
        "MessageSeverity": message.severity,
        # Deprecated, and all that older subscribers look at.
        "Severity": message.severity,
        # Where nothing is wrong there is nothing to resolve, and the member shall not be there.
        **({} if message.severity == "OK" else {"Resolution": message.resolution}),
        "OriginOfCondition": {"@odata.id": origin},
    }
