from collections.abc import Sequence

import pytest

from odim_relay.domain.event import Event, EventFormat, EventRecord, Shape
from odim_relay.domain.identity import delivery_id, event_id
from odim_relay.ports import IngestBatch, Position, Record, TaskTicket
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import MOST_BYTES, MOST_DELIVERIES, Ingest, PositionMovedError
from odim_relay.use_cases.untraced import Untraced
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState
from tests.fakes.samples import PARTITION, START, decode, subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore


class Noting(InMemoryIngestLedger):
    """
    Keeps the batches that were offered.
    """

    def __init__(self, state: LedgerState) -> None:
        super().__init__(state)
        self.batches: list[IngestBatch] = []

    def ingest(self, batch: IngestBatch) -> Sequence[TaskTicket] | None:
        self.batches.append(batch)
        return super().ingest(batch)


class World:
    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 0)
        self.store = InMemorySubscriptionStore(self.state)
        self.ledger = Noting(self.state)
        self.matchers = MatcherDirectory(
            self.store, InMemoryEventServiceStore(self.store.state), InMemoryInventoryStore(self.store.state)
        )
        self.ingest = Ingest(
            ledger=self.ledger, matchers=self.matchers, decoders={PARTITION.topic: decode}, tracer=Untraced()
        )
        self.ledger.set_position(PARTITION, None, START)

    def subscribe(self, id_: str, *wanted: str, context: str | None = None) -> None:
        self.store.save(subscription(id_, *wanted, context=context))
        self.matchers.refresh()

    def subscribe_many(self, count: int, *wanted: str) -> list[str]:
        ids = [f"s{number:04}" for number in range(count)]
        for id_ in ids:
            self.store.save(subscription(id_, *wanted))
        self.matchers.refresh()
        return ids

    def take(self, *values: str, position: Position = START, parse: bool = True) -> list[tuple[Position, list[str]]]:
        records = [Record(offset=offset, value=value.encode()) for offset, value in enumerate(values)]
        steps = self.ingest.take(PARTITION, position, records, parse=parse)
        return [(reached, [ticket.delivery_id for ticket in tickets]) for reached, tickets in steps]

    @property
    def owners(self) -> list[str]:
        return [kept.subscription_id for kept in self.state.deliveries.values()]


@pytest.fixture
def world() -> World:
    return World()


def at(offset: int, cursor: str = "") -> Position:
    return Position(topic_epoch="epoch", offset=offset, cursor=cursor)


def named(offset: int, index: int, subscription_id: str) -> str:
    return delivery_id(event_id("epoch", PARTITION.topic, PARTITION.partition, offset, index), subscription_id)


def test_a_record_becomes_one_delivery_per_event_and_subscription_by_rule_l3(world: World) -> None:
    world.subscribe("a", "A")
    world.subscribe("b", "B")

    assert world.take("A|AB") == [(at(1), [named(0, 0, "a"), named(0, 1, "a"), named(0, 1, "b")])]


def test_a_delivery_has_the_shape_that_was_matched(world: World) -> None:
    world.subscribe("a", "A", context="mine")
    world.subscribe("all", "A", "B")

    world.take("BA")

    assert {kept.subscription_id: kept.shape for kept in world.state.deliveries.values()} == {
        "a": Shape(records=(1,), context="mine"),
        "all": Shape(),
    }


def test_an_event_is_written_once_however_many_want_it(world: World) -> None:
    for id_ in "abc":
        world.subscribe(id_)

    world.take("A")

    assert [event.payload for event in world.ledger.batches[0].events] == [b"A#0"]
    assert world.owners == ["a", "b", "c"]


def test_the_position_moves_also_when_nobody_wants_anything(world: World) -> None:
    assert world.take("A", "B|C") == [(at(2), [])]
    assert world.state.counters == {"records_ingested": 2, "events_ingested": 3, "events_unmatched": 3}


def test_records_below_the_position_are_passed_over_by_rule_l10(world: World) -> None:
    world.subscribe("a")
    world.ledger.set_position(PARTITION, START, at(2))

    assert world.take("A", "A", "A", position=at(2)) == [(at(3), [named(2, 0, "a")])]


def test_nothing_is_written_for_no_records(world: World) -> None:
    assert world.take() == []
    assert world.ledger.batches == []


def test_a_stale_position_is_refused_and_the_ledgers_own_told_by_rule_l9(world: World) -> None:
    world.subscribe("a")
    world.ledger.set_position(PARTITION, START, at(5))

    with pytest.raises(PositionMovedError) as moved:
        world.take("A")

    assert moved.value.position == at(5)
    assert world.owners == []


def test_a_batch_matched_with_older_subscriptions_is_matched_again_by_rule_l9(world: World) -> None:
    world.subscribe("a")
    world.store.save(subscription("new"))

    world.take("A")

    assert len(world.ledger.batches) == 2
    assert world.owners == ["a", "new"]


def test_a_deleted_subscription_gets_nothing_of_what_is_taken_in_after(world: World) -> None:
    world.subscribe("a")
    world.subscribe("b")
    world.store.delete("a")

    world.take("A")

    assert world.owners == ["b"]


def test_an_undecodable_record_is_quarantined_with_its_bytes_and_its_neighbours_are_not(world: World) -> None:
    world.subscribe("a")

    world.take("A", "?x", "A")

    (entry,) = world.state.quarantine.values()
    assert (entry.entry_id, entry.value, entry.reason) == ("epoch/events/0/1", b"?x", "unreadable")
    assert len(world.owners) == 2


def test_an_ignored_record_is_counted(world: World) -> None:
    world.take("-")

    assert world.state.counters == {"records_ingested": 1, "records_ignored": 1, "records_ignored:said_so": 1}


def test_records_that_are_not_to_be_parsed_are_quarantined_unread_by_rule_l16(world: World) -> None:
    world.subscribe("a")

    world.take("!", parse=False)

    assert [entry.reason for entry in world.state.quarantine.values()] == ["unparsed"]
    assert world.state.positions[PARTITION] == at(1)


def test_a_record_for_more_than_a_batch_is_written_in_steps_that_a_cursor_joins(world: World) -> None:
    ids = world.subscribe_many(300)

    steps = world.take("A|A")

    assert [position for position, _ in steps] == [at(0, "000001/s0199"), at(1)]
    first, second = ([named(0, index, id_) for id_ in ids] for index in (0, 1))
    assert [written for _, written in steps] == [[*first, *second[:200]], second[200:]]
    assert world.state.counters["events_ingested"] == 2
    assert world.state.counters["records_ingested"] == 1


def test_a_bridge_that_takes_over_within_a_record_goes_on_behind_the_cursor(world: World) -> None:
    ids = world.subscribe_many(300)
    records = [Record(offset=0, value=b"A|A")]
    next(iter(world.ingest.take(PARTITION, START, records)))
    heir = Ingest(ledger=world.ledger, matchers=world.matchers, decoders={PARTITION.topic: decode}, tracer=Untraced())
    stands = world.ledger.position(PARTITION)
    assert stands is not None

    written = [ticket.delivery_id for _, step in heir.take(PARTITION, stands, records) for ticket in step]

    assert written == [named(0, 1, id_) for id_ in ids[200:]]


def test_an_unmatched_event_within_a_split_record_is_counted_once(world: World) -> None:
    world.subscribe_many(500, "A")

    world.take("A|B|A|B")

    assert len(world.ledger.batches) == 2
    assert world.state.counters["events_unmatched"] == 2


def test_a_batch_has_a_limit_of_deliveries_by_rule_l8(world: World) -> None:
    for number in range(7):
        world.subscribe(f"s{number}")

    world.take(*["A"] * 100)

    sizes = [len(batch.deliveries) for batch in world.ledger.batches]
    assert max(sizes) == MOST_DELIVERIES
    assert sum(sizes) == 700


def test_a_batch_has_a_limit_of_bytes_by_rule_l8(world: World) -> None:
    world.subscribe("a")
    size = MOST_BYTES // 2 + 1
    large = Event(format=EventFormat.EVENT, payload=bytes(size), records=(EventRecord(),))
    ingest = Ingest(
        ledger=world.ledger,
        matchers=world.matchers,
        decoders={PARTITION.topic: lambda _: (large, large)},
        tracer=Untraced(),
    )

    assert len(list(ingest.take(PARTITION, START, [Record(offset=offset, value=b"") for offset in range(3)]))) == 3

    assert [len(batch.deliveries) for batch in world.ledger.batches] == [2, 2, 2]
