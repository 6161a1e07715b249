"""
Wrong input gets the status and the message that Redfish has for it, repeats no secret, and changes nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.integration.api import bad_accounts, bad_changes, bad_requests, bad_subscriptions
from tests.integration.api.bad_input import GOOD, SECRETS, Bad, Said
from tests.support.api_process import ApiProcess
from tests.support.redfish_client import (
    ACCOUNTS,
    EVENT_SERVICE,
    SESSION_SERVICE,
    SUBSCRIPTIONS,
    created,
    members,
    open_client,
    told,
)
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

READER = ("reader", "pass word of the reader")


@dataclass(slots=True)
class World:
    """
    A service with one subscription and two accounts.

    Attributes:
        clients: `admin`, `reader`, and `nobody` who sends no credentials.
        uris: of what is there, by the name that tables use.
        heard: everything that was answered.
    """

    api: ApiProcess
    clients: Mapping[str, httpx.Client]
    uris: Mapping[str, str]
    heard: list[str] = field(default_factory=list)

    def ask(self, bad: Bad) -> httpx.Response:
        content = bad.content
        headers = {"Content-Type": "application/json"} if content is not None else {}
        client = self.clients[bad.who]
        path, _, query = bad.path.format(**self.uris).partition("?")
        url = httpx.URL(client.base_url, path=path, **({"query": query.encode()} if query else {}))
        sent = [(name.encode(), value.encode("latin-1")) for name, value in {**headers, **bad.headers}.items()]
        answer = client.request(bad.method, url, content=content, headers=sent)
        self.heard.append(f"{answer.text} {answer.headers}")
        return answer

    def everything(self) -> dict[str, Any]:
        """
        All that a client can change.
        """
        client = self.clients["admin"]
        found = {uri: client.get(uri).json() for uri in (EVENT_SERVICE, SESSION_SERVICE)}
        for collection in (SUBSCRIPTIONS, ACCOUNTS):
            for uri in members(client, collection):
                found[uri] = client.get(uri).json()
        return found


@pytest.fixture(scope="module")
def world(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    redis_server.empty()
    folder = tmp_path_factory.mktemp("api")
    with ExitStack() as stack:
        api = stack.enter_context(ApiProcess(folder, redis=redis_server))
        clients = {
            "admin": stack.enter_context(open_client(api.url, api.ca_file, credentials=(api.user, api.password))),
            "reader": stack.enter_context(open_client(api.url, api.ca_file, credentials=READER)),
            "nobody": stack.enter_context(open_client(api.url, api.ca_file)),
        }
        admin = clients["admin"]
        (account,) = members(admin, ACCOUNTS)
        reader = created(admin, ACCOUNTS, {"UserName": READER[0], "Password": READER[1], "RoleId": "ReadOnly"})
        uris = {"account": account, "reader": reader, "subscription": created(admin, SUBSCRIPTIONS, dict(GOOD))}
        yield World(api, clients, uris)


def check(world: World, bad: Bad) -> None:
    before = world.everything()

    answer = world.ask(bad)

    assert answer.status_code == bad.status, answer.text
    assert answer.headers["OData-Version"] == "4.0"
    assert answer.headers["Content-Type"].startswith("application/json")
    said = told(answer)
    assert sorted(key_of(message) for message in said) == sorted(one.key for one in bad.says), answer.text
    for expected in bad.says:
        assert any(is_said(expected, message) for message in said), (expected, said)
    body = answer.json()["error"]
    assert body["code"] == (said[0]["MessageId"] if len(said) == 1 else "Base.1.22.GeneralError")
    assert not any(secret in answer.text for secret in SECRETS)
    assert world.everything() == before


def key_of(message: Mapping[str, Any]) -> str:
    return str(message["MessageId"]).rpartition(".")[2]


def is_said(expected: Said, message: Mapping[str, Any]) -> bool:
    return (
        key_of(message) == expected.key
        and (expected.arguments is None or message["MessageArgs"] == list(expected.arguments))
        and (not expected.related or message.get("RelatedProperties") == [expected.related])
    )


@pytest.mark.parametrize("bad", bad_subscriptions.TABLE, ids=str)
def test_a_subscription_that_cannot_be_is_refused(world: World, bad: Bad) -> None:
    check(world, bad)


@pytest.mark.parametrize("bad", bad_changes.TABLE, ids=str)
def test_a_change_or_an_action_that_cannot_be_is_refused(world: World, bad: Bad) -> None:
    check(world, bad)


@pytest.mark.parametrize("bad", bad_accounts.TABLE, ids=str)
def test_a_log_in_or_an_account_that_cannot_be_is_refused(world: World, bad: Bad) -> None:
    check(world, bad)


@pytest.mark.parametrize("bad", bad_requests.TABLE, ids=str)
def test_a_request_that_cannot_be_is_refused(world: World, bad: Bad) -> None:
    check(world, bad)


def test_no_secret_is_in_any_answer_nor_in_the_log(world: World) -> None:
    """
    Stands behind the others: by itself it proves nothing.
    """
    admin = world.clients["admin"]
    world.heard.append(str(admin.get(world.uris["subscription"]).json()))
    secrets = (*SECRETS, READER[1], world.api.password)

    assert not [secret for secret in secrets for heard in world.heard if secret in heard]
    assert not [secret for secret in secrets if secret in world.api.log()]


def test_nothing_of_all_this_was_a_fault_of_ours(world: World) -> None:
    for sign in ('"level": "error"', '"level": "critical"', "Traceback"):
        assert sign not in world.api.log()
