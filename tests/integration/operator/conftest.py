"""
The command line over a filled ledger.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from odim_relay import bootstrap
from odim_relay.bootstrap import operating
from odim_relay.errors import TransientError
from tests.integration.operator.filled import Filled
from tests.support.command_line import as_before
from tests.support.redis_server import RedisServer


@pytest.fixture
def filled(redis_server: RedisServer, key_prefix: str) -> Iterator[Filled]:
    with redis_server.client() as client:
        yield Filled(client, key_prefix)


@pytest.fixture
def no_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Kafka is not there, and that is found out at once.
    """

    def refused(*_: object) -> None:
        raise TransientError("Kafka cannot be reached: connection refused")

    for module in (bootstrap, operating):
        monkeypatch.setattr(module, "kafka_source", refused)


@pytest.fixture
def cli(
    filled: Filled, redis_server: RedisServer, no_kafka: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CliRunner]:
    """
    The command line over `filled`, without Kafka.
    """
    assert no_kafka is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ODIM_RELAY_REDIS__URL", redis_server.url())
    monkeypatch.setenv("ODIM_RELAY_REDIS__KEY_PREFIX", filled.prefix)
    monkeypatch.setenv("ODIM_RELAY_BREAKER__FAILURES", "1000000")
    with redis_server.client(1) as broker:
        broker.flushdb()
    with as_before():
        yield CliRunner()
