"""
DMTF's client library for Python, as it comes from PyPI.
"""

from typing import Any

import pytest
from redfish import redfish_client

from tests.e2e.clients.conftest import Served
from tests.support.redfish_client import EVENT_SERVICE, SESSIONS, SUBSCRIPTIONS, members, open_client

pytestmark = pytest.mark.server

TEST_EVENT = {
    "MessageId": "ResourceEvent.1.4.TestMessage",
    "Message": "A test of ours",
    "MessageSeverity": "Warning",
    "OriginOfCondition": "/redfish/v1/Chassis/1",
    "EventTimestamp": "2026-11-25T02:28:00Z",
}


def logged_in(served: Served, auth: str) -> Any:
    client = redfish_client(
        base_url=served.api.url,
        username=served.api.user,
        password=served.api.password,
        cafile=str(served.api.ca_file),
        timeout=15,
        max_retry=1,
    )
    client.login(auth=auth)
    return client


@pytest.mark.parametrize("auth", ["session", "basic"])
def test_it_subscribes_lists_gets_a_test_event_and_unsubscribes(served: Served, auth: str) -> None:
    path = f"/library-{auth}"
    client = logged_in(served, auth)
    service = client.get(client.root.EventService["@odata.id"]).dict
    wish = {
        "Destination": served.receiver.url(path),
        "Protocol": "Redfish",
        "Context": f"library by {auth}",
        "RegistryPrefixes": ["ResourceEvent"],
        "HttpHeaders": [{"X-Mine": auth}],
    }

    made = client.post(service["Subscriptions"]["@odata.id"], body=wish)
    uri = made.getheader("Location")
    listed = client.get(service["Subscriptions"]["@odata.id"]).dict
    sent = client.post(service["Actions"]["#EventService.SubmitTestEvent"]["target"], body=TEST_EVENT)
    ((headers, event),) = served.arrived(path)
    deleted = client.delete(uri)
    gone = client.get(uri)
    client.logout()

    assert (made.status, sent.status, deleted.status, gone.status) == (201, 204, 204, 404)
    assert made.dict["@odata.id"] == uri
    assert made.dict["Context"] == wish["Context"]
    assert {"@odata.id": uri} in listed["Members"]
    assert headers["x-mine"] == auth
    assert event["Context"] == wish["Context"]
    (record,) = event["Events"]
    assert record["MessageId"] == TEST_EVENT["MessageId"]
    assert record["Message"] == TEST_EVENT["Message"]
    assert record["OriginOfCondition"] == {"@odata.id": TEST_EVENT["OriginOfCondition"]}
    assert (record["MemberId"], record["EventType"]) == ("0", "Other")


def test_it_changes_a_subscription_under_its_etag(served: Served) -> None:
    client = logged_in(served, "session")
    made = client.post(SUBSCRIPTIONS, body={"Destination": served.receiver.url("/etag"), "Protocol": "Redfish"})
    uri = made.getheader("Location")
    etag = client.get(uri).getheader("ETag")

    changed = client.patch(uri, body={"Context": "another"}, headers={"If-Match": etag})
    refused = client.patch(uri, body={"Context": "a third"}, headers={"If-Match": etag})
    now = client.get(uri).dict
    deleted = client.delete(uri)
    client.logout()

    assert (changed.status, refused.status, deleted.status) == (200, 412, 204)
    assert now["Context"] == "another"


def test_its_session_ends_with_its_log_out(served: Served) -> None:
    client = logged_in(served, "session")
    assert client.get(EVENT_SERVICE).status == 200
    api = served.api
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as admin:
        during = members(admin, SESSIONS)
        client.logout()

        assert len(members(admin, SESSIONS)) == len(during) - 1


def test_what_it_is_told_of_a_bad_wish_names_what_is_bad(served: Served) -> None:
    client = logged_in(served, "basic")

    refused = client.post(SUBSCRIPTIONS, body={"Destination": "nowhere", "Protocol": "FTP"})
    client.logout()

    assert refused.status == 400
    told = refused.dict["error"]["@Message.ExtendedInfo"]
    assert sorted(message["RelatedProperties"] for message in told) == [["#/Destination"], ["#/Protocol"]]
