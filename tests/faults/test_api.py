"""
kill -9 of the API: what it answered is true, who follows a stream misses nothing, and deliveries do not notice (S13).
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import MakeRelay
from tests.support.api_process import ApiProcess
from tests.support.events import events
from tests.support.redfish_client import STREAM, SUBSCRIPTIONS, members, open_client
from tests.support.relay import Relay
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

KILLS = 5
CLIENTS = 4
LIMIT_S = 60.0
WISH = {"Destination": "https://192.0.2.1/events", "Protocol": "Redfish", "MessageIds": ["Nobody.SendsThis"]}


@contextmanager
def api_beside(relay: Relay, folder: Path) -> Iterator[ApiProcess]:
    settings = {name.removeprefix("ODIM_RELAY_"): value for name, value in relay.env.items()}
    with ApiProcess(folder / "api", redis=relay.redis, settings=settings) as api:
        yield api


@contextmanager
def in_threads(*works: threading.Thread) -> Iterator[None]:
    for work in works:
        work.start()
    yield
    for work in works:
        work.join(LIMIT_S)
        assert not work.is_alive(), f"{work.name} did not end"


class Subscribing:
    """
    A client that creates subscriptions and deletes every other one, whatever becomes of the service.
    """

    def __init__(self, api: ApiProcess, stop: threading.Event) -> None:
        self._api = api
        self._stop = stop
        self.kept: set[str] = set()
        self.deleted: set[str] = set()
        self.failed_count = 0
        self.thread = threading.Thread(target=self._run, name="subscribing", daemon=True)

    def _run(self) -> None:
        with open_client(self._api.url, self._api.ca_file, credentials=(self._api.user, self._api.password)) as client:
            while not self._stop.is_set():
                try:
                    self._one(client)
                except httpx.HTTPError:
                    self.failed_count += 1
                    self._stop.wait(0.05)

    def _one(self, client: httpx.Client) -> None:
        answer = client.post(SUBSCRIPTIONS, json=WISH)
        assert answer.status_code == 201, answer.text
        uri = answer.headers["Location"]
        self.kept.add(uri)
        if len(self.kept) % 2:
            self.kept.remove(uri)  # until it is answered nobody knows
            assert client.delete(uri).status_code == 204
            self.deleted.add(uri)


class Following:
    """
    A client that follows the stream, and comes back where it was when the service is gone.
    """

    def __init__(self, api: ApiProcess, stop: threading.Event) -> None:
        self._api = api
        self._stop = stop
        self._last_id = ""
        self.opened_count = 0
        self.seen: Counter[str] = Counter()
        self.thread = threading.Thread(target=self._run, name="following", daemon=True)

    def _run(self) -> None:
        with open_client(self._api.url, self._api.ca_file, credentials=(self._api.user, self._api.password)) as client:
            while not self._stop.is_set():
                try:
                    self._follow(client)
                except httpx.HTTPError:
                    self._stop.wait(0.05)

    def _follow(self, client: httpx.Client) -> None:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        with client.stream("GET", STREAM, headers=headers) as answer:
            assert answer.status_code == 200
            self.opened_count += 1
            read_id = ""
            for line in answer.iter_lines():
                if line.startswith("id:"):
                    read_id = line.removeprefix("id:").strip()
                elif line.startswith("data:"):
                    event = json.loads(line.removeprefix("data:"))
                    self.seen[event["Id"]] += 1
                elif not line and read_id:
                    self._last_id = read_id  # the end of a message: what came of it before would come again
                if self._stop.is_set():
                    return


def test_what_a_killed_api_answered_is_true_and_its_streams_go_on_without_a_gap(
    make_relay: MakeRelay, tmp_path: Path
) -> None:
    with make_relay() as relay, api_beside(relay, tmp_path) as api:
        relay.subscribe()
        stop = threading.Event()
        clients = [Subscribing(api, stop) for _ in range(CLIENTS)]
        follower = Following(api, stop)
        with in_threads(follower.thread, *(client.thread for client in clients)):
            wait_until(lambda: follower.opened_count == 1, timeout_s=LIMIT_S, what="the stream")
            published = 0
            for kill in range(1, KILLS + 1):
                done = sum(len(client.deleted) for client in clients)
                relay.publish(events(200, first=published))
                published += 200
                wait_until(
                    lambda done=done: sum(len(client.deleted) for client in clients) > done + CLIENTS,  # type: ignore[misc]
                    timeout_s=LIMIT_S,
                    what="subscriptions to come and go",
                )
                api.kill()
                relay.publish(events(50, first=published))
                published += 50
                api.start()
                wait_until(
                    lambda kill=kill: follower.opened_count > kill,  # type: ignore[misc]
                    timeout_s=LIMIT_S,
                    what="the stream to be open again",
                )
            account = relay.wait_for_all()
            wait_until(lambda: len(follower.seen) >= published, timeout_s=LIMIT_S, what="the stream to have all")
            stop.set()
            relay.publish(events(1, first=published))  # something for the stream to end on

        with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
            stand = set(members(client))
        kept = set().union(*(client.kept for client in clients))
        deleted = set().union(*(client.deleted for client in clients))
        assert (account.lost, account.delivered, account.doubled) == (0, published, 0)
        assert kept <= stand
        assert not deleted & stand
        # Only what nobody was answered about may be there besides: of each client at most one for each kill.
        assert len(stand - kept) <= sum(client.failed_count for client in clients)
        assert {number: count for number, count in follower.seen.items() if count > 1} == {}
        assert follower.seen.keys() >= {str(number) for number in range(published)}
