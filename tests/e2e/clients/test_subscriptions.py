"""
Subscriptions made over the API, from what they want to what arrives.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.clients.conftest import ARRIVES_S, Served
from tests.integration.api.event_client import submit
from tests.support.receiver_behaviour import Behaviour
from tests.support.redfish_client import (
    EVENT_SERVICE,
    SUBSCRIPTIONS,
    TEST_EVENT_SUBSCRIPTION,
    created,
    members,
    open_client,
)

pytestmark = pytest.mark.server

CHASSIS = "/redfish/v1/Chassis/1"
WANTED: dict[str, Any] = {
    "MessageId": "Environmental.1.0.FanFailed",
    "EventType": "Alert",
    "MessageSeverity": "Critical",
    "OriginOfCondition": f"{CHASSIS}/Thermal",
    "EventTimestamp": "2026-11-25T02:28:00Z",
    "EventGroupId": 7,
    "EventId": "of the client",
    "Message": 'Fan "1" failed: \\ ü',
    "MessageArgs": ["1"],
}
UNWANTED: dict[str, Any] = {
    "MessageId": "ResourceEvent.1.4.ResourceCreated",
    "EventType": "ResourceAdded",
    "MessageSeverity": "OK",
    "OriginOfCondition": "/redfish/v1/Systems/1",
}
FILTERS: dict[str, dict[str, Any]] = {
    "registry": {"RegistryPrefixes": ["Environmental"]},
    "message": {"MessageIds": ["Environmental.1.3.FanFailed"]},
    "union": {"RegistryPrefixes": ["Contoso"], "MessageIds": ["Environmental.FanFailed"]},
    "not registry": {"ExcludeRegistryPrefixes": ["ResourceEvent"]},
    "not message": {"ExcludeMessageIds": ["ResourceEvent.1.0.ResourceCreated"]},
    "severity": {"Severities": ["Warning", "Critical"]},
    "type": {"EventTypes": ["Alert"]},
    "resource type": {"ResourceTypes": ["Thermal"]},
    "origin": {"OriginResources": [{"@odata.id": f"{CHASSIS}/Thermal"}]},
    "below": {"OriginResources": [{"@odata.id": CHASSIS}], "SubordinateResources": True},
}


@pytest.fixture
def admin(served: Served) -> Iterator[httpx.Client]:
    api = served.api
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
        yield client
        client.patch(EVENT_SERVICE, json={"ServiceEnabled": True})
        for uri in members(client):
            client.delete(uri)


def subscribe(served: Served, admin: httpx.Client, path: str, **more: Any) -> str:
    wish = {"Destination": served.receiver.url(path), "Protocol": "Redfish", **more}
    return created(admin, SUBSCRIPTIONS, wish)


def act(admin: httpx.Client, uri: str, action: str, **parameters: Any) -> None:
    answer = admin.post(f"{uri}/Actions/EventDestination.{action}", json=parameters)
    assert answer.status_code == 204, answer.text


def messages(served: Served, path: str, count: int) -> list[str]:
    return [body["Events"][0]["Message"] for _, body in served.arrived(path, count)]


def test_each_filter_lets_through_what_it_wants_with_context_and_headers(served: Served, admin: httpx.Client) -> None:
    for number, (name, filters) in enumerate(FILTERS.items()):
        subscribe(served, admin, f"/filter/{number}", Context=name, HttpHeaders=[{"X-Of": f"f{number}"}], **filters)
    subscribe(served, admin, "/filter/all")

    submit(admin, **UNWANTED)
    submit(admin, **WANTED)

    assert len(served.arrived("/filter/all", 2)) == 2
    for number, name in enumerate(FILTERS):
        ((headers, event),) = served.arrived(f"/filter/{number}")
        assert event["Context"] == name
        assert headers["x-of"] == f"f{number}"
        assert event["Events"] == [
            {**WANTED, "MemberId": "0", "OriginOfCondition": {"@odata.id": WANTED["OriginOfCondition"]}}
        ]


def test_the_test_message_comes_to_all_whatever_they_want(served: Served, admin: httpx.Client) -> None:
    subscribe(served, admin, "/test/narrow", RegistryPrefixes=["Contoso"])
    subscribe(served, admin, "/test/wide")

    assert admin.post(TEST_EVENT_SUBSCRIPTION).status_code == 204

    for path in ("/test/narrow", "/test/wide"):
        ((_, event),) = served.arrived(path)
        assert event["Events"][0]["MessageId"] == "ResourceEvent.1.4.TestMessage"


def test_what_came_while_suspended_comes_after_and_nothing_where_it_is_not_wanted(
    served: Served, admin: httpx.Client
) -> None:
    keeps = subscribe(served, admin, "/suspended/keeps")
    drops = subscribe(served, admin, "/suspended/drops")
    for uri in (keeps, drops):
        act(admin, uri, "SuspendSubscription")
    submit(admin, Message="while suspended")
    assert served.receiver.request_count("/suspended/keeps") == 0

    act(admin, keeps, "ResumeSubscription", DeliverBufferedEventDuration="PT1H")
    act(admin, drops, "ResumeSubscription", DeliverBufferedEventDuration="PT0S")
    served.receiver.wait_for_accepted("/suspended/keeps", 1, timeout_s=ARRIVES_S)
    submit(admin, Message="after")

    assert sorted(messages(served, "/suspended/keeps", 2)) == ["after", "while suspended"]
    assert messages(served, "/suspended/drops", 1) == ["after"]


def test_a_deleted_subscription_gets_nothing(served: Served, admin: httpx.Client) -> None:
    gone = subscribe(served, admin, "/gone")
    subscribe(served, admin, "/stays")
    assert admin.delete(gone).status_code == 204

    submit(admin, Message="m")

    assert messages(served, "/stays", 1) == ["m"]
    assert served.receiver.request_count("/gone") == 0


def test_a_backup_gets_what_the_destination_refuses(served: Served, admin: httpx.Client) -> None:
    served.receiver.behave("/backup/first", Behaviour(status=500))
    subscribe(
        served, admin, "/backup/first", BackupDestinations=[served.receiver.url("/backup/second")], Context="both"
    )

    submit(admin, Message="m")

    ((_, event),) = served.arrived("/backup/second")
    assert event["Context"] == "both"


def test_a_signed_subscription_is_signed_from_its_change_on(served: Served, admin: httpx.Client) -> None:
    uri = subscribe(served, admin, "/signed")
    submit(admin, Message="plain")
    served.receiver.wait_for_accepted("/signed", 1, timeout_s=ARRIVES_S)
    secret = {"OdimRelay": {"SigningSecret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}}
    assert admin.patch(uri, json={"Oem": secret}).status_code == 200

    submit(admin, Message="signed")

    arrived = served.arrived("/signed", 2)
    assert ["webhook-signature" in headers for headers, _ in arrived] == [False, True]


def test_what_was_submitted_before_the_service_was_disabled_and_enabled_comes(
    served: Served, admin: httpx.Client
) -> None:
    uri = subscribe(served, admin, "/disabled")
    act(admin, uri, "SuspendSubscription")
    submit(admin, Message="held")
    admin.patch(EVENT_SERVICE, json={"ServiceEnabled": False})
    act(admin, uri, "ResumeSubscription")
    assert served.receiver.request_count("/disabled") == 0

    admin.patch(EVENT_SERVICE, json={"ServiceEnabled": True})

    assert messages(served, "/disabled", 1) == ["held"]
