"""
What the port to the samples promises, kept by Redis and by memory alike.
"""

import json
from collections.abc import Iterator

import pytest

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.samples import RedisSampleStore
from odim_relay.domain.sample import Sample
from odim_relay.ports import SampleStore
from odim_relay.ports.samples import MOST_SAMPLES
from tests.fakes.sample_store import InMemorySampleStore
from tests.support.redis_server import RedisServer

FULL = Sample(
    at_ms=1_767_225_600_123,
    ingested_count=1,
    delivered_count=2,
    failed_count=3,
    latency_counts=(4, 5, 6),
    active_count=7,
    waiting_count=8,
    dead_letter_count=9,
    worker_count=10,
    queue_depth=0,
    lag=12,
)


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.server)])
def store(request: pytest.FixtureRequest, key_prefix: str) -> Iterator[SampleStore]:
    if request.param == "memory":
        yield InMemorySampleStore()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    with server.client() as client:
        yield RedisSampleStore(Scripts(client, key_prefix))
        client.delete(f"{key_prefix}samples")


def test_there_are_none_at_first(store: SampleStore) -> None:
    assert store.last(5) == []


@pytest.mark.parametrize("sample", [FULL, Sample(at_ms=1)], ids=["full", "empty"])
def test_a_sample_comes_back_as_it_was(store: SampleStore, sample: Sample) -> None:
    store.add(sample)

    assert store.last(1) == [sample]


def test_the_newest_are_told_in_the_order_in_which_they_came(store: SampleStore) -> None:
    for at_ms in (10, 20, 15, 30):  # also when a clock was set back
        store.add(Sample(at_ms=at_ms))

    assert [sample.at_ms for sample in store.last(3)] == [20, 15, 30]
    assert [sample.at_ms for sample in store.last(100)] == [10, 20, 15, 30]


def test_beyond_a_days_the_oldest_leaves(store: SampleStore) -> None:
    for at_ms in range(1, MOST_SAMPLES + 3):
        store.add(Sample(at_ms=at_ms))

    found = store.last(MOST_SAMPLES + 10)
    assert len(found) == MOST_SAMPLES
    assert (found[0].at_ms, found[-1].at_ms) == (3, MOST_SAMPLES + 2)


@pytest.mark.server
def test_what_a_newer_version_tells_is_passed_over(redis_server: RedisServer, key_prefix: str) -> None:
    with redis_server.client() as client:
        client.rpush(f"{key_prefix}samples", json.dumps({"at_ms": 5, "lag": 1, "mood": "fine"}))

        assert RedisSampleStore(Scripts(client, key_prefix)).last(1) == [Sample(at_ms=5, lag=1)]
