"""
What ODIM does to its tables while events flow: rows are rewritten by taking them out first, and its Redis dies. Every
event must get to everybody whom it is for, once.
"""

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.faults.conftest import MakeRelay
from tests.support.events import event
from tests.support.kafka_client import odim_envelope
from tests.support.odim_installation import MadeUp
from tests.support.odim_redis import OdimRedis, OdimSubscription
from tests.support.odim_reference import AGGREGATES
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

SERVERS, GROUPS, EVENTS = 1_000, 20, 5_000
BATCH = 20
PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Site:
    """
    An installation in which each server is in one aggregate, with a subscriber each; in the list of one subscriber; and
    like all others that of the collection's.

    Attributes:
        servers_of: addresses by the ids of the subscriptions that get their events.
    """

    devices: dict[str, str]
    subscriptions: list[OdimSubscription]
    servers_of: dict[tuple[str, ...], list[str]]

    @classmethod
    def make(cls, odim: OdimRedis, receiver: Receiver) -> "Site":
        made_up = MadeUp(4)
        devices = made_up.devices(SERVERS)
        subscriptions: list[OdimSubscription] = []
        wanted_by: dict[str, list[str]] = {address: [] for address in devices}

        def subscribe(addresses: list[str], *origins: str) -> None:
            path = f"/subscriber/{len(subscriptions)}"
            one = OdimSubscription(
                id=made_up.id(),
                destination=receiver.url(path),
                name=path,
                origin_resources=origins,
                subordinate_resources=True,
            )
            subscriptions.append(one)
            for address in addresses:
                wanted_by[address].append(one.id)

        addresses = list(devices)
        odim.put_devices({address: [origin] for address, origin in devices.items()})
        for number in range(GROUPS):
            id_, members = made_up.id(), addresses[number::GROUPS]
            odim.put_aggregate(id_, [devices[address] for address in members], members)
            subscribe(members, AGGREGATES + id_)
        for number in range(GROUPS):
            members = addresses[number * SERVERS // GROUPS : (number + 1) * SERVERS // GROUPS]
            subscribe(members, *(devices[address] for address in members))
        subscribe(addresses, "/redfish/v1/Systems")
        odim.subscribe(*subscriptions)
        servers_of: dict[tuple[str, ...], list[str]] = {}
        for address, ids in wanted_by.items():
            servers_of.setdefault(tuple(ids), []).append(address)
        return cls(devices, subscriptions, servers_of)


class Flow:
    """
    Events of all servers by turns, published by a thread of its own until told to stop.
    """

    def __init__(self, relay: Relay, site: Site) -> None:
        self._relay = relay
        self._subscribers = {one.id: relay.expect(one.id, one.name) for one in site.subscriptions}
        self._turns = itertools.cycle(site.servers_of.items())
        self._stop = threading.Event()
        self.count = 0

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        while not self._stop.wait(0.05):
            ids, addresses = next(self._turns)
            values = [
                odim_envelope(event(number, origin="/ODIM/v1/Systems/1/Bios"), ip=addresses[number % len(addresses)])
                for number in range(self.count, self.count + BATCH)
            ]
            self._relay.publish(values, wrapped=False, wanted_by=[self._subscribers[id_] for id_ in ids])
            self.count += BATCH


@contextmanager
def events_flow(relay: Relay, site: Site) -> Iterator[Flow]:
    """
    Publish events to the end of the block.
    """
    flow = Flow(relay, site)
    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(flow.run)
        try:
            yield flow
        finally:
            flow.stop()
        publishing.result()


@pytest.fixture
def odim(tmp_path: Path) -> Iterator[OdimRedis]:
    with RedisServer(tmp_path / "odim-redis") as server:
        odim = OdimRedis(server)
        odim.turn_on_notifications()
        odim.put_own_rows()
        yield odim


def wait_for_reading(relay: Relay) -> None:
    """
    Wait until the tables have been read once more, in a reading that had not begun before.
    """

    def is_after(before: tuple[int, str] | None) -> bool:
        return relay.inventory.last_reading() != before

    for _ in range(2):
        before = relay.inventory.last_reading()
        wait_until(partial(is_after, before), timeout_s=PATIENCE_S, what="ODIM's tables to be read")


def rewrite(odim: OdimRedis, site: Site, made_up: MadeUp) -> None:
    """
    Write every row anew, and some more that change what is known, but for nobody here.
    """
    device = made_up.id()
    odim.put_devices({f"{device}.example": [f"/redfish/v1/Systems/{device}.1"]})
    odim.rewrite_devices(site.devices)
    odim.subscribe(*site.subscriptions)


def test_rows_that_are_rewritten_under_load_and_a_dead_redis_of_odim_cost_nobody_an_event(
    make_relay: MakeRelay, receiver: Receiver, odim: OdimRedis
) -> None:
    site, made_up = Site.make(odim, receiver), MadeUp(5)
    rounds = 0
    with make_relay(partitions=2, ODIM__REDIS_URL=odim.server.url(), ODIM__READ_INTERVAL_S=1) as relay:
        wait_until(
            lambda: relay.store.count() == len(site.subscriptions), timeout_s=PATIENCE_S, what="the subscriptions"
        )
        versions = {relay.inventory.version()}
        with events_flow(relay, site) as flow:
            while flow.count < EVENTS / 2:
                rewrite(odim, site, made_up)
                rounds += 1
                versions.add(relay.inventory.version())
            # However long it takes: the rows of nearly all are out while the tables are read.
            with odim.without_rows(list(site.devices)[BATCH:], [one.id for one in site.subscriptions[:-1]]):
                wait_for_reading(relay)
            odim.server.wait_until_written()
            odim.server.kill()
            wait_until(
                lambda: "odim.not_followed" in relay.bridge.log(), timeout_s=PATIENCE_S, what="the bridge to notice"
            )
            # As after any restart of ODIM's Redis, there are no notifications.
            odim.server.start()
            wait_for_reading(relay)
            while flow.count < EVENTS:
                rewrite(odim, site, made_up)
                rounds += 1
                versions.add(relay.inventory.version())
        account = relay.settle(PATIENCE_S)
        print(
            f"{len(site.devices)} servers, {len(site.subscriptions)} subscribers, {flow.count} events, every row "
            f"rewritten {rounds} times, {len(versions)} versions of the inventory; {account}"
        )
        assert account.is_perfect, str(account)
        assert relay.ledger.counter("events_unknown_source") == 0
        assert len(versions) > 3, "nothing has changed: this proves nothing"
        relay.check_health()
