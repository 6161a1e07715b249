"""
Who did what over the API and by the command line is found in the log and by `odim-relay audit list`.
"""

import getpass
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api_process import ApiProcess
from tests.support.redfish_client import (
    ACCOUNTS,
    EVENT_SERVICE,
    SESSION_SERVICE,
    SESSIONS,
    SUBMIT_TEST_EVENT,
    SUBSCRIPTIONS,
    TEST_EVENT_SUBSCRIPTION,
    created,
    log_in,
    open_client,
)
from tests.support.redis_server import RedisServer
from tests.support.relay_process import ROOT

pytestmark = pytest.mark.server

PASSWORD = "pass word of ann"
TYPED = "a pass word in the wrong field"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
WISH = {
    "Destination": "https://192.0.2.1/hook?token=marker-in-query",
    "Protocol": "Redfish",
    "HttpHeaders": [{"Authorization": "marker-in-header"}],
    "Oem": {"OdimRelay": {"SigningSecret": SECRET}},
}


@pytest.fixture
def api(fresh_redis: RedisServer, tmp_path: Path) -> Iterator[ApiProcess]:
    with ApiProcess(tmp_path, redis=fresh_redis) as api:
        yield api
        assert api.lines("api.failed") == []


@pytest.fixture
def admin(api: ApiProcess) -> Iterator[httpx.Client]:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
        yield client


def run(api: ApiProcess, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "odim_relay", *arguments],
        cwd=api.ca_file.parent,
        env={**api.env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def entries(api: ApiProcess, *arguments: str) -> list[dict[str, Any]]:
    """
    Oldest first.
    """
    found: list[dict[str, Any]] = json.loads(run(api, "audit", "list", "--json", *arguments))
    return found[::-1]


def test_what_accounts_do_over_the_api_is_noted(api: ApiProcess, admin: httpx.Client) -> None:
    uri = created(admin, SUBSCRIPTIONS, WISH)
    assert admin.patch(uri, json={"Context": "mine"}).status_code == 200
    for action in ("Suspend", "Resume"):
        assert admin.post(f"{uri}/Actions/EventDestination.{action}Subscription", json={}).status_code == 204
    assert admin.post(SUBMIT_TEST_EVENT, json={"MessageId": "A.1.0.One"}).status_code == 204
    assert admin.post(TEST_EVENT_SUBSCRIPTION, json={}).status_code == 204
    assert admin.patch(EVENT_SERVICE, json={"DeliveryRetryAttempts": 9}).status_code == 200
    assert admin.patch(SESSION_SERVICE, json={"SessionTimeout": 60}).status_code == 200
    account = created(admin, ACCOUNTS, {"UserName": "ann", "Password": PASSWORD, "RoleId": "Operator"})
    assert admin.patch(account, json={"Password": f"{PASSWORD}!", "RoleId": "ReadOnly"}).status_code == 200
    assert admin.delete(account).status_code == 204
    assert admin.delete(uri).status_code == 204
    assert admin.delete(uri).status_code == 404

    found = entries(api, "--actor", "admin")

    told = [(one["action"], one["detail"], one["result"]) for one in found]
    assert told == [
        ("subscription.created", "", "done"),
        ("subscription.changed", "context", "done"),
        ("subscription.suspended", "", "done"),
        ("subscription.resumed", "", "done"),
        ("event.sent", "", "done"),
        ("event.sent", "", "done"),
        ("event_service.changed", "retry_attempts=9", "done"),
        ("session_service.changed", "timeout_s=60", "done"),
        ("account.created", "ann, Operator", "done"),
        ("account.changed", "password, role", "done"),
        ("account.deleted", "", "done"),
        ("subscription.deleted", "", "done"),
    ]
    assert {(one["channel"], one["client"]) for one in found} == {("api", "127.0.0.1")}
    id_ = uri.rpartition("/")[2]
    of_it = entries(api, "--subject", id_)
    assert {one["subject"] for one in of_it} == {id_}
    assert len(of_it) == 5
    lines = api.lines("audit.noted")
    assert [line["action"] for line in lines if line["actor"] == "admin"] == [one["action"] for one in found]
    everything = json.dumps(entries(api)) + api.log()
    for secret in ("marker-in-query", "marker-in-header", SECRET, PASSWORD, api.password):
        assert secret not in everything


def test_who_logs_in_out_and_who_could_not_is_noted(api: ApiProcess, admin: httpx.Client) -> None:
    with open_client(api.url, api.ca_file) as nobody:
        token = log_in(nobody, api.user, api.password)
        for name in (api.user, TYPED):
            assert nobody.post(SESSIONS, json={"UserName": name, "Password": "wrong"}).status_code == 401
    with open_client(api.url, api.ca_file, token=token) as client:
        (session,) = [one["@odata.id"] for one in client.get(SESSIONS).json()["Members"]]
        assert client.delete(session).status_code == 204
    assert admin.get(SESSIONS).status_code == 200

    found = entries(api, "--action", "session", "--action", "log_in")

    told = {(one["action"], one["actor"], one["client"], one["error"]) for one in found}
    assert told == {
        ("session.opened", "admin", "127.0.0.1", ""),
        ("session.ended", "admin", "127.0.0.1", ""),
        ("log_in.refused", "admin", "127.0.0.1", "WrongCredentialsError"),
        ("log_in.refused", "", "127.0.0.1", "WrongCredentialsError"),
    }
    assert len(found) == 4
    assert {one["subject"] for one in found if one["action"].startswith("session.")} == {session.rpartition("/")[2]}
    assert TYPED not in json.dumps(found) + api.log()
    assert token not in json.dumps(found)


def test_what_the_command_line_does_is_the_users(api: ApiProcess) -> None:
    id_ = run(api, "subscriptions", "create", "--destination", "https://192.0.2.1/hook").strip()
    run(api, "subscriptions", "update", id_, "--name", "mine")
    run(api, "subscriptions", "rotate-secret", id_)
    run(api, "subscriptions", "test", id_)
    run(api, "subscriptions", "suspend", id_)
    run(api, "subscriptions", "delete", id_)

    found = entries(api, "--actor", "cli")

    assert [one["action"] for one in found] == [
        "subscription.created",
        "subscription.changed",
        "subscription.secret_rotated",
        "event.sent",
        "subscription.suspended",
        "subscription.deleted",
    ]
    assert {(one["actor"], one["channel"], one["client"]) for one in found} == {(getpass.getuser(), "cli", "")}
    table = run(api, "audit", "list", "--action", "subscription.deleted")
    assert id_ in table
    assert "subscription.deleted" in table
    assert "There are more" not in table
