"""
The embedded Redis of the chart, started with its own command and file: it keeps what it was told, and asks who is
there.
"""

import os
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from odim_relay import bootstrap
from tests.support.chart import Rendered, container_of
from tests.support.command_line import as_before
from tests.support.processes import LocalProcess, free_port
from tests.support.redis_server import RedisBinary, redis_binaries

pytestmark = pytest.mark.server

PASSWORD = "S3cretOfTheTrial"


class EmbeddedRedis(LocalProcess):
    """
    The container's command, with another port and folder.
    """

    def __init__(self, found: Rendered, folder: Path, binary: RedisBinary) -> None:
        self.port = free_port()
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "redis-server").symlink_to(binary.path)
        text = found.one("ConfigMap", "-redis")["data"]["redis.conf"]
        assert "dir /data\n" in text
        assert "port 6379\n" in text
        self.conf = folder / "redis.conf"
        self.conf.write_text(text.replace("dir /data\n", f"dir {folder}\n").replace("6379", str(self.port)))
        container = container_of(found.one("StatefulSet"))
        env = {"REDIS_CONF": str(self.conf), "REDISCLI_AUTH": PASSWORD}
        assert {variable["name"] for variable in container["env"]} == env.keys()
        path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        super().__init__("redis", container["command"], folder, env={**env, "PATH": path})

    def client(self, password: str | None = PASSWORD) -> redis.Redis:
        return redis.Redis(port=self.port, password=password, decode_responses=True)

    def is_ready(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@pytest.fixture(params=redis_binaries(), ids=str)
def embedded(request: pytest.FixtureRequest, trial: Rendered, tmp_path: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(trial, tmp_path / "redis", request.param) as server:
        yield server


def test_it_keeps_what_it_was_told_and_is_good_enough_for_the_ledger(
    embedded: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with embedded.client() as client:
        for name, value in {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "maxmemory": str(256 * 1024 * 1024),
            "save": "",
        }.items():
            assert client.config_get(name) == {name: value}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ODIM_RELAY_REDIS__URL", f"redis://:{PASSWORD}@127.0.0.1:{embedded.port}/0")
    with as_before():
        bootstrap.require_durable_ledger()


def test_it_asks_for_a_password_that_no_argument_tells(embedded: EmbeddedRedis) -> None:
    with embedded.client(password=None) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    process = Path("/proc") / str(embedded.pid)
    assert (process / "comm").read_text() == "redis-server\n"
    assert PASSWORD not in (process / "cmdline").read_text()


def test_it_ends_in_good_order_and_has_everything_afterwards(embedded: EmbeddedRedis) -> None:
    with embedded.client() as client:
        client.set("kept", "yes")
    assert embedded.terminate() == 0
    embedded.start()
    with embedded.client() as client:
        assert client.get("kept") == "yes"


def test_the_chart_makes_a_password_where_none_is_given(trial: Rendered) -> None:
    secret = trial.one("Secret", "-redis")
    assert len(b64decode(secret["data"]["password"])) == 32
    assert b64decode(secret["data"]["password"]).isalnum()
    variables = {variable["name"]: variable for variable in container_of(trial.one("StatefulSet"))["env"]}
    assert variables["REDISCLI_AUTH"]["valueFrom"]["secretKeyRef"] == {
        "name": secret["metadata"]["name"],
        "key": "password",
    }
    claim = trial.one("StatefulSet")["spec"]["volumeClaimTemplates"][0]
    assert claim["spec"]["resources"]["requests"] == {"storage": "4Gi"}
