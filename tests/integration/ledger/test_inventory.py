"""
Sources and aggregates in Redis: what many change at once, what a process leaves that dies, what bridges make of it.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from threading import Semaphore, Thread
from typing import Any

import pytest
import redis

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.event_service import RedisEventServiceStore
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.inventory import MOST_CHANGES, RedisInventoryStore
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.event import Event, EventFormat, EventRecord
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters
from odim_relay.formats import Decoded
from odim_relay.ports import InventoryChange, InventoryContent, Record
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import Ingest
from odim_relay.use_cases.untraced import Untraced
from tests.fakes.samples import PARTITION, START, batch, subscription
from tests.integration.ledger.bench import PREFIX, Bench
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

FIRST, SECOND = (f"/redfish/v1/Systems/{digit * 8}-7efa-578e-83cf-44dc68d2874e.1" for digit in "12")
RACK = "/redfish/v1/AggregationService/Aggregates/rack"
MANY = MOST_CHANGES + 1
FEW = 300
LIMIT_S = 60.0


def many(origin: str, count: int = MANY) -> InventoryContent:
    """
    More than one script changes: all sources are the same machine, which alone is in the rack.
    """
    sources = {f"10.0.{number // 256}.{number % 256}": origin for number in range(count)}
    return InventoryContent(sources=sources, aggregates={RACK: (origin,)})


class Meanwhile:
    """
    Scripts that let something happen before one of them runs, each thing once.
    """

    def __init__(self, scripts: Scripts, awaited: str, *happens: Callable[[], object]) -> None:
        self.client, self.prefix = scripts.client, scripts.prefix
        self._scripts = scripts
        self._awaited = awaited
        self._happens = list(happens)

    def run(self, name: str, *arguments: Any) -> Any:
        if name == self._awaited and self._happens:
            self._happens.pop(0)()
        return self._scripts.run(name, *arguments)


def interrupted(bench: Bench, awaited: str, *happens: Callable[[], object]) -> RedisInventoryStore:
    return RedisInventoryStore(Meanwhile(bench.scripts, awaited, *happens))  # type: ignore[arg-type] # as far as it needs


def staged(bench: Bench) -> list[Any]:
    return list(bench.client.scan_iter(f"{PREFIX}inventory:staged:*"))


def test_l9_what_was_matched_before_the_inventory_changed_is_refused(bench: Bench) -> None:
    bench.subscribe("a")
    bench.ingest.set_position(PARTITION, None, START)
    stale = batch("a", generation=bench.store.generation())
    bench.inventory.change(Keeper.OWN, InventoryChange(sources={"10.0.0.1": FIRST}))
    assert bench.ingest.ingest(stale) is None
    now = replace(stale, generation=bench.store.generation())

    bench.inventory.change(Keeper.OWN, InventoryChange(sources={"10.0.0.1": FIRST}))

    assert bench.ingest.ingest(now) is not None


def test_l9_what_was_matched_before_very_many_changed_is_refused(bench: Bench) -> None:
    bench.subscribe("a")
    bench.ingest.set_position(PARTITION, None, START)
    stale = batch("a", generation=bench.store.generation())

    bench.inventory.replace(Keeper.ODIM, many(FIRST))

    assert bench.ingest.ingest(stale) is None


def test_what_another_changed_meanwhile_stands_beside_a_change_of_very_many(bench: Bench) -> None:
    own = {"other": SECOND, "gone": SECOND}
    bench.inventory.change(Keeper.OWN, InventoryChange(sources=own))
    other = InventoryChange(sources={"other": FIRST, "gone": None, "new": SECOND})

    interrupted(bench, "put_inventory_in_place", lambda: bench.inventory.change(Keeper.OWN, other)).change(
        Keeper.OWN, InventoryChange(sources=many(FIRST).sources)
    )

    assert bench.inventory.content(Keeper.OWN).sources == {**many(FIRST).sources, "other": FIRST, "new": SECOND}
    assert staged(bench) == []


def test_what_another_changed_meanwhile_is_replaced_too(bench: Bench) -> None:
    bench.inventory.replace(Keeper.OWN, InventoryContent(sources={"gone": FIRST, "stays": FIRST}))
    other = InventoryChange(sources={"other": FIRST})

    interrupted(bench, "change_inventory", lambda: bench.inventory.change(Keeper.OWN, other)).replace(
        Keeper.OWN, InventoryContent(sources={"stays": FIRST})
    )

    assert bench.inventory.content(Keeper.OWN).sources == {"stays": FIRST}


def test_what_was_staged_and_lost_a_part_is_never_put_in_place(bench: Bench) -> None:
    def lose_a_part() -> None:
        for key in staged(bench):
            field, *_ = bench.client.hkeys(key)
            bench.client.hdel(key, field)

    def lose_all() -> None:
        bench.client.delete(*staged(bench))

    store = interrupted(bench, "put_inventory_in_place", lose_a_part, lose_all)
    store.replace(Keeper.ODIM, many(FIRST))

    assert bench.inventory.content(Keeper.ODIM) == many(FIRST)
    assert staged(bench) == []


def test_what_a_process_staged_that_died_goes_by_itself_and_what_was_put_in_place_stays(bench: Bench) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(bench, "put_inventory_in_place", die).replace(Keeper.ODIM, many(FIRST))
    assert all(0 < bench.client.ttl(key) <= 600 for key in staged(bench))
    assert len(staged(bench)) == 2
    assert bench.inventory.read()[0] == 0

    bench.inventory.replace(Keeper.ODIM, many(FIRST))

    stands = [f"{PREFIX}inventory:{what}:odim" for what in ("sources", "aggregates")]
    assert [bench.client.ttl(key) for key in stands] == [-1, -1]


def test_a_version_that_was_lost_is_not_given_again(bench: Bench) -> None:
    bench.inventory.replace(Keeper.ODIM, many(FIRST, 1))
    saved = {key: bench.client.dump(key) or b"" for key in bench.client.keys(f"{PREFIX}*")}
    bench.inventory.replace(Keeper.ODIM, many(SECOND, 1))
    lost = bench.inventory.version()
    for key, dump in saved.items():
        bench.client.restore(key, 0, dump, replace=True)

    bench.inventory.replace(Keeper.ODIM, many(FIRST, 2))

    assert bench.inventory.version() > lost


def test_fifty_thousand_sources_are_replaced_and_read(bench: Bench) -> None:
    content = many(FIRST, 50_000)

    bench.inventory.replace(Keeper.ODIM, content)

    _, inventory = bench.inventory.read()
    assert dict(inventory.origins) == content.sources


# --- under load ---


def decode(value: bytes) -> Decoded:
    """
    The value is the address of a machine that names its own system.
    """
    origin = "/redfish/v1/Systems/1"
    payload = json.dumps({"Events": [{"OriginOfCondition": {"@odata.id": origin}}]}).encode()
    records = (EventRecord(origin=origin),)
    return (Event(format=EventFormat.EVENT, payload=payload, records=records, source=value.decode()),)


class Bridge:
    """
    A bridge's loop without Kafka: one record after the other, each from another machine.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        scripts = Scripts(client, prefix)
        self.store = RedisSubscriptionStore(scripts)
        self.ledger = RedisIngestLedger(scripts)
        self.matchers = MatcherDirectory(self.store, RedisEventServiceStore(scripts), RedisInventoryStore(scripts))
        self._ingest = Ingest(
            ledger=self.ledger, matchers=self.matchers, decoders={PARTITION.topic: decode}, tracer=Untraced()
        )
        self._position = START
        self.taken_count = 0
        for id_, origin in (("first", FIRST), ("second", SECOND), ("rack", RACK)):
            self.store.save(replace(subscription(id_), filters=Filters(origin_resources=(origin,))))
        self.ledger.set_position(PARTITION, None, START)

    def take_one(self) -> int:
        """
        Take a record in. Returns how many subscriptions wanted it.
        """
        address = f"10.0.0.{self.taken_count % 256}"
        record = Record(offset=self._position.offset, value=address.encode())
        count = 0
        for reached, written in self._ingest.take(PARTITION, self._position, [record]):
            self._position = reached
            count += len(written)
        self.taken_count += 1
        return count


def test_whatever_is_rewritten_no_event_is_matched_against_an_empty_or_half_inventory(
    redis_server: RedisServer, key_prefix: str
) -> None:
    rewritten = 0
    turns = Semaphore(0)
    faults: list[Exception] = []

    def rewrite(client: redis.Redis) -> None:
        nonlocal rewritten
        store = RedisInventoryStore(Scripts(client, key_prefix))
        try:
            for content in [many(FIRST), many(SECOND), many(SECOND), many(FIRST, FEW), many(SECOND, FEW)] * 4:
                store.replace(Keeper.ODIM, content)
                rewritten += 1
                # Others may be quicker than the bridge, but not for ever.
                assert turns.acquire(timeout=LIMIT_S), "the bridge takes nothing in"
        except Exception as exc:  # noqa: BLE001 - told by the test
            faults.append(exc)

    with redis_server.client() as client, redis_server.client() as other:
        RedisInventoryStore(Scripts(other, key_prefix)).replace(Keeper.ODIM, many(SECOND))
        bridge = Bridge(client, key_prefix)
        writer = Thread(target=rewrite, args=(other,), daemon=True)
        writer.start()
        wanted_by: list[int] = []
        halves: list[str] = []
        reader = RedisInventoryStore(Scripts(client, key_prefix))
        while writer.is_alive():
            wanted_by.append(bridge.take_one())
            _, inventory = reader.read()
            if set(inventory.origins.values()) != set(inventory.aggregates) or len(inventory.origins) not in {
                MANY,
                FEW,
            }:
                halves.append(f"{len(inventory.origins)} sources")
            turns.release()
        writer.join()
        unknown_count = client.hget(f"{key_prefix}counters", "events_unknown_source")

    assert faults == []
    assert rewritten == 20
    assert halves == []
    # Its machine, and the rack that the machine is in: of two halves that do not belong together it would be in none.
    assert set(wanted_by) == {2}
    assert unknown_count is None
