from dataclasses import replace
from typing import Any

import pytest

from odim_relay.api.resources.event_destination_document import event_destination
from odim_relay.domain.authentication import Authentication, Basic, Bearer, ClientCredentials
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.event import EventFormat
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription, SubscriptionType
from odim_relay.ports import DestinationFlow, SubscriptionFlow
from odim_relay.use_cases.status import SubscriptionStatus

SUBSCRIPTION = Subscription(subscription_id="id-1", destination="https://receiver.example/hook")
SECRET = "whsec_" + "A" * 32


def status(*, breaker: Breaker = Breaker.CLOSED, suspended_by: str = "", **members: Any) -> SubscriptionStatus:
    return SubscriptionStatus(
        subscription_id="id-1",
        subscription=SUBSCRIPTION,
        flow=SubscriptionFlow(
            subscription_id="id-1", exists=True, suspended_by=suspended_by, suspended_at_ms=1_700_000_000_000
        ),
        destination=DestinationFlow(
            destination_id="d", breaker=breaker, in_flight_count=2, success_at_ms=1_700_000_100_000
        ),
        **members,
    )


def document(subscription: Subscription = SUBSCRIPTION, told: SubscriptionStatus | None = None) -> dict[str, Any]:
    return event_destination(subscription, told or status(), verifies_by_default=True)


def test_a_plain_subscription_has_every_property_and_no_deprecated_one() -> None:
    found = document()
    etag = found.pop("@odata.etag")
    assert etag.startswith('"')
    uri = "/redfish/v1/EventService/Subscriptions/id-1"
    assert found == {
        "@odata.id": uri,
        "@odata.type": "#EventDestination.v1_16_0.EventDestination",
        "Id": "id-1",
        "Name": "Event subscription",
        "Destination": "https://receiver.example/hook",
        "Protocol": "Redfish",
        "SubscriptionType": "RedfishEvent",
        "Context": None,
        "HttpHeaders": [],
        "Status": {"State": "Enabled", "Health": "OK"},
        "EventFormatType": "Event",
        "RegistryPrefixes": [],
        "MessageIds": [],
        "ExcludeRegistryPrefixes": [],
        "ExcludeMessageIds": [],
        "ResourceTypes": [],
        "OriginResources": [],
        "OriginResources@odata.count": 0,
        "SubordinateResources": False,
        "Severities": [],
        "IncludeOriginOfCondition": False,
        "MetricReportDefinitions": [],
        "MetricReportDefinitions@odata.count": 0,
        "BackupDestinations": [],
        "VerifyCertificate": True,
        "DeliveryRetryPolicy": "RetryForeverWithBackoff",
        "SendHeartbeat": False,
        "Actions": {
            "#EventDestination.ResumeSubscription": {"target": f"{uri}/Actions/EventDestination.ResumeSubscription"},
            "#EventDestination.SuspendSubscription": {"target": f"{uri}/Actions/EventDestination.SuspendSubscription"},
        },
    }


def test_what_was_asked_for_is_shown_but_secrets() -> None:
    full = replace(
        SUBSCRIPTION,
        name="mine",
        context="c",
        filters=Filters(
            event_types=("Alert",),
            origin_resources=("/redfish/v1/Systems/1",),
            subordinate_resources=True,
            metric_report_definitions=("/redfish/v1/a",),
        ),
        event_format=EventFormat.METRIC_REPORT,
        headers=(("Authorization", "hunter2"),),
        retry_policy=RetryPolicy.TERMINATE,
        mode=Mode.ORDERED,
        backup_destinations=("https://backup/",),
        verify_certificate=False,
        heartbeat_minutes=5,
        signing_secret=SECRET,
    )
    found = document(full)
    assert (found["Name"], found["Context"], found["EventFormatType"]) == ("mine", "c", "MetricReport")
    assert found["EventTypes"] == ["Alert"]
    assert found["OriginResources"] == [{"@odata.id": "/redfish/v1/Systems/1"}]
    assert found["MetricReportDefinitions"] == [{"@odata.id": "/redfish/v1/a"}]
    assert found["BackupDestinations"] == ["https://backup/"]
    assert (found["VerifyCertificate"], found["SendHeartbeat"], found["HeartbeatIntervalMinutes"]) == (False, True, 5)
    assert found["DeliveryRetryPolicy"] == "TerminateAfterRetries"
    assert found["HttpHeaders"] == []
    assert found["Oem"] == {
        "OdimRelay": {
            "@odata.type": "#OdimRelay.v1_0_0.EventDestination",
            "Mode": "ordered",
            "SigningSecret": None,
            "SigningKey": None,
            "Authentication": None,
            "MaxInFlight": None,
            "RatePerSecond": None,
            "RetentionSeconds": None,
            "CaFile": None,
            "CertificateFingerprint": None,
            "ClientCertificateFile": None,
            "ClientKeyFile": None,
            "BatchSize": None,
        }
    }
    assert "hunter2" not in str(found)
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    ("authentication", "shown"),
    [
        (Basic(username="ann", password="hunter2"), {"Kind": "Basic", "Username": "ann", "Password": None}),
        (Bearer(token="hunter2"), {"Kind": "Bearer", "Token": None}),
        (
            ClientCredentials(
                token_url="https://u:hunter2@idp.example/token?hunter2", client_id="me", client_secret="hunter2"
            ),
            {
                "Kind": "OAuth2ClientCredentials",
                "TokenUri": "https://idp.example/token",
                "ClientId": "me",
                "ClientSecret": None,
            },
        ),
    ],
)
def test_how_it_authenticates_is_shown_without_the_secret(
    authentication: Authentication, shown: dict[str, Any]
) -> None:
    found = document(replace(SUBSCRIPTION, authentication=authentication))

    assert found["Oem"]["OdimRelay"]["Authentication"] == shown
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("told", "state", "health"),
    [
        (status(), "Enabled", "OK"),
        (status(breaker=Breaker.OPEN), "Enabled", "Critical"),
        (status(breaker=Breaker.HALF_OPEN), "Enabled", "Warning"),
        (status(waiting_count=1), "Enabled", "Warning"),
        (status(dead_letter_count=1), "Enabled", "Warning"),
        (status(suspended_by="by_hand"), "Disabled", "OK"),
        (status(suspended_by="by_hand", waiting_count=3), "Disabled", "OK"),
        (status(suspended_by="gone", breaker=Breaker.OPEN), "Disabled", "Critical"),
    ],
)
def test_the_status_tells_how_the_destination_does(told: SubscriptionStatus, state: str, health: str) -> None:
    assert document(told=told)["Status"] == {"State": state, "Health": health}


def test_what_is_not_delivered_is_told_in_figures() -> None:
    told = status(
        breaker=Breaker.OPEN,
        suspended_by="gone",
        waiting_count=7,
        dead_letter_count=2,
        oldest_age_s=90.4,
        last_failure={"status": 410, "detail": "gone for good", "destination": "https://x/"},
    )
    assert document(told=told)["Oem"]["OdimRelay"]["Delivery"] == {
        "BreakerState": "open",
        "WaitingCount": 7,
        "DeadLetterCount": 2,
        "InFlightCount": 2,
        "OldestAgeSeconds": 90,
        "SuspendedBy": "gone",
        "SuspendedTime": "2023-11-14T22:13:20Z",
        "LastSuccessTime": "2023-11-14T22:15:00Z",
        "LastError": "HTTP 410: gone for good",
    }


def test_a_failure_without_an_answer_is_told_by_its_name() -> None:
    told = status(dead_letter_count=1, last_failure={"failure": "connect", "detail": ""})
    assert document(told=told)["Oem"]["OdimRelay"]["Delivery"]["LastError"] == "connect"


def test_figures_that_change_by_themselves_change_no_tag() -> None:
    told = status(breaker=Breaker.OPEN, waiting_count=7, oldest_age_s=3.0)
    assert document(told=told)["@odata.etag"] == document()["@odata.etag"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"context": "c"}, status()),
        ({"mode": Mode.ORDERED}, status()),
        ({"revision": 1}, status()),
        ({}, status(suspended_by="by_hand")),
    ],
)
def test_another_state_has_another_tag(changed: dict[str, Any], told: SubscriptionStatus) -> None:
    assert document(replace(SUBSCRIPTION, **changed), told)["@odata.etag"] != document()["@odata.etag"]


def test_a_stream_shows_what_it_is_and_cannot_be_suspended() -> None:
    stream = replace(
        SUBSCRIPTION, kind=SubscriptionType.SSE, destination="redfish-sse://192.0.2.1:5000", context="opaque"
    )
    found = document(stream)
    assert (found["SubscriptionType"], found["Destination"]) == ("SSE", "redfish-sse://192.0.2.1:5000")
    assert not {"Actions", "DeliveryRetryPolicy", "BackupDestinations", "SendHeartbeat"} & found.keys()
