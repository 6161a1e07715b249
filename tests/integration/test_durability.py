"""
A Redis that would lose what it is given: refused in production, warned about elsewhere (S15).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.inspection import inspect_redis
from odim_relay.adapters.redis.turns import RedisTurn
from odim_relay.use_cases.durability import WatchDurability
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.redis_server import RedisServer
from tests.support.relay_process import RelayProcess, procfile_command

pytestmark = pytest.mark.server

NO_AOF = {"appendonly": "no", "save": "60 1"}
EVICTING = {"maxmemory-policy": "allkeys-lru"}
WRONG_USAGE = 2


@pytest.fixture
def careless(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    options: Mapping[str, str] = request.param
    with RedisServer(tmp_path / "redis", options=options) as server:
        yield server


def program(name: str, folder: Path, redis: RedisServer, kafka: KafkaServer | KafkaMock, **more: str) -> RelayProcess:
    settings = {
        "REDIS__URL": redis.url(),
        "KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "KAFKA__TOPICS": '["no-such-topic"]',
        "LOG__FORMAT": "json",
        **more,
    }
    ready = "bridge.started" if name == "bridge" else " ready."
    env = {f"ODIM_RELAY_{name}": value for name, value in settings.items()}
    return RelayProcess(name, procfile_command(name), folder, env, ready=ready)


@pytest.mark.parametrize(
    ("careless", "found", "remedy"),
    [
        (NO_AOF, "appendonly is no", "CONFIG SET appendonly yes"),
        (EVICTING, "maxmemory-policy is allkeys-lru", "CONFIG SET maxmemory-policy noeviction"),
        ({"appendfsync": "no"}, "appendfsync is no", "CONFIG SET appendfsync everysec"),
    ],
    ids=["without AOF", "with eviction", "without fsync"],
    indirect=["careless"],
)
@pytest.mark.parametrize("name", ["bridge", "worker"])
def test_nothing_starts_on_a_redis_that_would_lose_deliveries(
    name: str, careless: RedisServer, found: str, remedy: str, kafka: KafkaServer | KafkaMock, tmp_path: Path
) -> None:
    process = program(name, tmp_path, careless, kafka)

    with pytest.raises(RuntimeError, match=f"{name} ended with {WRONG_USAGE} while starting"):
        process.start()

    last_line = process.log().strip().splitlines()[-1]
    assert last_line.startswith("odim-relay: the Redis of the ledger (redis://127.0.0.1:")
    for part in (found, remedy, "REDIS__URL", "REDIS__REQUIRE_DURABLE=false"):
        assert part in last_line


@pytest.mark.parametrize("careless", [{**NO_AOF, **EVICTING}], indirect=True, ids=["without AOF, with eviction"])
def test_where_durability_is_not_required_there_is_a_warning_for_each_fault(
    careless: RedisServer, kafka: KafkaServer | KafkaMock, tmp_path: Path
) -> None:
    process = program("worker", tmp_path, careless, kafka, REDIS__REQUIRE_DURABLE="false")
    try:
        process.start()
        told = {line["subject"]: line["found"] for line in process.lines("redis.not_durable")}
    finally:
        process.kill()

    assert told == {"redis persistence": "appendonly is no", "redis eviction": "maxmemory-policy is allkeys-lru"}


def test_a_server_that_does_not_tell_is_warned_about(
    fresh_redis: RedisServer, kafka: KafkaServer | KafkaMock, tmp_path: Path
) -> None:
    with fresh_redis.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-config")
    process = program("worker", tmp_path, fresh_redis, kafka)
    try:
        process.start()
        told = process.lines("redis.not_durable")
    finally:
        process.kill()

    assert {line["subject"] for line in told} == {"redis persistence", "redis fsync", "redis eviction"}
    assert all("refuses CONFIG GET" in line["found"] for line in told)


def test_a_server_that_is_changed_while_all_run_is_warned_about_once_an_hour(fresh_redis: RedisServer) -> None:
    client = fresh_redis.client()
    scripts = Scripts(client, "p:")

    def watch() -> WatchDurability:
        """
        That of another process.
        """
        return WatchDurability(
            inspect=lambda: inspect_redis(client, is_behind_sentinel=False),
            new_turn=lambda: RedisTurn(scripts, "told:durability"),
        )

    assert watch()() == 0
    client.config_set("maxmemory-policy", "volatile-ttl")
    one = watch()
    with capture_logs() as logs:
        assert one() == 1
        assert one() == watch()() == 0
    assert [(line["event"], line["found"]) for line in logs] == [
        ("redis.not_durable", "maxmemory-policy is volatile-ttl")
    ]
    assert 3_590_000 < int(str(client.pttl("p:turn:told:durability"))) <= 3_600_000

    client.delete("p:turn:told:durability")

    with capture_logs() as logs:
        assert one() == 1
    client.close()
