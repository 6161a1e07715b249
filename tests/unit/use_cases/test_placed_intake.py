"""
What an inventory means for what is taken in: from Kafka, and out of quarantine.
"""

import base64
import json
from typing import Any

import pytest

from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.formats import odim
from odim_relay.ports import InventoryChange, InventoryContent, Record
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import Ingest
from odim_relay.use_cases.untraced import Untraced
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState
from tests.fakes.samples import DESTINATION, PARTITION, START
from tests.fakes.subscription_store import InMemorySubscriptionStore

MACHINE = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"
OTHER = "/redfish/v1/Systems/0f7b1c9e-0e3c-4c35-a5bb-7f3d2d9a1b11.1"
RACK = "/redfish/v1/AggregationService/Aggregates/rack"
KNOWN = InventoryContent(sources={"10.0.0.1": MACHINE, "10.0.0.2": OTHER}, aggregates={RACK: (MACHINE,)})


def record(source: str, *origins: str) -> bytes:
    """
    One event out of ODIM, with a record for each origin.
    """
    members = [
        {"MessageId": "R.1.0.K", "EventType": "Alert", "OriginOfCondition": {"@odata.id": origin}} for origin in origins
    ]
    body = json.dumps({"@odata.type": "#Event.v1_7_0.Event", "Id": "1", "Name": "Events", "Events": members})
    return json.dumps({"ip": source, "request": base64.b64encode(body.encode()).decode()}).encode()


class World:
    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 0)
        self.store = InMemorySubscriptionStore(self.state)
        self.inventory = InMemoryInventoryStore(self.state)
        self.ledger = InMemoryIngestLedger(self.state)
        self.matchers = MatcherDirectory(self.store, InMemoryEventServiceStore(self.state), self.inventory)
        self.ingest = Ingest(
            ledger=self.ledger, matchers=self.matchers, decoders={PARTITION.topic: odim.decode}, tracer=Untraced()
        )
        self.ledger.set_position(PARTITION, None, START)

    def subscribe(self, id_: str, *origins: str) -> None:
        self.store.save(
            Subscription(subscription_id=id_, destination=DESTINATION, filters=Filters(origin_resources=origins))
        )

    def take(self, value: bytes) -> list[str]:
        """
        Take one record in, behind those before. Returns whom it goes to.
        """
        self.state.deliveries.clear()
        position = self.state.positions[PARTITION]
        for _ in self.ingest.take(PARTITION, position, [Record(offset=position.offset, value=value)]):
            pass
        return sorted(kept.subscription_id for kept in self.state.deliveries.values())

    @property
    def origins(self) -> list[str]:
        """
        Of the records of the event that was taken in last.
        """
        *_, body = self.state.bodies.values()
        payload: dict[str, Any] = json.loads(body.payload)
        return [member["OriginOfCondition"]["@odata.id"] for member in payload["Events"]]


@pytest.fixture
def world() -> World:
    world = World()
    world.subscribe("all")
    world.subscribe("machine", MACHINE)
    world.subscribe("rack", RACK)
    return world


def test_an_event_is_kept_and_matched_by_the_names_that_its_machine_has(world: World) -> None:
    world.inventory.replace(Keeper.ODIM, KNOWN)

    assert world.take(record("10.0.0.1:45002", "/redfish/v1/Systems/1")) == ["all", "machine", "rack"]
    assert world.origins == [MACHINE]
    assert world.take(record("10.0.0.2", "/redfish/v1/Systems/1")) == ["all"]
    assert world.origins == [OTHER]
    assert world.state.counters["events_unknown_source"] == 0


def test_while_no_source_is_known_an_event_is_taken_at_its_word(world: World) -> None:
    assert world.take(record("10.0.0.1", MACHINE)) == ["all", "machine"]
    assert world.origins == [MACHINE]
    assert world.state.counters["events_unknown_source"] == 0


def test_an_event_of_an_unknown_source_goes_to_who_asked_for_no_origin_and_is_counted(world: World) -> None:
    world.inventory.replace(Keeper.OWN, KNOWN)

    assert world.take(record("10.9.9.9", MACHINE, MACHINE)) == ["all"]

    assert world.origins == [MACHINE, MACHINE]
    assert world.state.counters["events_unknown_source"] == 1
    assert world.state.counters["events_unmatched"] == 0


def test_it_is_counted_where_nobody_wants_it_too(world: World) -> None:
    world.store.delete("all")
    world.inventory.replace(Keeper.OWN, KNOWN)

    assert world.take(record("10.9.9.9", MACHINE)) == []

    assert world.state.counters["events_unknown_source"] == world.state.counters["events_unmatched"] == 1


def test_it_is_counted_once_however_many_batches_it_takes(world: World) -> None:
    for number in range(1_200):
        world.subscribe(f"{number:04}")
    world.inventory.replace(Keeper.OWN, KNOWN)

    assert len(world.take(record("10.9.9.9", MACHINE))) == 1_201

    assert world.state.counters["events_unknown_source"] == 1


def test_what_changes_while_an_event_is_taken_in_has_it_placed_again(world: World) -> None:
    world.inventory.replace(Keeper.OWN, KNOWN)
    world.matchers.refresh()
    world.inventory.change(Keeper.OWN, InventoryChange(sources={"10.0.0.1": OTHER}, aggregates={RACK: (OTHER,)}))

    assert world.take(record("10.0.0.1", "/redfish/v1/Systems/1")) == ["all", "rack"]

    assert world.origins == [OTHER]


def test_a_record_of_many_batches_is_placed_again_when_the_inventory_changes_between_them(world: World) -> None:
    for number in range(600):
        world.subscribe(f"{number:04}")
    world.inventory.replace(Keeper.OWN, KNOWN)
    value = record("10.0.0.1", "/redfish/v1/Systems/1")
    steps = world.ingest.take(PARTITION, START, [Record(offset=0, value=value)])
    next(steps)

    world.inventory.change(Keeper.OWN, InventoryChange(aggregates={RACK: ()}))
    list(steps)

    assert {kept.subscription_id for kept in world.state.deliveries.values()} >= {"0000", "0599", "all", "machine"}
    assert "rack" not in {kept.subscription_id for kept in world.state.deliveries.values()}
