"""
A thousand subscriptions, a hundred clients at once.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from tests.support.api_process import ApiProcess
from tests.support.redfish_client import SESSIONS, SUBSCRIPTIONS, created, log_in, members, open_client
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

SUBSCRIPTION_COUNT = 1_000
CLIENT_COUNT = 100
PAGE_SIZE = 250


@pytest.fixture(scope="module")
def api(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    redis_server.empty()
    with ApiProcess(tmp_path_factory.mktemp("api"), redis=redis_server) as api:
        yield api


@contextmanager
def clients(api: ApiProcess) -> Iterator[list[httpx.Client]]:
    """
    A hundred, each with a connection of its own: half of them with a session, half with Basic.
    """
    with ExitStack() as stack:
        admin = stack.enter_context(open_client(api.url, api.ca_file))
        opened = []
        for number in range(CLIENT_COUNT):
            if number % 2:
                client = open_client(api.url, api.ca_file, credentials=(api.user, api.password))
            else:
                client = open_client(api.url, api.ca_file, token=log_in(admin, api.user, api.password))
            opened.append(stack.enter_context(client))
        yield opened


@contextmanager
def timed(what: str) -> Iterator[None]:
    started_at = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - started_at:.1f} s")


def all_at_once(work: Callable[[int, httpx.Client], None], of: list[httpx.Client]) -> None:
    """
    Let each client work in a thread of its own, all from the same moment; raises the first error of any.
    """
    begin = threading.Barrier(len(of))

    def run(number: int, client: httpx.Client) -> None:
        begin.wait(60)
        work(number, client)

    with ThreadPoolExecutor(len(of)) as pool:
        for done in [pool.submit(run, number, client) for number, client in enumerate(of)]:
            done.result()


def test_a_thousand_subscriptions_by_a_hundred_clients_at_once(api: ApiProcess) -> None:
    statuses: Counter[int] = Counter()
    made: list[str] = []
    share = SUBSCRIPTION_COUNT // CLIENT_COUNT

    def create(number: int, client: httpx.Client) -> None:
        for index in range(share):
            wish = {"Destination": f"https://192.0.2.1/{number}/{index}", "Protocol": "Redfish", "Context": str(number)}
            answer = client.post(SUBSCRIPTIONS, json=wish)
            statuses[answer.status_code] += 1
            made.append(answer.headers.get("Location", answer.text))

    def look(_: int, client: httpx.Client) -> None:
        statuses[client.get(SUBSCRIPTIONS).status_code] += 1

    def delete(number: int, client: httpx.Client) -> None:
        for uri in made[number * share : (number + 1) * share]:
            statuses[client.delete(uri).status_code] += 1

    with ExitStack() as stack:
        with timed(f"{CLIENT_COUNT} clients log in"):
            hundred = stack.enter_context(clients(api))
        with timed(f"{SUBSCRIPTION_COUNT} created"):
            all_at_once(create, hundred)
        assert statuses == {201: SUBSCRIPTION_COUNT}
        assert len(set(made)) == SUBSCRIPTION_COUNT

        with timed("all listed in pages"):
            listed = members(hundred[0])
        assert sorted(listed) == sorted(made)

        with timed(f"the first page to {CLIENT_COUNT} clients"):
            all_at_once(look, hundred)
        with timed("each read"):
            for uri in made:
                statuses[hundred[0].get(uri).status_code] += 1
        assert statuses == {201: SUBSCRIPTION_COUNT, 200: CLIENT_COUNT + SUBSCRIPTION_COUNT}

        with timed("all deleted"):
            all_at_once(delete, hundred)
        assert statuses[204] == SUBSCRIPTION_COUNT
        assert members(hundred[0]) == []
    assert not api.lines("api.failed")


def test_pages_hold_every_member_once_and_know_how_many_there_are(api: ApiProcess) -> None:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
        count = PAGE_SIZE + 1
        wish = {"Destination": "https://192.0.2.1/", "Protocol": "Redfish"}
        made = {created(client, SUBSCRIPTIONS, wish) for _ in range(count)}

        first = client.get(SUBSCRIPTIONS).json()
        last = client.get(first["Members@odata.nextLink"]).json()
        few = client.get(f"{SUBSCRIPTIONS}?$skip=3&$top=2").json()

        assert (len(first["Members"]), len(last["Members"]), len(few["Members"])) == (PAGE_SIZE, 1, 2)
        assert {one["Members@odata.count"] for one in (first, last, few)} == {count}
        assert "Members@odata.nextLink" not in last
        assert {one["@odata.id"] for one in first["Members"] + last["Members"]} == made
        assert few["Members"] == first["Members"][3:5]
        for uri in made:
            assert client.delete(uri).status_code == 204


def test_a_hundred_sessions_can_be_opened_and_ended_at_once(api: ApiProcess) -> None:
    ended: Counter[int] = Counter()

    def come_and_go(_: int, client: httpx.Client) -> None:
        answer = client.post(SESSIONS, json={"UserName": api.user, "Password": api.password})
        assert answer.status_code == 201, answer.text
        token = {"X-Auth-Token": answer.headers["X-Auth-Token"]}
        assert client.get(SUBSCRIPTIONS, headers=token).status_code == 200
        ended[client.delete(answer.headers["Location"], headers=token).status_code] += 1
        assert client.get(SUBSCRIPTIONS, headers=token).status_code == 401

    with ExitStack() as stack, timed(f"{CLIENT_COUNT} sessions come and go"):
        all_at_once(come_and_go, [stack.enter_context(open_client(api.url, api.ca_file)) for _ in range(CLIENT_COUNT)])

    assert ended == {204: CLIENT_COUNT}
