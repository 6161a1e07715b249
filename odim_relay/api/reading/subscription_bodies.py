"""
What a subscription's body may hold. Source: EventDestination v1_16_0.
"""

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field, JsonValue, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from odim_relay.api.http.bodies import Body
from odim_relay.domain.authentication import LONGEST_CREDENTIAL, AuthenticationKind
from odim_relay.domain.event import EventFormat
from odim_relay.domain.subscription import Mode, RetryPolicy
from odim_relay.domain.subscription_flaws import (
    HIGHEST_RATE_PER_S,
    LEAST_IN_BATCH,
    LONGEST_HEARTBEAT_MINUTES,
    LONGEST_NAME,
    LONGEST_RETENTION_S,
    LONGEST_TEXT,
    LONGEST_URL,
    MOST_BACKUPS,
    MOST_IN_BATCH,
    MOST_IN_FLIGHT,
    MOST_VALUES,
)
from odim_relay.domain.tls import LONGEST_FILE_NAME

_SECRETS = frozenset({"Authentication", "HttpHeaders", "SigningKey", "SigningSecret"})
_MOST_HEADERS = 100
_LONGEST_SECRET = 200
_WRITE_ONLY: dict[str, JsonValue] = {"writeOnly": True}
_LONGEST_FINGERPRINT = 95

EventType: TypeAlias = Literal[
    "StatusChange", "ResourceUpdated", "ResourceAdded", "ResourceRemoved", "Alert", "MetricReport", "Other"
]
Severity: TypeAlias = Literal["OK", "Warning", "Critical"]
Text: TypeAlias = Annotated[str, Field(max_length=LONGEST_TEXT)]
Url: TypeAlias = Annotated[str, Field(json_schema_extra={"maxLength": LONGEST_URL})]
"""
Its length is checked with all else about it, without repeating a password that may be in it.
"""
FileName: TypeAlias = Annotated[str | None, Field(max_length=LONGEST_FILE_NAME)]
Annotation: TypeAlias = Annotated[str | None, Field(alias="@odata.type", exclude=True)]


class LinkBody(Body):
    """
    A link to a resource.
    """

    uri: Text = Field(alias="@odata.id")


def _as_link(value: object) -> object:
    return {"@odata.id": value} if isinstance(value, str) else value


Link: TypeAlias = Annotated[LinkBody, BeforeValidator(_as_link)]
"""
As Redfish spells it, or the URI alone, as some clients do.
"""
Texts: TypeAlias = Annotated[list[Text | None], Field(max_length=MOST_VALUES)]
Links: TypeAlias = Annotated[list[Link | None], Field(max_length=MOST_VALUES)]
Headers: TypeAlias = Annotated[list[dict[str, str] | None], Field(max_length=_MOST_HEADERS)]
"""
Each object may hold several headers.
"""


class AuthenticationBody(Body):
    """
    How to authenticate to the destination; which members belong to which kind is told in the schema.
    """

    odata_type: Annotation = None
    kind: AuthenticationKind | None = None
    username: str | None = Field(None, max_length=LONGEST_CREDENTIAL)
    password: str | None = Field(None, max_length=LONGEST_CREDENTIAL, json_schema_extra=_WRITE_ONLY)
    token: str | None = Field(None, max_length=LONGEST_CREDENTIAL, json_schema_extra=_WRITE_ONLY)
    token_uri: Url | None = None
    client_id: str | None = Field(None, max_length=LONGEST_CREDENTIAL)
    client_secret: str | None = Field(None, max_length=LONGEST_CREDENTIAL, json_schema_extra=_WRITE_ONLY)
    scope: str | None = Field(None, max_length=LONGEST_CREDENTIAL)


class OdimRelayBody(Body):
    """
    What Redfish has no place for. Source: OdimRelay v1_0_0.
    """

    odata_type: Annotation = None
    mode: Mode | None = None
    signing_secret: str | None = Field(None, max_length=_LONGEST_SECRET, json_schema_extra=_WRITE_ONLY)
    signing_key: str | None = Field(None, max_length=_LONGEST_SECRET, json_schema_extra=_WRITE_ONLY)
    authentication: AuthenticationBody | None = None
    max_in_flight: int | None = Field(None, ge=1, le=MOST_IN_FLIGHT)
    rate_per_second: float | None = Field(None, gt=0, le=HIGHEST_RATE_PER_S)
    retention_seconds: int | None = Field(None, ge=1, le=LONGEST_RETENTION_S)
    ca_file: FileName = None
    certificate_fingerprint: str | None = Field(None, max_length=_LONGEST_FINGERPRINT)
    client_certificate_file: FileName = None
    client_key_file: FileName = None
    batch_size: int | None = Field(None, ge=LEAST_IN_BATCH, le=MOST_IN_BATCH)


class OemBody(Body):
    """
    Only our own.
    """

    odim_relay: OdimRelayBody | None = None


class NewSubscription(Body):
    """
    What makes a subscription; null is as if it were not there.
    """

    SECRETS: ClassVar[frozenset[str]] = _SECRETS

    destination: Url
    protocol: Literal["Redfish"]
    name: str | None = Field(None, max_length=LONGEST_NAME)
    subscription_type: Literal["RedfishEvent"] | None = None
    event_format_type: EventFormat | None = None
    context: Text | None = None
    backup_destinations: Annotated[list[Url | None], Field(max_length=MOST_BACKUPS)] | None = None
    http_headers: Headers | None = None
    verify_certificate: bool | None = None
    delivery_retry_policy: RetryPolicy | None = None
    event_types: Annotated[list[EventType | None], Field(max_length=MOST_VALUES)] | None = None
    registry_prefixes: Texts | None = None
    message_ids: Texts | None = None
    exclude_registry_prefixes: Texts | None = None
    exclude_message_ids: Texts | None = None
    resource_types: Texts | None = None
    origin_resources: Links | None = None
    subordinate_resources: bool | None = None
    severities: Annotated[list[Severity | None], Field(max_length=MOST_VALUES)] | None = None
    include_origin_of_condition: bool | None = None
    metric_report_definitions: Links | None = None
    send_heartbeat: bool | None = None
    heartbeat_interval_minutes: int | None = Field(None, ge=1, le=LONGEST_HEARTBEAT_MINUTES)
    oem: OemBody | None = None


class Unchanged:
    """
    An element of an array that a PATCH leaves as it is.
    """


UNCHANGED = Unchanged()


def _url_or_unchanged(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    if value == {}:
        return UNCHANGED
    raise PydanticCustomError("string_type", "a URL, null or {}")


UrlChange: TypeAlias = Annotated[
    Any,
    PlainValidator(_url_or_unchanged),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "maxLength": LONGEST_URL},
                {"type": "object", "maxProperties": 0},
                {"type": "null"},
            ]
        }
    ),
]


class ChangedSubscription(Body):
    """
    What may be changed of a subscription. In an array null removes an element, `{}` leaves it as it is.
    """

    SECRETS: ClassVar[frozenset[str]] = _SECRETS

    context: Text | None = None
    backup_destinations: Annotated[list[UrlChange], Field(max_length=MOST_VALUES)] | None = None
    http_headers: Headers | None = None
    verify_certificate: bool | None = None
    delivery_retry_policy: RetryPolicy | None = None
    oem: OemBody | None = None


READ_ONLY = frozenset(
    {
        "Actions",
        "Certificates",
        "ClientCertificates",
        "Description",
        "Destination",
        "EventFormatType",
        "EventTypes",
        "ExcludeMessageIds",
        "ExcludeRegistryPrefixes",
        "HeartbeatIntervalMinutes",
        "Id",
        "IncludeOriginOfCondition",
        "MessageIds",
        "MetricReportDefinitions",
        "Name",
        "OriginResources",
        "Protocol",
        "RegistryPrefixes",
        "ResourceTypes",
        "SendHeartbeat",
        "Severities",
        "Status",
        "SubordinateResources",
        "SubscriptionType",
    }
)
"""
What a subscription keeps as it was made, and what the service says of it.
"""
NEVER_WRITTEN = frozenset({"Actions", "Description", "Id", "Status"})
"""
What the service alone says of a subscription.
"""
