"""
The stream of events, over HTTPS and a real Redis.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.api.event_client import WISH, stream, submit
from tests.support.api_process import ApiProcess
from tests.support.redfish_client import EVENT_SERVICE, STREAM, SUBSCRIPTIONS, created, keys_told, members, open_client
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

MOST = 3
ENDS_S = 2.0


@pytest.fixture(scope="module")
def api(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    redis_server.empty()
    settings = {"API__MAX_STREAMS": MOST, "EGRESS__ALLOW": '["192.0.2.0/24"]'}
    with ApiProcess(tmp_path_factory.mktemp("api"), redis=redis_server, settings=settings) as api:
        yield api
        assert api.lines("api.failed") == []


@pytest.fixture
def admin(api: ApiProcess) -> Iterator[httpx.Client]:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
        yield client


@pytest.fixture(autouse=True)
def _leaves_nothing(admin: httpx.Client) -> Iterator[None]:
    yield
    admin.patch(EVENT_SERVICE, json={"ServiceEnabled": True})
    wait_until(lambda: not members(admin), timeout_s=ENDS_S, what="the streams' subscriptions to go")


def test_a_stream_is_a_subscription_for_as_long_as_it_is_open(admin: httpx.Client) -> None:
    with stream(admin) as reader:
        assert reader.answer.headers["Content-Type"] == "text/event-stream"
        (uri,) = members(admin)
        shown = admin.get(uri).json()
        assert shown["SubscriptionType"] == "SSE"
        assert shown["Destination"].startswith("redfish-sse://127.0.0.1:")
        suspended = admin.post(f"{uri}/Actions/EventDestination.SuspendSubscription")
        assert (suspended.status_code, keys_told(suspended)) == (400, ["ActionNotSupported"])
        submit(admin, Message="hello")
        found = reader.next_event()
        assert found is not None
        assert found.event is not None
        assert (found.event["Context"], found.event["Events"][0]["Message"]) == (shown["Context"], "hello")
    wait_until(lambda: not members(admin), timeout_s=ENDS_S, what="the subscription to go with its stream")


def test_only_what_the_filter_wants_comes(admin: httpx.Client) -> None:
    with stream(admin, "RegistryPrefix eq 'A' and not (MessageId eq 'A.Not')") as reader:
        submit(admin, "B.1.0.Other")
        submit(admin, "A.1.0.Not")
        submit(admin, "A.1.0.Wanted")
        found = reader.next_event()
        assert found is not None
        assert found.event is not None
        assert found.event["Events"][0]["MessageId"] == "A.1.0.Wanted"


def test_a_client_that_comes_back_gets_what_it_missed_also_from_a_service_that_was_killed(
    api: ApiProcess, admin: httpx.Client
) -> None:
    with stream(admin) as reader:
        submit(admin, Message="seen")
        seen = reader.next_event()
    assert seen is not None
    submit(admin, Message="missed 1")
    api.kill()
    api.start()
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as again:
        submit(again, Message="missed 2")
        with stream(again, after=seen.entry_id) as reader:
            submit(again, Message="new")
            found = [reader.next_event() for _ in range(3)]
    messages = [one.event["Events"][0]["Message"] for one in found if one is not None and one.event is not None]
    assert messages == ["missed 1", "missed 2", "new"]


def test_a_client_that_left_before_its_first_event_misses_none(admin: httpx.Client) -> None:
    with stream(admin) as reader:
        opened_at = reader.opened_at
    submit(admin, Message="missed")
    with stream(admin, after=opened_at) as reader:
        found = reader.next_event()
    assert found is not None
    assert found.event is not None
    assert found.event["Events"][0]["Message"] == "missed"


def test_what_is_not_kept_any_more_is_told_first(admin: httpx.Client) -> None:
    with stream(admin, after="1-1") as reader:
        submit(admin, Message="new")
        lost, new = reader.next_event(), reader.next_event()
    assert lost is not None
    assert lost.event is not None
    assert lost.event["Events"][0]["MessageId"].endswith(".EventBufferExceeded")
    assert new is not None
    assert new.event is not None


def test_a_deleted_subscription_ends_its_stream(admin: httpx.Client) -> None:
    with stream(admin) as reader:
        (uri,) = members(admin)
        deleted_at = time.monotonic()
        assert admin.delete(uri).status_code == 204
        assert reader.next_event() is None
        assert time.monotonic() - deleted_at < ENDS_S


def test_a_disabled_service_ends_streams_and_opens_none(admin: httpx.Client) -> None:
    with stream(admin) as reader:
        disabled_at = time.monotonic()
        admin.patch(EVENT_SERVICE, json={"ServiceEnabled": False})
        assert reader.next_event() is None
        assert time.monotonic() - disabled_at < ENDS_S
    refused = admin.get(STREAM)
    assert (refused.status_code, keys_told(refused)) == (503, ["ServiceDisabled"])


def test_there_are_no_more_streams_than_there_may_be(admin: httpx.Client) -> None:
    with stream(admin), stream(admin):
        with stream(admin):
            refused = admin.get(STREAM)
            assert (refused.status_code, keys_told(refused)) == (503, ["EventSubscriptionLimitExceeded"])
            assert int(refused.headers["Retry-After"]) > 0
        wait_until(lambda: len(members(admin)) == MOST - 1, timeout_s=ENDS_S, what="a place to be free")
        with stream(admin):
            pass


@pytest.mark.parametrize(
    ("headers", "status", "header"),
    [
        ({"Last-Event-ID": "seven"}, 400, "Last-Event-ID"),
        ({"Accept": "application/json"}, 406, "Accept"),
    ],
)
def test_a_header_that_cannot_be_is_refused(
    admin: httpx.Client, headers: dict[str, str], status: int, header: str
) -> None:
    refused = admin.get(STREAM, headers=headers)
    assert (refused.status_code, keys_told(refused)) == (status, ["HeaderInvalid"])
    assert refused.json()["error"]["@Message.ExtendedInfo"][0]["MessageArgs"] == [header]


@pytest.mark.parametrize("accept", ["text/event-stream", "text/*;q=0.5, application/json", "*/*"])
def test_who_takes_a_stream_gets_it(admin: httpx.Client, accept: str) -> None:
    with admin.stream("GET", STREAM, headers={"Accept": accept}) as answer:
        assert answer.status_code == 200


def test_a_wrong_filter_is_refused_with_its_place(admin: httpx.Client) -> None:
    refused = admin.get(STREAM, params={"$filter": "MessageId ne 'x'"})
    assert (refused.status_code, keys_told(refused)) == (400, ["QueryParameterValueFormatError"])
    (message,) = refused.json()["error"]["@Message.ExtendedInfo"]
    assert message["Resolution"] == "Correct the filter: at character 11: 'ne' stands where eq is expected."


def test_a_stream_outlives_a_redis_that_hangs(fresh_redis: RedisServer, tmp_path: Path) -> None:
    with (
        ApiProcess(tmp_path, redis=fresh_redis) as api,
        open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client,
        stream(client) as reader,
    ):
        fresh_redis.stop()
        wait_until(lambda: "stream.waits" in api.log(), timeout_s=30, what="the stream to notice")
        fresh_redis.cont()
        wait_until(lambda: client.get(EVENT_SERVICE).status_code == 200, timeout_s=15, what="the service to be back")
        submit(client, Message="after")
        found = reader.next_event()
        assert found is not None
        assert found.event is not None
        assert found.event["Events"][0]["Message"] == "after"


def test_deliveries_are_made_for_subscriptions_alone(admin: httpx.Client) -> None:
    uri = created(admin, SUBSCRIPTIONS, dict(WISH))
    admin.post(f"{uri}/Actions/EventDestination.SuspendSubscription")
    with stream(admin) as reader:
        submit(admin)
        assert reader.next_event() is not None
        assert admin.get(uri).json()["Oem"]["OdimRelay"]["Delivery"]["WaitingCount"] == 1
        (of_the_stream,) = set(members(admin)) - {uri}
        assert "Oem" not in admin.get(of_the_stream).json()
    assert admin.delete(uri).status_code == 204
