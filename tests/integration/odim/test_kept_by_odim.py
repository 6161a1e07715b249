"""
What ODIM keeps is served here and changed there: by the command line, by the API, and what is told of ODIM's Redis.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from odim_relay import bootstrap
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.bootstrap import operating
from odim_relay.cli.main import main
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Subscription
from odim_relay.errors import TransientError
from tests.conformance.ledgers import RULES
from tests.support.api_process import ApiProcess
from tests.support.command_line import as_before
from tests.support.ledger_view import PREFIX
from tests.support.odim_redis import OdimRedis
from tests.support.redfish_client import SUBSCRIPTIONS, keys_told, open_client
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

ID = "3ce177bf-42a4-4335-b1c1-41540a4b65d7"
THEIRS = Subscription(subscription_id=ID, destination="https://192.0.2.1/d", name="theirs", keeper=Keeper.ODIM)


@dataclass(frozen=True, slots=True)
class World:
    """
    A subscription that ODIM keeps, an ODIM, and the command line.
    """

    odim: RedisServer
    cli: CliRunner

    def run(self, *arguments: str) -> Result:
        return self.cli.invoke(main, arguments)


def no_kafka(*_: object) -> None:
    raise TransientError("Kafka cannot be reached: connection refused")


@pytest.fixture
def world(
    redis_server: RedisServer, key_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ODIM_RELAY_REDIS__URL", redis_server.url())
    monkeypatch.setenv("ODIM_RELAY_REDIS__KEY_PREFIX", key_prefix)
    for module in (bootstrap, operating):
        monkeypatch.setattr(module, "kafka_source", no_kafka)
    with RedisServer(tmp_path / "odim") as odim, as_before():
        monkeypatch.setenv("ODIM_RELAY_ODIM__REDIS_URL", odim.url())
        bootstrap.subscription_store().save(THEIRS)
        yield World(odim, CliRunner())


# --- by the command line ---


@pytest.mark.parametrize("command", [("delete", ID), ("update", ID, "--name", "mine")])
def test_the_command_line_says_who_keeps_it_and_where_it_can_be_changed(world: World, command: tuple[str, ...]) -> None:
    done = world.run("subscriptions", *command)
    assert done.exit_code != 0
    assert "is kept by ODIM" in done.stderr
    assert "ODIM's own API" in done.stderr
    assert bootstrap.subscription_store().get(ID) == THEIRS


def test_lists_tell_who_keeps_it(world: World) -> None:
    assert "kept by ODIM" in world.run("subscriptions", "list").stdout
    assert [one["keeper"] for one in json.loads(world.run("subscriptions", "list", "--json").stdout)] == ["odim"]
    shown = [line.split() for line in world.run("subscriptions", "show", ID).stdout.splitlines()]
    assert ["keeper", "odim"] in shown


def test_it_is_suspended_and_resumed_like_any_other(world: World) -> None:
    assert world.run("subscriptions", "suspend", ID).exit_code == 0
    assert world.run("subscriptions", "resume", ID).exit_code == 0
    assert bootstrap.subscription_store().get(ID) == THEIRS


def test_where_no_odim_is_followed_it_can_be_deleted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ODIM_RELAY_ODIM__REDIS_URL")
    with as_before():
        assert world.run("subscriptions", "delete", ID).exit_code == 0
        assert bootstrap.subscription_store().get(ID) is None


# --- what is told of ODIM's Redis ---


def test_the_doctor_looks_at_odims_redis(world: World) -> None:
    def findings() -> dict[str, bool]:
        done = world.run("doctor", "--json")
        return {one["subject"]: one["is_wrong"] for one in json.loads(done.stdout) if one["subject"].startswith("odim")}

    assert findings() == {"odim redis role": False, "odim tables": True, "odim notifications": False}
    OdimRedis(world.odim).put_own_rows()
    assert findings() == {"odim redis role": False, "odim tables": False, "odim notifications": False}
    world.odim.kill()
    assert findings() == {"odim": True}


def test_that_odims_redis_is_away_is_told_with_what_serves_on(world: World) -> None:
    def reason() -> str:
        return {one.store: one.reason for one in bootstrap.readiness()}.get("odim", "")

    assert reason() == ""
    world.odim.kill()
    wait_until(reason, timeout_s=30, what="the outage to be told")
    assert reason().endswith("what was read of it last serves on")
    world.odim.start()
    wait_until(lambda: not reason(), timeout_s=30, what="the end of the outage to be told")


# --- by the API ---


@pytest.fixture
def api(fresh_redis: RedisServer, tmp_path: Path) -> Iterator[httpx.Client]:
    """
    An API that follows an ODIM that is not there.
    """
    settings = {"ODIM__REDIS_URL": "redis://127.0.0.1:1/0"}
    with (
        ApiProcess(tmp_path, redis=fresh_redis, settings=settings) as process,
        open_client(process.url, process.ca_file, credentials=(process.user, process.password)) as client,
    ):
        yield client


def test_the_api_shows_it_and_refuses_to_change_or_delete_it_and_is_ready_without_odim(
    api: httpx.Client, fresh_redis: RedisServer
) -> None:
    with fresh_redis.client() as client:
        store = RedisSubscriptionStore(Scripts(client, PREFIX, RULES))
        wait_until(lambda: api.get("/readyz").is_success, timeout_s=60, what="the API to be ready")
        store.save(THEIRS)
        uri = f"{SUBSCRIPTIONS}/{ID}"

        shown = api.get(uri)
        assert (shown.status_code, shown.json()["Destination"]) == (200, THEIRS.destination)

        deleted = api.delete(uri)
        assert (deleted.status_code, keys_told(deleted)) == (403, ["ResourceCannotBeDeleted"])
        changed = api.patch(uri, json={"Context": "mine"})
        assert (changed.status_code, keys_told(changed)) == (403, ["OperationNotAllowed"])
        assert store.get(ID) == THEIRS

    def told() -> str:
        ready = api.get("/readyz")
        assert ready.is_success, "what ODIM's Redis is needed for goes on without it"
        return str(ready.json()["reasons"].get("odim", ""))

    wait_until(lambda: told().endswith("serves on"), timeout_s=30, what="the outage to be told")
