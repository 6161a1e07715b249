"""
Changes that cannot be made, and actions that cannot be done.
"""

from typing import Any, Final

from tests.integration.api.bad_input import Bad, Said, property_said, shown
from tests.support.redfish_client import EVENT_SERVICE, SUBMIT_TEST_EVENT, TEST_EVENT_SUBSCRIPTION

_SUBSCRIPTION = "{subscription}"


def _change(name: str, *says: Said, path: str = _SUBSCRIPTION, **members: Any) -> Bad:
    return Bad(name=name, says=says, method="PATCH", path=path, document=members)


def _wrong(key: str, member: str, value: Any, *, path: str = _SUBSCRIPTION, at: str = "") -> Bad:
    said = Said(key, None, at or f"#/{member}")
    return _change(f"{member} to {value!r:.40} ({key}) at {path}", said, path=path, **{member: value})


READ_ONLY: Final[dict[str, Any]] = {
    "Destination": "https://192.0.2.9/other",
    "Protocol": "Redfish",
    "SubscriptionType": "RedfishEvent",
    "EventFormatType": "Event",
    "EventTypes": ["Alert"],
    "RegistryPrefixes": ["Base"],
    "MessageIds": ["Base.Success"],
    "ExcludeMessageIds": ["Base.Success"],
    "ExcludeRegistryPrefixes": ["Base"],
    "ResourceTypes": ["Task"],
    "OriginResources": [{"@odata.id": "/redfish/v1/"}],
    "SubordinateResources": True,
    "Severities": ["OK"],
    "SendHeartbeat": True,
    "HeartbeatIntervalMinutes": 5,
    "Id": "1",
    "Name": "mine",
    "Status": {"State": "Enabled"},
    "Actions": {},
}

OF_A_SUBSCRIPTION: Final = (
    *(
        _change(f"{member}, which is read-only", property_said("PropertyNotWritable", member), **{member: value})
        for member, value in READ_ONLY.items()
    ),
    _change(
        "several read-only members are told in one answer",
        property_said("PropertyNotWritable", "Destination"),
        property_said("PropertyNotWritable", "Protocol"),
        Destination="https://192.0.2.9/other",
        Protocol="Redfish",
    ),
    _change(
        "nothing but annotations",
        Said("NoOperation"),
        **{"@odata.id": "/redfish/v1/", "@odata.type": "#EventDestination.v1_16_0.EventDestination"},
    ),
    _change("an unknown member", property_said("PropertyUnknown", "Colour"), Colour="red"),
    _wrong("PropertyValueTypeError", "Context", 5),
    _wrong("PropertyValueTypeError", "DeliveryRetryPolicy", 1),
    _wrong("PropertyValueTypeError", "HttpHeaders", "X-One: 1"),
    _wrong("PropertyValueTypeError", "BackupDestinations", "https://192.0.2.9/x"),
    _wrong("PropertyValueTypeError", "VerifyCertificate", "no"),
    _wrong("PropertyValueNotInList", "DeliveryRetryPolicy", "RetrySometimes"),
    _wrong("PropertyValueFormatError", "BackupDestinations", ["nowhere"], at="#/BackupDestinations/0"),
    _wrong("StringValueTooLong", "Context", "x" * 4_097),
    _wrong("PropertyValueNotInList", "Oem", {"OdimRelay": {"Mode": "sometimes"}}, at="#/Oem/OdimRelay/Mode"),
    _wrong("PropertyValueOutOfRange", "Oem", {"OdimRelay": {"MaxInFlight": 0}}, at="#/Oem/OdimRelay/MaxInFlight"),
    _wrong("PropertyUnknown", "Oem", {"OdimRelay": {"Colour": "red"}}, at="#/Oem/OdimRelay/Colour"),
    _wrong("PropertyNotWritable", "Oem", {"OdimRelay": {"Delivery": {}}}, at="#/Oem/OdimRelay/Delivery"),
)

OF_THE_SERVICE: Final = (
    _change("nothing of the event service", Said("EmptyJSON"), path=EVENT_SERVICE),
    _change("an unknown member of it", property_said("PropertyUnknown", "Colour"), path=EVENT_SERVICE, Colour="red"),
    _wrong("PropertyNotWritable", "Name", "mine", path=EVENT_SERVICE),
    _wrong("PropertyNotWritable", "ServerSentEventUri", "/redfish/v1/x", path=EVENT_SERVICE),
    _wrong("PropertyNotWritable", "Status", {"State": "Disabled"}, path=EVENT_SERVICE),
    _wrong("PropertyValueTypeError", "ServiceEnabled", "yes", path=EVENT_SERVICE),
    _wrong("PropertyValueTypeError", "ServiceEnabled", None, path=EVENT_SERVICE),
    _wrong("PropertyValueTypeError", "DeliveryRetryAttempts", "3", path=EVENT_SERVICE),
    _wrong("PropertyValueTypeError", "DeliveryRetryAttempts", 1.5, path=EVENT_SERVICE),
    _wrong("PropertyValueOutOfRange", "DeliveryRetryAttempts", -1, path=EVENT_SERVICE),
    _wrong("PropertyValueOutOfRange", "DeliveryRetryAttempts", 10**30, path=EVENT_SERVICE),
    _wrong("PropertyValueOutOfRange", "DeliveryRetryIntervalSeconds", 0, path=EVENT_SERVICE),
    _wrong("PropertyValueOutOfRange", "DeliveryRetryIntervalSeconds", 10**30, path=EVENT_SERVICE),
)


def _test_event(name: str, *says: Said, **parameters: Any) -> Bad:
    return Bad(name=f"a test event with {name}", says=says, path=SUBMIT_TEST_EVENT, document=parameters)


_ID: Final = {"MessageId": "ResourceEvent.1.4.TestMessage"}
_SUBMIT: Final = "EventService.SubmitTestEvent"


def _bad_parameter(key: str, name: str, value: Any) -> Bad:
    said = Said(key, (shown(value), name, _SUBMIT), f"#/{name}")
    return _test_event(f"{name} that is {value!r:.40} ({key})", said, **{**_ID, name: value})


ACTIONS: Final = (
    _test_event("no MessageId", Said("ActionParameterMissing", (_SUBMIT, "MessageId"))),
    _test_event("an unknown parameter", Said("ActionParameterUnknown", (_SUBMIT, "Colour")), **_ID, Colour="red"),
    *(
        _bad_parameter("ActionParameterValueTypeError", name, value)
        for name, value in {
            "MessageId": 5,
            "Message": [],
            "MessageArgs": "one",
            "EventGroupId": "1",
            "EventId": 1,
            "OriginOfCondition": {"@odata.id": "/redfish/v1/"},
            "Severity": 1,
            "MessageSeverity": 1,
            "EventTimestamp": 5,
        }.items()
    ),
    _bad_parameter("ActionParameterValueFormatError", "MessageId", "TestMessage"),
    _bad_parameter("ActionParameterValueFormatError", "MessageId", ""),
    _bad_parameter("ActionParameterValueFormatError", "EventTimestamp", "yesterday"),
    _bad_parameter("ActionParameterValueNotInList", "MessageSeverity", "Fatal"),
    _bad_parameter("ActionParameterValueNotInList", "EventType", "Poem"),
    Bad(
        name="a resumption with a duration that is none",
        says=(
            Said(
                "ActionParameterValueFormatError",
                ("an hour", "DeliverBufferedEventDuration", "EventDestination.ResumeSubscription"),
            ),
        ),
        path="{subscription}/Actions/EventDestination.ResumeSubscription",
        document={"DeliverBufferedEventDuration": "an hour"},
    ),
    Bad(
        name="a resumption with a number for a duration",
        says=(
            Said(
                "ActionParameterValueTypeError",
                ("3600", "DeliverBufferedEventDuration", "EventDestination.ResumeSubscription"),
            ),
        ),
        path="{subscription}/Actions/EventDestination.ResumeSubscription",
        document={"DeliverBufferedEventDuration": 3600},
    ),
    Bad(
        name="a suspension with a parameter",
        says=(Said("ActionParameterUnknown", ("EventDestination.SuspendSubscription", "For")),),
        path="{subscription}/Actions/EventDestination.SuspendSubscription",
        document={"For": "PT1H"},
    ),
    Bad(
        name="a test of every subscription with a parameter",
        says=(Said("ActionParameterUnknown", ("EventService.TestEventSubscription", "MessageId")),),
        path=TEST_EVENT_SUBSCRIPTION,
        document=_ID,
    ),
    Bad(
        name="an action that the service does not have",
        says=(Said("ActionNotSupported", ("EventService.Explode",)),),
        status=404,
        path=f"{EVENT_SERVICE}/Actions/EventService.Explode",
        document={},
    ),
    Bad(
        name="an action that a subscription does not have",
        says=(Said("ActionNotSupported", ("EventDestination.Explode",)),),
        status=404,
        path="{subscription}/Actions/EventDestination.Explode",
        document={},
    ),
)

TABLE: Final = (*OF_A_SUBSCRIPTION, *OF_THE_SERVICE, *ACTIONS)
