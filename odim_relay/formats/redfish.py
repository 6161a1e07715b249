"""
Redfish payloads as they are: an Event or a MetricReport. Source: DSP0266; Event v1_13_0, MetricReport v1_5_2.
"""

from collections.abc import Iterable
from typing import Any

from odim_relay.domain.event import Event, EventFormat, EventRecord
from odim_relay.domain.message_id import registry_of, without_version
from odim_relay.domain.resource_type import further_types_at, type_at
from odim_relay.formats import Decoded, Undecodable
from odim_relay.formats.json_text import kind_of, read_json


def decode(value: bytes, *, source: str = "") -> Decoded:
    """
    Read one Event or MetricReport; never raises.

    `@odata.type` tells which of them it is, else `Events` or `MetricValues` does by being there. Only what hides the
    records makes it undecodable. A member of a record that is missing, null or of another type than Redfish says is an
    empty string, so the event still goes to who did not ask about it; an `OriginOfCondition` that is a string (HPE)
    counts as its `@odata.id`.

    Args:
        source: goes into the Event.

    Returns:
        one Event; or `Undecodable` with one of `not_utf8`, `not_json`, `too_deep`, `not_an_object`, `not_an_event`,
        `events_not_an_array`, `record_not_an_object`.
    """
    body = read_json(value)
    if isinstance(body, Undecodable):
        return body
    if not isinstance(body, dict):
        return Undecodable(reason="not_an_object", detail=f"the payload is {kind_of(body)}, not an object")
    match _format_of(body):
        case EventFormat.EVENT:
            return _read_event(value, body, source)
        case EventFormat.METRIC_REPORT:
            return (
                Event(
                    format=EventFormat.METRIC_REPORT,
                    payload=value,
                    report_definition=_link(body.get("MetricReportDefinition")),
                    source=source,
                ),
            )
        case None:
            return Undecodable(reason="not_an_event", detail="has neither Events nor MetricValues")


def _format_of(body: dict[str, Any]) -> EventFormat | None:
    declared = body.get("@odata.type")
    if isinstance(declared, str):
        if declared.startswith("#Event."):
            return EventFormat.EVENT
        if declared.startswith("#MetricReport."):
            return EventFormat.METRIC_REPORT
    if "Events" in body:
        return EventFormat.EVENT
    return EventFormat.METRIC_REPORT if "MetricValues" in body else None


def _read_event(value: bytes, body: dict[str, Any], source: str) -> Decoded:
    members = body.get("Events")
    if not isinstance(members, list):
        state = kind_of(members) if "Events" in body else "missing"
        return Undecodable(reason="events_not_an_array", detail=f"Events is {state}, not an array")
    records = []
    is_complete = _has_texts(body, ("@odata.type", "Id", "Name"))
    for index, member in enumerate(members):
        if not isinstance(member, dict):
            detail = f"Events[{index}] is {kind_of(member)}, not an object"
            return Undecodable(reason="record_not_an_object", detail=detail)
        records.append(_read_record(member))
        is_complete = is_complete and _has_texts(member, ("EventType", "MessageId", "MemberId"))
    return (
        Event(
            format=EventFormat.EVENT,
            payload=value,
            records=tuple(records),
            source=source,
            is_complete=is_complete,
        ),
    )


def _read_record(member: dict[str, Any]) -> EventRecord:
    message_id = without_version(_text(member, "MessageId"))
    origin = _link(member.get("OriginOfCondition")).removesuffix("/")
    return EventRecord(
        event_type=_text(member, "EventType"),
        message_id=message_id,
        registry=registry_of(message_id),
        severity=_text(member, "MessageSeverity") or _text(member, "Severity"),
        origin=origin,
        resource_type=type_at(origin),
        further_types=further_types_at(origin),
    )


def _has_texts(members: dict[str, Any], names: Iterable[str]) -> bool:
    """
    Whether all these members are there and are texts: the ones that Event v1_13_0 requires.
    """
    return all(isinstance(members.get(name), str) for name in names)


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _link(value: Any) -> str:
    if isinstance(value, dict):
        return _text(value, "@odata.id")
    return value if isinstance(value, str) else ""
