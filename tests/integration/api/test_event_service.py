"""
The EventService and its subscriptions, over HTTPS and a real Redis.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.integration.api.event_client import WISH, submit
from tests.support.api_process import ApiProcess
from tests.support.redfish_client import (
    ACCOUNTS,
    EVENT_SERVICE,
    SUBMIT_TEST_EVENT,
    SUBSCRIPTIONS,
    TEST_EVENT_SUBSCRIPTION,
    created,
    keys_told,
    members,
    open_client,
)
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

MOST = 12
OPERATORS = ("ann", "bob")
PASSWORD = "pass word of an operator"


@pytest.fixture(scope="module")
def api(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    redis_server.empty()
    folder = tmp_path_factory.mktemp("api")
    with ApiProcess(folder, redis=redis_server, settings={"API__MAX_SUBSCRIPTIONS": MOST}) as api:
        yield api
        assert api.lines("api.failed") == []


@pytest.fixture(scope="module")
def admin(api: ApiProcess) -> Iterator[httpx.Client]:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
        yield client


@pytest.fixture(scope="module")
def operators(api: ApiProcess, admin: httpx.Client) -> Iterator[list[httpx.Client]]:
    with ExitStack() as stack:
        clients = []
        for name in OPERATORS:
            created(admin, ACCOUNTS, {"UserName": name, "Password": PASSWORD, "RoleId": "Operator"})
            clients.append(stack.enter_context(open_client(api.url, api.ca_file, credentials=(name, PASSWORD))))
        yield clients


@pytest.fixture(autouse=True)
def _leaves_nothing(admin: httpx.Client) -> Iterator[None]:
    yield
    admin.patch(EVENT_SERVICE, json={"ServiceEnabled": True})
    for uri in members(admin):
        assert admin.delete(uri).status_code == 204


def suspend(client: httpx.Client, uri: str) -> int:
    return client.post(f"{uri}/Actions/EventDestination.SuspendSubscription").status_code


def resume(client: httpx.Client, uri: str, **parameters: Any) -> int:
    return client.post(f"{uri}/Actions/EventDestination.ResumeSubscription", json=parameters).status_code


@pytest.mark.parametrize("path", [SUBSCRIPTIONS, f"{SUBSCRIPTIONS}/", f"{SUBSCRIPTIONS}/Members"])
def test_a_subscription_is_made_and_answered_as_it_is_read(admin: httpx.Client, path: str) -> None:
    made = admin.post(path, json={**WISH, "Context": "mine"})
    assert made.status_code == 201
    read = admin.get(made.headers["Location"])
    assert made.json() == read.json()
    assert made.headers["ETag"] == read.headers["ETag"] == read.json()["@odata.etag"]
    assert made.headers["Location"] == read.json()["@odata.id"] == f"{SUBSCRIPTIONS}/{read.json()['Id']}"
    assert set(read.headers["Allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE"}
    assert "EventDestination.v1_16_0.json" in read.headers["Link"]
    assert members(admin) == [made.headers["Location"]]


def test_a_page_links_to_the_next(admin: httpx.Client) -> None:
    made = sorted(created(admin, SUBSCRIPTIONS, dict(WISH)) for _ in range(5))
    first = admin.get(f"{SUBSCRIPTIONS}?$top=2").json()
    assert (first["Members@odata.count"], len(first["Members"])) == (5, 2)
    assert members(admin, f"{SUBSCRIPTIONS}?$top=2") == made
    assert [one["@odata.id"] for one in admin.get(f"{SUBSCRIPTIONS}?$skip=4").json()["Members"]] == made[4:]


def test_a_change_is_made_by_who_knows_the_state(admin: httpx.Client) -> None:
    uri = created(admin, SUBSCRIPTIONS, dict(WISH))
    old = admin.get(uri).headers["ETag"]
    changed = admin.patch(uri, json={"HttpHeaders": [{"Authorization": "Basic eDp5"}]}, headers={"If-Match": old})
    assert (changed.status_code, changed.json()["HttpHeaders"]) == (200, [])
    new = changed.headers["ETag"]
    assert new != old
    stale = admin.patch(uri, json={"Context": "never"}, headers={"If-Match": old})
    assert (stale.status_code, keys_told(stale)) == (412, ["PreconditionFailed"])
    assert admin.get(uri).json()["Context"] is None
    assert admin.get(uri, headers={"If-None-Match": new}).status_code == 304
    assert admin.delete(uri, headers={"If-Match": old}).status_code == 412
    assert admin.delete(uri, headers={"If-Match": new}).status_code == 204
    assert admin.get(uri).status_code == admin.delete(uri).status_code == 404


def test_what_cannot_be_written_is_told_beside_what_was(admin: httpx.Client) -> None:
    uri = created(admin, SUBSCRIPTIONS, dict(WISH))
    answer = admin.patch(uri, json={"Context": "new", "Destination": "https://192.0.2.2/"})
    assert answer.status_code == 200
    assert (answer.json()["Context"], answer.json()["Destination"]) == ("new", WISH["Destination"])
    (message,) = answer.json()["@Message.ExtendedInfo"]
    assert message["MessageId"].endswith(".PropertyNotWritable")
    assert message["RelatedProperties"] == ["#/Destination"]


def test_a_subscription_is_changed_by_its_owner_and_who_manages_the_service(
    admin: httpx.Client, operators: list[httpx.Client]
) -> None:
    ann, bob = operators
    uri = created(ann, SUBSCRIPTIONS, dict(WISH))
    assert bob.get(uri).status_code == 200
    for refused in (bob.patch(uri, json={"Context": "bob's"}), bob.delete(uri)):
        assert (refused.status_code, keys_told(refused)) == (403, ["InsufficientPrivilege"])
    assert suspend(bob, uri) == resume(bob, uri) == 403
    assert ann.patch(uri, json={"Context": "ann's"}).status_code == 200
    assert suspend(ann, uri) == resume(ann, uri) == 204
    assert admin.patch(uri, json={"Context": "admin's"}).status_code == 200
    assert ann.delete(uri).status_code == 204


def test_there_are_no_more_subscriptions_than_there_may_be(admin: httpx.Client) -> None:
    for _ in range(MOST):
        created(admin, SUBSCRIPTIONS, dict(WISH))
    answer = admin.post(SUBSCRIPTIONS, json=dict(WISH))
    assert (answer.status_code, keys_told(answer)) == (400, ["EventSubscriptionLimitExceeded"])
    assert len(members(admin)) == MOST


def test_a_disabled_service_takes_no_subscription_and_sends_nothing(admin: httpx.Client) -> None:
    disabled = admin.patch(EVENT_SERVICE, json={"ServiceEnabled": False})
    assert (disabled.status_code, disabled.json()["Status"]["State"]) == (200, "Disabled")
    for path, body in (
        (SUBSCRIPTIONS, dict(WISH)),
        (SUBMIT_TEST_EVENT, {"MessageId": "A.1.0.B"}),
        (TEST_EVENT_SUBSCRIPTION, {}),
    ):
        refused = admin.post(path, json=body)
        assert (refused.status_code, keys_told(refused)) == (503, ["ServiceDisabled"]), path
    assert admin.patch(EVENT_SERVICE, json={"ServiceEnabled": True}).json()["Status"]["State"] == "Enabled"
    created(admin, SUBSCRIPTIONS, dict(WISH))


def test_the_services_retries_are_as_the_settings_say_until_somebody_says_otherwise(admin: httpx.Client) -> None:
    usual = admin.get(EVENT_SERVICE)
    assert (usual.json()["DeliveryRetryAttempts"], usual.json()["DeliveryRetryIntervalSeconds"]) == (5, 15)
    wish = {"DeliveryRetryAttempts": 0, "DeliveryRetryIntervalSeconds": 60}
    assert admin.patch(EVENT_SERVICE, json=wish, headers={"If-Match": '"stale"'}).status_code == 412
    changed = admin.patch(EVENT_SERVICE, json=wish, headers={"If-Match": usual.headers["ETag"]})
    assert changed.json().items() >= wish.items()
    assert admin.get(EVENT_SERVICE).json() == changed.json()
    admin.patch(EVENT_SERVICE, json={"DeliveryRetryAttempts": 5, "DeliveryRetryIntervalSeconds": 15})


def test_a_suspended_subscription_collects_and_says_so(admin: httpx.Client) -> None:
    uri = created(admin, SUBSCRIPTIONS, dict(WISH))
    assert suspend(admin, uri) == 204
    submit(admin)
    suspended = admin.get(uri).json()
    assert suspended["Status"] == {"State": "Disabled", "Health": "OK"}
    delivery = suspended["Oem"]["OdimRelay"]["Delivery"]
    assert (delivery["WaitingCount"], delivery["SuspendedBy"]) == (1, "by_hand")
    assert resume(admin, uri, DeliverBufferedEventDuration="PT0S") == 204
    resumed = admin.get(uri).json()
    assert resumed["Status"] == {"State": "Enabled", "Health": "OK"}
    assert "Oem" not in resumed


def test_suspending_and_resuming_need_no_body(admin: httpx.Client) -> None:
    uri = created(admin, SUBSCRIPTIONS, dict(WISH))
    for action in ("SuspendSubscription", "ResumeSubscription"):
        assert admin.post(f"{uri}/Actions/EventDestination.{action}").status_code == 204
        nobody = admin.post(f"{SUBSCRIPTIONS}/nobody/Actions/EventDestination.{action}")
        assert (nobody.status_code, keys_told(nobody)) == (404, ["ResourceNotFound"])


def test_what_was_answered_survives_a_kill(api: ApiProcess, admin: httpx.Client) -> None:
    uri = created(admin, SUBSCRIPTIONS, {**WISH, "Context": "kept"})
    before = admin.get(uri).json()
    api.kill()
    api.start()
    assert admin.get(uri).json() == before
