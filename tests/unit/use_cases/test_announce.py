import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from odim_relay.domain.event import EventFormat, Shape
from odim_relay.domain.identity import delivery_id
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters, SubscriptionType
from odim_relay.errors import PermanentError
from odim_relay.ports import Aftermath, InventoryContent, NewDelivery, NewEvent
from odim_relay.use_cases.announce import Announce
from odim_relay.use_cases.directory import MatcherDirectory
from tests.fakes.announcing_ledger import InMemoryAnnouncingLedger
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.journal import InMemoryJournal
from tests.fakes.ledger_state import LedgerState
from tests.fakes.publisher import InMemoryPublisher
from tests.fakes.samples import subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore

RECORDS = [
    {"EventType": "Alert", "MessageId": message_id, "MemberId": str(number)}
    for number, message_id in enumerate(("A.1.0.One", "B.1.0.Two"))
]
ALERT = json.dumps({"@odata.type": "#Event.v1_13_0.Event", "Id": "1", "Name": "One", "Events": RECORDS}).encode()
REPORT = b'{"@odata.type": "#MetricReport.v1_5_2.MetricReport", "MetricValues": []}'


class Ledger(InMemoryAnnouncingLedger):
    """
    Keeps what it was asked to write; lets the subscriptions change before the first write where it is told how.
    """

    def __init__(self, ingest: InMemoryIngestLedger) -> None:
        super().__init__(ingest)
        self.asked: list[tuple[NewEvent, Sequence[NewDelivery]]] = []
        self.before: list[InMemorySubscriptionStore] = []

    def announce(self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int) -> Aftermath | None:
        for store in self.before:
            store.save(subscription("late"))
        self.before = []
        self.asked.append((event, deliveries))
        return super().announce(event, deliveries, generation)


class World:
    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 5_000)
        self.journal = InMemoryJournal(state=self.state)
        self.store = InMemorySubscriptionStore(self.state)
        self.services = InMemoryEventServiceStore(self.state, self.journal)
        self.inventory = InMemoryInventoryStore(self.state)
        self.ledger = Ledger(InMemoryIngestLedger(self.state, journal=self.journal))
        self.publisher = InMemoryPublisher()
        self.announce = Announce(
            ledger=self.ledger,
            matchers=MatcherDirectory(self.store, self.services, self.inventory),
            publisher=self.publisher,
            new_id=lambda: "an-id",
            now_s=lambda: 5.0,
        )
        self.store.save(replace(subscription("a", "A"), context="mine"))
        self.store.save(subscription("all"))
        self.store.save(subscription("c", "C"))
        self.store.save(replace(subscription("stream"), kind=SubscriptionType.SSE))

    @property
    def shapes(self) -> dict[str, Shape]:
        return {kept.subscription_id: kept.shape for kept in self.state.deliveries.values()}


def test_an_event_goes_to_whoever_wants_it_and_as_much_of_it() -> None:
    world = World()

    assert world.announce(ALERT) == 2

    assert world.shapes == {"a": Shape(records=(0,), context="mine"), "all": Shape()}
    assert sorted(ticket.delivery_id for ticket in world.publisher.queue) == sorted(
        delivery_id("an-id", id_) for id_ in ("a", "all")
    )
    ((event, _),) = world.ledger.asked
    assert (event.event_id, event.payload, event.recorded_at_ms) == ("an-id", ALERT, 5_000)


def test_an_aggregate_means_its_elements_for_events_of_our_own_too() -> None:
    world = World()
    rack, machine = "/redfish/v1/AggregationService/Aggregates/rack", "/redfish/v1/Systems/1"
    world.store.save(replace(subscription("rack"), filters=Filters(origin_resources=(rack,))))
    world.inventory.replace(Keeper.OWN, InventoryContent(aggregates={rack: (machine,)}))
    event = {"@odata.type": "#Event.v1_13_0.Event", "Events": [{"OriginOfCondition": {"@odata.id": machine}}]}

    world.announce(json.dumps(event).encode())

    assert sorted(world.shapes) == ["all", "rack"]


def test_it_goes_to_these_only_whatever_their_filters() -> None:
    world = World()
    world.services.update(lambda said: replace(said, keeps_journal=True))

    assert world.announce(ALERT, only=["a", "c", "stream", "unknown"]) == 2

    assert world.shapes == {"a": Shape(context="mine"), "c": Shape()}
    assert world.journal.entries == []


def test_it_goes_to_all_whatever_their_filters() -> None:
    world = World()
    world.store.save(replace(subscription("reports"), event_format=EventFormat.METRIC_REPORT))

    assert world.announce(ALERT, to_all=True) == 4

    assert sorted(world.shapes) == ["a", "all", "c", "reports"]


@pytest.mark.parametrize("to_all", [False, True])
def test_it_is_journaled_for_who_follows_a_stream_also_when_nobody_else_wants_it(*, to_all: bool) -> None:
    world = World()
    for id_ in ("a", "all", "c"):
        world.store.delete(id_)
    world.services.update(lambda said: replace(said, keeps_journal=True))

    assert world.announce(ALERT, to_all=to_all) == 0

    assert [entry.payload for entry in world.journal.entries] == [ALERT]


def test_an_event_that_nobody_wants_is_not_written() -> None:
    world = World()

    assert world.announce(REPORT) == 0
    assert world.announce(ALERT, only=[]) == 0

    assert world.ledger.asked == []


def test_it_is_matched_again_when_the_subscriptions_changed_meanwhile() -> None:
    world = World()
    world.ledger.before = [world.store]

    assert world.announce(ALERT) == 3

    assert sorted(world.shapes) == ["a", "all", "late"]


def test_very_many_deliveries_are_written_in_steps_each_once() -> None:
    world = World()
    for number in range(1_100):
        world.store.save(subscription(f"{number:04}"))
    world.services.update(lambda said: replace(said, keeps_journal=True))

    assert world.announce(ALERT) == 1_102

    assert [len(deliveries) for _, deliveries in world.ledger.asked] == [500, 500, 102]
    assert len(world.state.deliveries) == 1_102
    assert len(world.journal.entries) == 1


def test_metric_reports_go_to_who_wants_them() -> None:
    world = World()
    world.store.save(replace(subscription("reports"), event_format=EventFormat.METRIC_REPORT, filters=Filters()))

    assert world.announce(REPORT) == 1


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b"\xff"])
def test_what_is_no_event_is_refused(payload: bytes) -> None:
    with pytest.raises(PermanentError, match="no event"):
        World().announce(payload)


def test_a_broker_that_is_away_does_not_matter() -> None:
    world = World()
    world.publisher.is_down = True

    assert world.announce(ALERT) == 2
