"""
One Redis for the tests of the ledger's scripts, in memory: they ask what the scripts do, not what the disk keeps.
"""

from collections.abc import Iterator

import pytest
import redis

from tests.integration.ledger.bench import Bench
from tests.support.redis_server import RedisServer


@pytest.fixture(scope="module")
def ledger_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis"), options={"appendonly": "no"}) as server:
        yield server


@pytest.fixture
def machine_redis(ledger_server: RedisServer) -> Iterator[redis.Redis]:
    """
    A client of a Redis that is the machine's alone: it is emptied for each example.
    """
    with ledger_server.client() as client:
        yield client


@pytest.fixture
def bench(ledger_server: RedisServer) -> Iterator[Bench]:
    """
    An empty ledger in Redis.
    """
    ledger_server.empty()
    with ledger_server.client() as client:
        yield Bench(client)
