"""
What the port to the names of imported events promises, kept by Redis and by memory alike.
"""

from collections.abc import Iterator

import pytest

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.imported import RedisImportedEvents
from odim_relay.domain.subscription_flaws import LONGEST_RETENTION_S
from odim_relay.ports import ImportedEvents
from tests.conformance.ledgers import RULES
from tests.fakes.imported_events import InMemoryImportedEvents
from tests.support.redis_server import RedisServer


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.server)])
def imported(request: pytest.FixtureRequest, key_prefix: str) -> Iterator[ImportedEvents]:
    if request.param == "memory":
        yield InMemoryImportedEvents()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    with server.client() as client:
        yield RedisImportedEvents(Scripts(client, key_prefix, RULES))


def test_nothing_was_imported_at_first(imported: ImportedEvents) -> None:
    assert set(imported.among([])) == set()
    assert set(imported.among(["a", "b"])) == set()


def test_what_was_noted_is_known_however_often_it_was(imported: ImportedEvents) -> None:
    imported.note([])
    imported.note(["a", "b"])
    imported.note(["b", "c"])

    assert set(imported.among(["a", "b", "c", "d"])) == {"a", "b", "c"}
    assert set(imported.among(["d", "c"])) == {"c"}


@pytest.mark.server
def test_a_name_is_kept_for_as_long_as_an_event_may_be_and_longer_where_it_is_noted_again(
    redis_server: RedisServer, key_prefix: str
) -> None:
    key = key_prefix + keys.IMPORTED
    with redis_server.client() as client:
        imported = RedisImportedEvents(Scripts(client, key_prefix, RULES))
        now_s, _ = client.time()
        longest_ms = LONGEST_RETENTION_S * 1000
        too_old = int(now_s) * 1000 - longest_ms - 60_000
        client.zadd(key, {"old": too_old, "old and noted again": too_old, "nearly old": too_old + 120_000})
        imported.note(["old and noted again"])

        assert set(imported.among(["old", "old and noted again", "nearly old"])) == {
            "old and noted again",
            "nearly old",
        }
        assert longest_ms - 60_000 < client.pttl(key) <= longest_ms
