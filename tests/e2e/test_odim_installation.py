"""
An ODIM installation with all there is in one: who gets what, held against a reference that is told by the rules alone.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.odim_installation import MadeUp
from tests.support.odim_plugins import Plugins, envelope
from tests.support.odim_redis import OdimRedis, OdimSubscription
from tests.support.odim_reference import AGGREGATES, Arrival, Installation, Reference, arrival_of
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

SERVERS, GROUPS, SUBSCRIBERS, EVENTS = 2_000, 50, 200, 10_000
"""
EVENTS twice: before and after a change of everything.
"""
PATIENCE_S = 600.0


@dataclass(slots=True)
class Scene:
    """
    An installation, and who must have got what of its events so far.
    """

    relay: Relay
    receiver: Receiver
    odim: OdimRedis
    made_up: MadeUp
    plugins: Plugins
    installation: Installation
    paths: dict[str, str] = field(default_factory=dict)
    expected: dict[str, Counter[Arrival]] = field(default_factory=dict)
    event_count: int = 0

    def know(self, subscriptions: Sequence[OdimSubscription]) -> None:
        for one in subscriptions:
            path = one.name.partition("?")[0]
            self.paths[one.id] = path
            self.expected.setdefault(path, Counter())

    def publish(self, count: int) -> None:
        """
        Let plugins speak, and tell the reference.
        """
        said = list(self.plugins.events(count, self.installation))
        self.relay.publish(map(envelope, said), wrapped=False, wanted_by=())
        reference = Reference(self.installation)
        for one in said:
            for subscription_id, arrival in reference.arrivals(one):
                self.expected[self.paths[subscription_id]][arrival] += 1
        self.event_count += count

    @property
    def expected_count(self) -> int:
        return sum(counts.total() for counts in self.expected.values())

    def wait_for_all(self) -> None:
        """
        Wait until as much has come as must, or nothing is to be done any more.
        """
        wait_until(
            lambda: self.relay.unread_count() == 0 and self.relay.is_settled(),
            timeout_s=PATIENCE_S,
            what="the end of all work",
        )

    def arrived(self) -> dict[str, Counter[Arrival]]:
        return {
            path: Counter(arrival_of(json.loads(body)) for _, _, body in self.receiver.bodies(path))
            for path in self.expected
        }


@pytest.fixture
def scene(kafka: KafkaServer | KafkaMock, fresh_redis: RedisServer, tmp_path: Path) -> Iterator[Scene]:
    if isinstance(kafka, KafkaMock):
        pytest.skip("needs Apache Kafka, but there is only librdkafka's mock broker")
    made_up = MadeUp(2026)
    devices = made_up.devices(SERVERS)
    aggregates = made_up.aggregates(GROUPS, list(devices.values()))
    with RedisServer(tmp_path / "odim-redis") as odim_server, Receiver.start(scheme="https") as receiver:
        subscriptions = made_up.subscriptions(SUBSCRIBERS, list(devices.values()), list(aggregates), receiver.url)
        odim = OdimRedis(odim_server)
        odim.turn_on_notifications()
        odim.put_own_rows()
        odim.put_devices({address: [origin] for address, origin in devices.items()})
        for id_, elements in aggregates.items():
            odim.put_aggregate(id_, elements)
        odim.subscribe(*subscriptions)
        relay = Relay(
            tmp_path / "relay",
            redis=fresh_redis,
            kafka=kafka.bootstrap_servers,
            receiver=receiver,
            partitions=4,
            workers=2,
            settings={"ODIM__REDIS_URL": odim_server.url()},
        )
        installation = Installation(devices, aggregates, subscriptions)
        with relay:
            scene = Scene(relay, receiver, odim, made_up, Plugins(7), installation)
            scene.know(subscriptions)
            yield scene


def change_everything(scene: Scene) -> None:
    """
    Servers come, go and move, an aggregate gets others, subscribers come, go and change; returns when it is known here.
    """
    before, odim = scene.installation, scene.odim
    devices = dict(before.devices)
    gone, moved = list(devices)[:5], list(devices)[5:10]
    # Five swap their addresses, five are new. Those that have gone say nothing any more, and are forgotten later.
    rotated = dict(zip(moved, [devices[address] for address in (*moved[1:], moved[0])], strict=True))
    fresh = {f"10.99.0.{number}": f"/redfish/v1/Systems/{scene.made_up.id()}.1" for number in range(1, 6)}
    for address in (*gone, *moved):
        odim.remove_device(address)
        del devices[address]
    devices |= {**rotated, **fresh}
    odim.put_devices({address: [origin] for address, origin in {**rotated, **fresh}.items()})
    aggregates = {id_: [*elements, *fresh.values()] for id_, elements in before.aggregates.items()}
    for id_, elements in aggregates.items():
        odim.put_aggregate(id_, elements, fresh)
    left, stay = before.subscriptions[-5:], list(before.subscriptions[:-5])
    for one in left:
        odim.unsubscribe(one.id)
    changed = [
        replace(one, origin_resources=("/redfish/v1/Managers",), subordinate_resources=True, event_types=("Alert",))
        for one in stay[10:20]
    ]
    added = [
        OdimSubscription(
            id=scene.made_up.id(),
            destination=scene.receiver.url(f"/added/{number}"),
            name=f"/added/{number}",
            origin_resources=(origin,),
            subordinate_resources=True,
        )
        for number, origin in enumerate(fresh.values())
    ]
    odim.subscribe(*changed, *added)
    scene.know(added)
    scene.installation = Installation(devices, aggregates, [*stay[:10], *changed, *stay[20:], *added])
    wait_for_view(scene)


def wait_for_view(scene: Scene) -> None:
    """
    Wait until all that ODIM has is known here, and no subscription that it has not.
    """
    installation = scene.installation
    wanted = {one.id: (one.origin_resources, one.event_types) for one in installation.subscriptions}
    elements = {(element, AGGREGATES + id_) for id_, listed in installation.aggregates.items() for element in listed}

    def is_known() -> bool:
        _, subscriptions, _ = scene.relay.store.changes_since(0)
        known = {one.subscription_id: (one.filters.origin_resources, one.filters.event_types) for one in subscriptions}
        _, inventory = scene.relay.inventory.read()
        return (
            known == wanted
            and inventory.origins.items() >= installation.devices.items()
            and elements == {(element, uri) for element, uris in inventory.aggregates.items() for uri in uris}
        )

    wait_until(is_known, timeout_s=PATIENCE_S, what="ODIM's tables to be known")


def test_everybody_gets_what_the_rules_say_once_before_and_after_everything_has_changed(scene: Scene) -> None:
    wait_for_view(scene)
    began_at = time.monotonic()
    scene.publish(EVENTS)
    scene.wait_for_all()
    change_everything(scene)
    scene.publish(EVENTS)
    scene.wait_for_all()
    took_s = time.monotonic() - began_at

    arrived = scene.arrived()
    lost = {path: wanted - arrived[path] for path, wanted in scene.expected.items() if wanted - arrived[path]}
    strange = {path: arrived[path] - wanted for path, wanted in scene.expected.items() if arrived[path] - wanted}
    requests = sum(scene.receiver.request_count(path) for path in scene.expected)
    print(
        f"{len(scene.installation.devices)} servers, {len(scene.installation.aggregates)} aggregates, "
        f"{len(scene.paths)} subscribers, {scene.event_count} events: {requests} requests in {took_s:.0f} s, "
        f"{scene.expected_count} expected, lost {sum(map(Counter.total, lost.values()))}, "
        f"doubled or strange {sum(map(Counter.total, strange.values()))}"
    )
    assert not lost, next(iter(lost.items()))
    assert not strange, next(iter(strange.items()))
    assert scene.expected_count > 30_000
    assert sum(1 for counts in scene.expected.values() if counts) > SUBSCRIBERS * 0.7
    counters = scene.relay.ledger.counters()
    assert counters["events_unknown_source"] > 0
    assert scene.relay.ledger.quarantine_count() == 0
    scene.relay.check_health()
