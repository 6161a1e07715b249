"""
What came in: an Event with its EventRecords, as the filters see them.
"""

from dataclasses import dataclass
from enum import StrEnum


class EventFormat(StrEnum):
    """
    Kind of a payload; the values are those of `EventFormatType` (EventDestination v1_16_0).
    """

    EVENT = "Event"
    METRIC_REPORT = "MetricReport"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """
    What a filter may ask of one member of `Events[]`. An absent member of the payload is an empty string.

    Attributes:
        event_type: `EventType` as it came.
        message_id: `MessageId` without its version: `Registry.Key` (`ResourceEvent.1.4.ResourceCreated` becomes
            `ResourceEvent.ResourceCreated`).
        registry: the part of `message_id` before its first dot.
        severity: `MessageSeverity`, or the deprecated `Severity` where only that is given.
        origin: `OriginOfCondition`'s `@odata.id` without a trailing slash.
        resource_type: the Redfish type of the resource at `origin` (`Volume`), where the URI tells it.
        further_types: what else the resource at `origin` is to a filter on types, as `further_types_at` tells.
    """

    event_type: str = ""
    message_id: str = ""
    registry: str = ""
    severity: str = ""
    origin: str = ""
    resource_type: str = ""
    further_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One Redfish Event or MetricReport payload.

    Attributes:
        payload: the bytes as they came; UTF-8 JSON, one object.
        records: one per member of `Events[]`, in order; empty for a MetricReport and for an Event without records.
        report_definition: `@odata.id` of a MetricReport's `MetricReportDefinition`, else empty.
        source: who sent it, host or address without its port; empty where the format does not say.
        is_complete: whether an Event has every member that its schema requires; if not, they are added to what is sent.
    """

    format: EventFormat
    payload: bytes
    records: tuple[EventRecord, ...] = ()
    report_definition: str = ""
    source: str = ""
    is_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    How one delivery's body differs from its Event's payload. Fixed when the event is matched (ledger rule L7).

    Attributes:
        records: indices of the EventRecords that matched, ascending; `None` is the whole payload.
        context: the subscription's Context, to stand at the root of the body; `None` leaves the payload's own.
        is_completed: members that Event requires and the payload lacks are added.
    """

    records: tuple[int, ...] | None = None
    context: str | None = None
    is_completed: bool = False


WHOLE = Shape()


def is_urgent(event: Event, shape: Shape) -> bool:
    """
    Whether one of the records that the shape leaves is Critical.
    """
    records = event.records if shape.records is None else (event.records[index] for index in shape.records)
    return any(record.severity == "Critical" for record in records)
