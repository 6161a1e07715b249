"""
Requests with nothing wrong about them, at a time when they cannot be served.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.api_process import ApiProcess
from tests.support.redfish_client import (
    EVENT_SERVICE,
    STREAM,
    SUBMIT_TEST_EVENT,
    SUBSCRIPTIONS,
    created,
    keys_told,
    members,
    open_client,
    told,
)
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

WISH = {"Destination": "https://192.0.2.1/hook", "Protocol": "Redfish"}
LIMIT = 2


@pytest.fixture
def api(fresh_redis: RedisServer, tmp_path: Path) -> Iterator[ApiProcess]:
    settings = {"API__MAX_SUBSCRIPTIONS": LIMIT, "API__MAX_STREAMS": 1}
    with ApiProcess(tmp_path, redis=fresh_redis, settings=settings) as api:
        yield api


@pytest.fixture
def admin(api: ApiProcess) -> Iterator[httpx.Client]:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
        yield client


def test_a_subscription_too_many_is_refused_until_one_is_gone(admin: httpx.Client) -> None:
    first, *_ = [created(admin, SUBSCRIPTIONS, WISH) for _ in range(LIMIT)]

    refused = admin.post(SUBSCRIPTIONS, json=WISH)
    still = members(admin)
    admin.delete(first)

    assert refused.status_code in {400, 503}
    assert keys_told(refused) == ["EventSubscriptionLimitExceeded"]
    assert len(still) == LIMIT
    assert created(admin, SUBSCRIPTIONS, WISH)


def test_a_stream_too_many_is_refused_until_one_is_closed(admin: httpx.Client) -> None:
    with admin.stream("GET", STREAM) as opened:
        assert opened.status_code == 200
        refused = admin.get(STREAM)
        during = members(admin)

    assert refused.status_code in {400, 503}
    assert keys_told(refused) == ["EventSubscriptionLimitExceeded"]
    assert len(during) == 1
    wait_until(lambda: members(admin) == [], timeout_s=10, what="the closed stream's subscription to be gone")
    with admin.stream("GET", STREAM) as again:
        assert again.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("POST", SUBSCRIPTIONS, WISH),
        ("GET", STREAM, None),
        ("POST", SUBMIT_TEST_EVENT, {"MessageId": "ResourceEvent.1.4.TestMessage"}),
    ],
)
def test_a_service_that_is_disabled_says_so_and_can_be_enabled(
    admin: httpx.Client, method: str, path: str, document: dict[str, str] | None
) -> None:
    assert admin.patch(EVENT_SERVICE, json={"ServiceEnabled": False}).status_code == 200

    refused = admin.request(method, path, json=document)
    service = admin.get(EVENT_SERVICE).json()
    enabled = admin.patch(EVENT_SERVICE, json={"ServiceEnabled": True})

    assert refused.status_code == 503
    assert keys_told(refused) == ["ServiceDisabled"]
    assert told(refused)[0]["MessageArgs"] == [EVENT_SERVICE]
    assert service["Status"]["State"] == "Disabled"
    assert members(admin) == []
    assert enabled.status_code == 200
    with admin.stream(method, path, json=document) as answer:
        assert answer.status_code < 300


def test_without_its_store_the_service_says_when_to_ask_again(
    api: ApiProcess, admin: httpx.Client, fresh_redis: RedisServer
) -> None:
    uri = created(admin, SUBSCRIPTIONS, WISH)
    fresh_redis.wait_until_written()
    fresh_redis.kill()

    refused = [
        admin.get(SUBSCRIPTIONS),
        admin.get(uri),
        admin.post(SUBSCRIPTIONS, json=WISH),
        admin.patch(uri, json={"Context": "x"}),
        admin.delete(uri),
    ]
    fresh_redis.start()

    for answer in refused:
        assert answer.status_code == 503, answer.text
        assert keys_told(answer) == ["ServiceTemporarilyUnavailable"]
        (seconds,) = told(answer)[0]["MessageArgs"]
        assert answer.headers["Retry-After"] == seconds
    assert not api.lines("api.failed")
    wait_until(lambda: admin.get(uri).status_code == 200, timeout_s=10, what="the service to have its store again")
    assert members(admin) == [uri]


def test_a_fault_of_ours_is_said_without_its_details_and_logged_once(
    api: ApiProcess, admin: httpx.Client, fresh_redis: RedisServer
) -> None:
    uri = created(admin, SUBSCRIPTIONS, WISH)
    with fresh_redis.client() as client:
        key = next(key for key in client.scan_iter("*subscriptions*") if client.type(key) == b"hash")
        client.delete(key)
        client.set(key, "not what anybody expects")

    broken = admin.get(uri)

    assert broken.status_code == 500
    assert keys_told(broken) == ["InternalError"]
    assert "WRONGTYPE" not in broken.text
    (line,) = api.lines("api.failed")
    assert "WRONGTYPE" in str(line)
    assert admin.get(EVENT_SERVICE).status_code == 200
