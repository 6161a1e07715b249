"""
Accounts and sessions over HTTPS: what a right request does, and what it ends.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from tests.support.api_process import ApiProcess
from tests.support.redfish_client import (
    ACCOUNT_SERVICE,
    ACCOUNTS,
    ROLES,
    SESSION_SERVICE,
    SESSIONS,
    created,
    keys_told,
    log_in,
    members,
    open_client,
)
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

PASSWORD = "pass word of ann"


@pytest.fixture(scope="module")
def api(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    redis_server.empty()
    with ApiProcess(tmp_path_factory.mktemp("api"), redis=redis_server) as api:
        yield api
        assert api.lines("api.failed") == []
        assert PASSWORD not in api.log()
        assert api.password not in api.log()


class Visitor:
    """
    Opens clients that are closed at the end of the test.
    """

    def __init__(self, api: ApiProcess, stack: ExitStack) -> None:
        self._api = api
        self._stack = stack

    def basic(self, user: str, password: str) -> httpx.Client:
        return self._stack.enter_context(open_client(self._api.url, self._api.ca_file, credentials=(user, password)))

    def with_token(self, token: str) -> httpx.Client:
        return self._stack.enter_context(open_client(self._api.url, self._api.ca_file, token=token))

    def nobody(self) -> httpx.Client:
        return self._stack.enter_context(open_client(self._api.url, self._api.ca_file))

    def admin(self) -> httpx.Client:
        return self.basic(self._api.user, self._api.password)


@pytest.fixture
def visitor(api: ApiProcess) -> Iterator[Visitor]:
    with ExitStack() as stack:
        yield Visitor(api, stack)


@pytest.fixture
def root(visitor: Visitor) -> httpx.Client:
    return visitor.admin()


@contextmanager
def account(root: httpx.Client, user: str, role: str = "ReadOnly", **more: Any) -> Iterator[str]:
    uri = created(root, ACCOUNTS, {"UserName": user, "Password": PASSWORD, "RoleId": role, **more})
    yield uri
    assert root.delete(uri).status_code in {204, 404}


def test_an_account_is_created_shown_without_its_password_and_deleted(root: httpx.Client) -> None:
    document = {"UserName": "ann", "Password": PASSWORD, "RoleId": "Operator"}
    answer = root.post(ACCOUNTS, json=document)

    assert answer.status_code == 201
    uri, body = answer.headers["Location"], answer.json()
    assert (body["@odata.id"], body["UserName"], body["Password"], body["RoleId"]) == (uri, "ann", None, "Operator")
    assert body["Links"]["Role"]["@odata.id"] == f"{ROLES}/Operator"
    assert root.get(uri).json() == body
    assert uri in members(root, ACCOUNTS)

    assert root.delete(uri).status_code == 204

    assert root.get(uri).status_code == root.delete(uri).status_code == 404
    assert uri not in members(root, ACCOUNTS)


def test_an_account_may_be_created_at_the_collections_members_and_disabled(
    root: httpx.Client, visitor: Visitor
) -> None:
    document = {"UserName": "off", "Password": PASSWORD, "RoleId": "ReadOnly", "Enabled": False}
    uri = created(root, f"{ACCOUNTS}/Members", document)
    off = visitor.basic("off", PASSWORD)
    assert off.get(SESSION_SERVICE).status_code == 401

    assert root.patch(uri, json={"Enabled": True}).json()["Enabled"] is True

    assert off.get(SESSION_SERVICE).status_code == 200
    root.patch(uri, json={"Enabled": False})
    assert off.get(SESSION_SERVICE).status_code == 401
    root.delete(uri)


def test_a_new_password_counts_at_once_and_ends_the_sessions_of_the_old_one(
    root: httpx.Client, visitor: Visitor
) -> None:
    with account(root, "ann") as uri:
        old = visitor.basic("ann", PASSWORD)
        session = visitor.with_token(log_in(visitor.nobody(), "ann", PASSWORD))
        assert old.get(uri).status_code == session.get(uri).status_code == 200

        assert old.patch(uri, json={"Password": "another pass word"}).status_code == 200

        assert old.get(uri).status_code == session.get(uri).status_code == 401
        assert visitor.basic("ann", "another pass word").get(uri).status_code == 200


def test_a_role_counts_from_the_next_request_on(root: httpx.Client, visitor: Visitor) -> None:
    with account(root, "ann") as uri:
        session = visitor.with_token(log_in(visitor.nobody(), "ann", PASSWORD))
        assert session.patch(SESSION_SERVICE, json={"SessionTimeout": 1_800}).status_code == 403

        root.patch(uri, json={"RoleId": "Administrator"})

        assert session.patch(SESSION_SERVICE, json={"SessionTimeout": 1_800}).status_code == 200


def test_the_tag_of_an_account_changes_with_whatever_changes_of_it(root: httpx.Client) -> None:
    with account(root, "ann") as uri:
        tags = [root.get(uri).headers["ETag"]]
        for change in ({"RoleId": "Operator"}, {"Password": "another pass word"}, {"Enabled": False}):
            assert root.get(uri, headers={"If-None-Match": tags[-1]}).status_code == 304
            answer = root.patch(uri, json=change, headers={"If-Match": tags[-1]})
            assert answer.status_code == 200
            tags.append(root.get(uri).headers["ETag"])
            assert answer.headers["ETag"] == answer.json()["@odata.etag"] == tags[-1]

        assert len(set(tags)) == 4
        assert root.patch(uri, json={"Enabled": True}, headers={"If-Match": tags[0]}).status_code == 412
        assert root.delete(uri, headers={"If-Match": tags[0]}).status_code == 412
        assert root.get(uri).headers["ETag"] == tags[-1]


def test_what_can_be_written_is_when_something_else_cannot(root: httpx.Client) -> None:
    with account(root, "ann") as uri:
        answer = root.patch(uri, json={"RoleId": "Operator", "UserName": "bob", "Colour": "red"})

        assert answer.status_code == 200
        assert (answer.json()["RoleId"], answer.json()["UserName"]) == ("Operator", "ann")
        said = {one["MessageId"].split(".", 3)[3]: one["MessageArgs"] for one in answer.json()["@Message.ExtendedInfo"]}
        assert said == {"PropertyNotWritable": ["UserName"], "PropertyUnknown": ["Colour"]}


def test_the_roles_are_the_three_that_redfish_defines(root: httpx.Client) -> None:
    assert members(root, ROLES) == [f"{ROLES}/{name}" for name in ("Administrator", "Operator", "ReadOnly")]
    assert root.get(f"{ROLES}/ReadOnly").json()["AssignedPrivileges"] == ["Login", "ConfigureSelf"]
    assert root.get(f"{ROLES}/Nobody").status_code == 404
    assert root.get(ACCOUNT_SERVICE).json()["MinPasswordLength"] == 8


def test_a_session_is_created_used_and_ended(root: httpx.Client, visitor: Visitor) -> None:
    with account(root, "ann"):
        answer = visitor.nobody().post(SESSIONS, json={"UserName": "ann", "Password": PASSWORD})
        uri, token = answer.headers["Location"], answer.headers["X-Auth-Token"]
        session = visitor.with_token(token)
        assert session.get(uri).json() == answer.json()
        assert (answer.json()["UserName"], answer.json()["Password"]) == ("ann", None)
        assert token not in answer.text
        assert uri in members(session, SESSIONS)

        assert session.delete(uri).status_code == 204

        assert session.get(uri).status_code == 401
        assert root.get(uri).status_code == 404


def test_the_timeout_of_sessions_can_be_changed_under_its_tag(root: httpx.Client) -> None:
    before = root.get(SESSION_SERVICE)
    headers = {"If-Match": before.headers["ETag"]}

    assert root.patch(SESSION_SERVICE, json={"SessionTimeout": 60}, headers=headers).json()["SessionTimeout"] == 60
    assert root.patch(SESSION_SERVICE, json={"SessionTimeout": 90}, headers=headers).status_code == 412

    assert root.get(SESSION_SERVICE).json()["SessionTimeout"] == 60
    root.patch(SESSION_SERVICE, json={"SessionTimeout": before.json()["SessionTimeout"]})


@pytest.mark.parametrize("token", ["none", ""])
def test_a_token_goes_before_basic(root: httpx.Client, token: str) -> None:
    answer = root.get(SESSIONS, headers={"X-Auth-Token": token})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert "Location" not in answer.headers


def test_who_guesses_a_password_is_made_to_wait_and_who_is_in_is_not(root: httpx.Client, visitor: Visitor) -> None:
    with account(root, "target") as uri:
        inside = visitor.basic("target", PASSWORD)
        session = visitor.with_token(log_in(visitor.nobody(), "target", PASSWORD))
        assert inside.get(uri).status_code == 200
        guesses = [visitor.basic("target", f"guess {number}").get(uri) for number in range(7)]

        assert {answer.status_code for answer in guesses} == {401}
        assert keys_told(guesses[0]) == ["NoValidSession"]
        assert keys_told(guesses[-1]) == ["ResourceAtUriUnauthorized"]
        assert int(guesses[-1].headers["Retry-After"]) > 0
        refused = visitor.nobody().post(SESSIONS, json={"UserName": "target", "Password": "guess"})
        assert (refused.status_code, keys_told(refused)) == (401, ["ResourceAtUriUnauthorized"])
        assert int(refused.headers["Retry-After"]) > 0
        assert inside.get(uri).status_code == session.get(uri).status_code == 200
