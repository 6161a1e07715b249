"""
The EventService. Source: EventService v1_12_0.
"""

import math
from dataclasses import replace
from typing import Any

from odim_relay import bootstrap
from odim_relay.api.http.bodies import read_change
from odim_relay.api.http.call import Call
from odim_relay.api.http.conditions import ETAG, require_match, with_etag
from odim_relay.api.http.reply import Reply, with_messages
from odim_relay.api.http.resource import Resource
from odim_relay.api.reading.action_bodies import EVENT_SERVICE_READ_ONLY, EventServiceChange
from odim_relay.api.uris import EVENT_SERVICE, EVENT_STREAM, SUBSCRIPTIONS
from odim_relay.domain.account import Privilege
from odim_relay.domain.event import EventFormat
from odim_relay.domain.event_service import EventServiceSettings
from odim_relay.domain.own_resources import OWN_REGISTRY
from odim_relay.domain.resource_type import known_types
from odim_relay.domain.subscription_flaws import SEVERITIES

REGISTRIES = (
    "AccountSecurity",
    "Base",
    "Composition",
    "Environmental",
    "EthernetFabric",
    "Fabric",
    "HeartbeatEvent",
    "JobEvent",
    "License",
    "LogService",
    "ManagerEvent",
    "NetworkDevice",
    OWN_REGISTRY,
    "Platform",
    "Power",
    "ResourceEvent",
    "SensorEvent",
    "StorageDevice",
    "TaskEvent",
    "Telemetry",
    "Update",
)
"""
DMTF's, and our own. Sources bring theirs, which nobody can list: a subscription may name any.
"""
_NAMES = {
    "service_enabled": "is_enabled",
    "delivery_retry_attempts": "retry_attempts",
    "delivery_retry_interval_seconds": "retry_interval_s",
}


def get_event_service(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
    """
    What the service can do, and how often it tries again.
    """
    return Reply(body=_document(bootstrap.event_service().read()))


def patch_event_service(call: Call) -> Reply:
    """
    Hold everything back or let it go; change how often is tried again, and when.
    """
    wish = read_change(EventServiceChange, call.document(), read_only=EVENT_SERVICE_READ_ONLY)
    members: dict[str, Any] = {_NAMES[name]: getattr(wish.values, name) for name in wish.values.model_fields_set}

    def change(said: EventServiceSettings) -> EventServiceSettings:
        require_match(call, _document(said)[ETAG])
        return replace(said, **members)

    return Reply(body=with_messages(_document(bootstrap.event_service().change(change)), wish.problems))


def _document(said: EventServiceSettings) -> dict[str, Any]:
    usual = bootstrap.settings().delivery
    # Redfish counts whole seconds.
    interval_s = said.retry_interval_s or max(1, math.ceil(usual.retry_interval_s))
    return with_etag(
        {
            "@odata.id": EVENT_SERVICE,
            "@odata.type": "#EventService.v1_12_0.EventService",
            "Id": "EventService",
            "Name": "Event Service",
            "ServiceEnabled": said.is_enabled,
            "Status": {"State": "Enabled" if said.is_enabled else "Disabled", "Health": "OK"},
            "DeliveryRetryAttempts": usual.retry_attempts if said.retry_attempts is None else said.retry_attempts,
            "DeliveryRetryIntervalSeconds": interval_s,
            "EventFormatTypes": [str(value) for value in EventFormat],
            "RegistryPrefixes": list(REGISTRIES),
            "ResourceTypes": sorted(known_types()),
            "Severities": list(SEVERITIES),
            "OriginResourcesSupported": True,
            "SubordinateResourcesSupported": True,
            "ExcludeMessageId": True,
            "ExcludeRegistryPrefix": True,
            "IncludeOriginOfConditionSupported": False,
            "SSEIncludeOriginOfConditionSupported": False,
            "ServerSentEventUri": EVENT_STREAM,
            "SSEFilterPropertiesSupported": {
                "EventFormatType": True,
                "MessageId": True,
                "MetricReportDefinition": True,
                "OriginResource": True,
                "RegistryPrefix": True,
                "ResourceType": True,
                "SubordinateResources": True,
            },
            "Subscriptions": {"@odata.id": SUBSCRIPTIONS},
            "Actions": {
                f"#EventService.{name}": {"target": f"{EVENT_SERVICE}/Actions/EventService.{name}"}
                for name in ("SubmitTestEvent", "TestEventSubscription")
            },
        }
    )


RESOURCES = (
    Resource(
        path=EVENT_SERVICE,
        schema="EventService.v1_12_0",
        handlers={"GET": get_event_service, "PATCH": patch_event_service},
        privileges={"PATCH": frozenset({Privilege.CONFIGURE_MANAGER})},
        bodies={"PATCH": EventServiceChange},
    ),
)
