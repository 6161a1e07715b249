"""
Whether the stores can be reached is told within seconds, also of one that hangs.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from odim_relay import bootstrap
from odim_relay.cli.main import main
from tests.support.command_line import as_before
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

DEADLINE_S = 5


@pytest.fixture
def hung(
    fresh_redis: RedisServer, no_kafka: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RedisServer]:
    """
    A Redis, for ledger and broker, that accepts connections and answers nothing. Kafka is not there.
    """
    assert no_kafka is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ODIM_RELAY_REDIS__URL", fresh_redis.url())
    fresh_redis.stop()
    with as_before():
        yield fresh_redis
    fresh_redis.cont()


def test_a_hung_redis_is_told_within_the_deadline_however_often_it_is_asked(hung: RedisServer) -> None:
    assert hung.running
    for _ in range(2):
        began = time.monotonic()
        found = bootstrap.readiness()
        assert time.monotonic() - began < DEADLINE_S + 2
        assert [one.store for one in found] == ["redis", "broker", "kafka"]
        assert all(one.reason for one in found)


def test_it_is_ready_again_when_redis_goes_on(hung: RedisServer) -> None:
    assert {one.store for one in bootstrap.readiness()} == {"redis", "broker", "kafka"}
    hung.cont()
    wait_until(
        lambda: {one.store for one in bootstrap.readiness()} == {"kafka"},
        timeout_s=30,
        what="all but Kafka to be ready",
    )


def test_status_shows_what_it_can_and_exits_with_3(hung: RedisServer) -> None:
    assert hung.running
    began = time.monotonic()
    done = CliRunner().invoke(main, ["status", "--json"])
    assert time.monotonic() - began < DEADLINE_S + 3
    assert done.exit_code == 3
    told = json.loads(done.stdout)
    assert (told["ready"], told["queue_depth"], told["workers"], told["subscriptions"]) == (False, None, None, [])
    assert set(told["reasons"]) == {"redis", "broker", "kafka"}
    assert "redis cannot be reached" in done.stderr
