"""
What the ports to the last attempts promise, kept by Redis and by memory alike.
"""

import time
from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from odim_relay.adapters.redis.attempts import RedisAttemptListing, RedisAttemptStore
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.listings import RedisLedgerFigures
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import (
    AttemptBatch,
    AttemptListing,
    AttemptRecord,
    AttemptStore,
    KeptAttempt,
    SubscriptionStore,
)
from tests.fakes.attempts import InMemoryAttempts
from tests.fakes.ledger_state import LedgerState
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

MOST, MOST_DELIVERIES = 3, 4
RETENTION_S = 3_600


class Stores(Protocol):
    @property
    def store(self) -> AttemptStore: ...
    @property
    def listing(self) -> AttemptListing: ...
    @property
    def subscriptions(self) -> SubscriptionStore: ...

    def sums(self) -> dict[str, int]: ...


class StoresInMemory:
    def __init__(self) -> None:
        self.subscriptions = InMemorySubscriptionStore(LedgerState(now_ms=lambda: 0))
        self.store = self.listing = InMemoryAttempts(
            exists=lambda id_: self.subscriptions.get(id_) is not None,
            attempts=MOST,
            most_deliveries=MOST_DELIVERIES,
        )

    def sums(self) -> dict[str, int]:
        return dict(self.store.sums)


class StoresInRedis:
    def __init__(self, client: Any, prefix: str) -> None:
        scripts = Scripts(client, prefix)
        self.subscriptions = RedisSubscriptionStore(scripts)
        self.store = RedisAttemptStore(
            scripts, worker="w", attempts=MOST, deliveries=MOST_DELIVERIES, retention_s=RETENTION_S
        )
        self.listing = RedisAttemptListing(scripts, retention_s=RETENTION_S)
        self._figures = RedisLedgerFigures(scripts)

    def sums(self) -> dict[str, int]:
        return dict(self._figures.measures())


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.server)])
def stores(request: pytest.FixtureRequest, key_prefix: str) -> Iterator[Stores]:
    if request.param == "memory":
        found: Stores = StoresInMemory()
        found.subscriptions.save(Subscription(subscription_id="s", destination="https://s.example/"))
        yield found
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    with server.client() as client:
        found = StoresInRedis(client, key_prefix)
        found.subscriptions.save(Subscription(subscription_id="s", destination="https://s.example/"))
        yield found


NOW_MS = int(time.time() * 1000)


def attempt(number: int, delivery_id: str = "d", subscription_id: str = "s") -> AttemptRecord:
    return AttemptRecord(
        subscription_id=subscription_id,
        delivery_id=delivery_id,
        attempt=number,
        ended_at_ms=NOW_MS + number,
        status=503,
        detail="answered 503",
        duration_ms=12,
        destination="https://s.example/",
        address="192.0.2.1:443",
        decision="retry",
    )


def kept(number: int, *delivery_ids: str, only_if_known: bool = False, subscription_id: str = "s") -> KeptAttempt:
    return KeptAttempt(
        record=attempt(number, delivery_ids[0] if delivery_ids else "d", subscription_id),
        for_subscription=True,
        delivery_ids=delivery_ids,
        only_if_known=only_if_known,
    )


def keep(stores: Stores, number: int, *attempts: KeptAttempt, **sums: int) -> None:
    stores.store.keep(AttemptBatch(number=number, attempts=attempts, sums=sums))


def let_the_clock_move() -> None:
    """
    Redis orders by its clock, which is this host's, to the millisecond.
    """
    now_ms = time.time_ns() // 1_000_000
    wait_until(lambda: time.time_ns() // 1_000_000 > now_ms, timeout_s=5, what="the next millisecond")


def test_nothing_is_known_of_what_was_never_tried(stores: Stores) -> None:
    assert stores.listing.of_delivery("d") == []
    assert stores.listing.of_subscription("s") == []


def test_attempts_are_told_newest_first_and_as_they_were(stores: Stores) -> None:
    keep(stores, 1, kept(2, "d"), kept(1, "d"))
    keep(stores, 2, kept(3, "d"))

    assert stores.listing.of_delivery("d") == [attempt(3), attempt(2), attempt(1)]
    assert stores.listing.of_subscription("s") == [attempt(3), attempt(2), attempt(1)]


def test_what_is_not_for_the_subscription_is_told_of_the_delivery_alone(stores: Stores) -> None:
    keep(stores, 1, KeptAttempt(record=attempt(1), for_subscription=False, delivery_ids=("d",)))

    assert stores.listing.of_subscription("s") == []
    assert stores.listing.of_delivery("d") == [attempt(1)]


def test_everybody_in_a_request_has_it_in_its_history(stores: Stores) -> None:
    keep(stores, 1, kept(1, "leader", "passenger"))

    assert stores.listing.of_delivery("passenger") == stores.listing.of_delivery("leader") != []


def test_a_success_is_told_of_those_that_failed_before(stores: Stores) -> None:
    keep(stores, 1, kept(1, "failed"))
    keep(stores, 2, kept(2, "failed", "never failed", only_if_known=True))

    assert [one.attempt for one in stores.listing.of_delivery("failed")] == [2, 1]
    assert stores.listing.of_delivery("never failed") == []


def test_a_history_has_the_newest_only(stores: Stores) -> None:
    for number in range(1, MOST + 3):
        keep(stores, number, kept(number, "d"))

    numbers = list(range(MOST + 2, 2, -1))
    assert [one.attempt for one in stores.listing.of_delivery("d")] == numbers
    assert [one.attempt for one in stores.listing.of_subscription("s")] == numbers


def test_the_deliveries_that_were_tried_longest_ago_lose_their_history(stores: Stores) -> None:
    for number in range(1, MOST_DELIVERIES + 1):
        keep(stores, number, kept(number, f"d{number}"))
        let_the_clock_move()
    keep(stores, 11, kept(11, "d1"))
    let_the_clock_move()
    keep(stores, 12, kept(12, "another"))

    names = ["d1", *(f"d{number}" for number in range(3, MOST_DELIVERIES + 1)), "another"]
    assert [name for name in ["d2", *names] if stores.listing.of_delivery(name)] == names


def test_a_batch_that_is_told_twice_counts_once(stores: Stores) -> None:
    for number in (1, 1, 2, 1):
        keep(stores, number, kept(number, "d"), a=2, b=number)

    assert [one.attempt for one in stores.listing.of_delivery("d")] == [2, 1]
    assert stores.sums() == {"a": 4, "b": 3}


def test_of_a_deleted_subscription_nothing_is_remembered_and_its_sums_count(stores: Stores) -> None:
    keep(stores, 1, kept(1, "other", subscription_id="never there"), a=1)

    assert stores.listing.of_subscription("never there") == []
    assert stores.listing.of_delivery("other") == []
    assert stores.sums() == {"a": 1}
