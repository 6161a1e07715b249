"""
The parameters of actions, and what may be changed of the EventService. Source: EventService v1_12_0, EventDestination
v1_16_0.
"""

import re
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Field

from odim_relay.api.http.bodies import Body
from odim_relay.api.reading.subscription_bodies import EventType, Severity, Text
from odim_relay.domain.duration import PATTERN, duration_s

MOST_RETRIES = 1_000
LONGEST_INTERVAL_S = 86_400
_LONGEST_MESSAGE = 65_536
_MOST_ARGUMENTS = 1_000
_LARGEST = 2**63 - 1
_MESSAGE_ID = r"^[A-Za-z0-9_]+\.[0-9]+\.[0-9]+\.[A-Za-z0-9_.]+$"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _instant(text: str) -> str:
    if not _INSTANT.fullmatch(text):
        raise ValueError("no date and time with an offset")
    datetime.fromisoformat(text[:19])
    return text


def _duration(text: str) -> str:
    if duration_s(text) is None:
        raise ValueError("no duration")
    return text


Instant: TypeAlias = Annotated[str, AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"})]
Duration: TypeAlias = Annotated[str, AfterValidator(_duration), Field(json_schema_extra={"pattern": PATTERN})]


class TestEvent(Body):
    """
    Parameters of SubmitTestEvent; null is as if one were not there.
    """

    __test__ = False  # for pytest

    message_id: str = Field(max_length=1_000, pattern=_MESSAGE_ID)
    event_id: Text | None = None
    event_timestamp: Instant | None = None
    event_type: EventType | None = None
    event_group_id: int | None = Field(None, ge=-_LARGEST, le=_LARGEST)
    message: str | None = Field(None, max_length=_LONGEST_MESSAGE)
    message_args: list[str] | None = Field(None, max_length=_MOST_ARGUMENTS)
    message_severity: Severity | None = None
    severity: Text | None = None
    origin_of_condition: Text | None = None

    def record(self) -> dict[str, Any]:
        """
        The EventRecord with what is given, by Redfish's names.
        """
        given = self.model_dump(by_alias=True, exclude_none=True)
        if "OriginOfCondition" in given:
            given["OriginOfCondition"] = {"@odata.id": given["OriginOfCondition"]}
        return given


class Resumption(Body):
    """
    Parameters of ResumeSubscription.
    """

    deliver_buffered_event_duration: Duration | None = None


class NoParameters(Body):
    """
    Of actions that take none.
    """


class EventServiceChange(Body):
    """
    What may be changed of the EventService.
    """

    service_enabled: bool = True
    delivery_retry_attempts: int = Field(0, ge=0, le=MOST_RETRIES)
    delivery_retry_interval_seconds: int = Field(1, ge=1, le=LONGEST_INTERVAL_S)


EVENT_SERVICE_READ_ONLY = frozenset(
    {
        "Actions",
        "Description",
        "EventFormatTypes",
        "EventTypesForSubscription",
        "ExcludeMessageId",
        "ExcludeRegistryPrefix",
        "Id",
        "IncludeOriginOfConditionSupported",
        "Name",
        "OriginResourcesSupported",
        "RegistryPrefixes",
        "ResourceTypes",
        "SSEFilterPropertiesSupported",
        "SSEIncludeOriginOfConditionSupported",
        "ServerSentEventUri",
        "Severities",
        "Status",
        "SubordinateResourcesSupported",
        "Subscriptions",
    }
)
