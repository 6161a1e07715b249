from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from odim_relay.domain.event import Event, EventFormat, EventRecord
from odim_relay.domain.identity import delivery_id, event_id
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters
from odim_relay.formats import Decoder
from odim_relay.ports import IngestBatch, InventoryContent, QuarantinedRecord, ReplayRefusal, TaskTicket
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.quarantine import (
    EntrySelection,
    NotThere,
    ReplayQuarantine,
    Stays,
    TakenIn,
    select_entries,
)
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState
from tests.fakes.publisher import InMemoryPublisher
from tests.fakes.samples import decode, subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore


def entry(entry_id: str, *, reason: str = "unreadable", at_ms: int = 100) -> QuarantinedRecord:
    return QuarantinedRecord(
        entry_id=entry_id,
        record=entry_id.partition("/")[2],
        recorded_at_ms=7,
        quarantined_at_ms=at_ms,
        reason=reason,
        detail="",
        size=1,
    )


class Quarantine:
    """
    `QuarantineListing` and `QuarantineLedger` over a dict; `on_replay` happens before each write.
    """

    def __init__(self, state: LedgerState, **values: bytes) -> None:
        self.state = state
        self.values = {f"epoch/{name.replace('_', '/')}": value for name, value in values.items()}
        self.batches: list[IngestBatch] = []
        self.before_writes: list[str] = []

    def entries(self) -> Iterator[QuarantinedRecord]:
        return (entry(id_) for id_ in self.values)

    def entry(self, entry_id: str) -> tuple[QuarantinedRecord, bytes] | None:
        return (entry(entry_id), self.values[entry_id]) if entry_id in self.values else None

    def replay(self, entry_id: str, batch: IngestBatch) -> Sequence[TaskTicket] | ReplayRefusal:
        match self.before_writes.pop(0) if self.before_writes else "":
            case "subscribe":
                InMemorySubscriptionStore(self.state).save(subscription("late"))
            case "take away":
                del self.values[entry_id]
        if entry_id not in self.values:
            return ReplayRefusal.ENTRY_GONE
        if batch.generation != self.state.generation:
            return ReplayRefusal.GENERATION
        del self.values[entry_id]
        self.batches.append(batch)
        return [TaskTicket(delivery_id=one.delivery_id, seq=1) for one in batch.deliveries]

    def discard(self, entry_ids: Sequence[str]) -> int:
        raise NotImplementedError(entry_ids)


class World:
    def __init__(self, **values: bytes) -> None:
        self.state = LedgerState(now_ms=lambda: 0)
        self.store = store = InMemorySubscriptionStore(self.state)
        self.decoders: dict[str, Decoder] = {"T": decode}
        for name in ("A", "B"):
            store.save(subscription(name, name))
        self.quarantine = Quarantine(self.state, **values)
        self.publisher = InMemoryPublisher()
        self.matchers = MatcherDirectory(
            store, InMemoryEventServiceStore(store.state), InMemoryInventoryStore(store.state)
        )
        self.replay = ReplayQuarantine(
            ledger=self.quarantine,
            listing=self.quarantine,
            matchers=self.matchers,
            decoders=self.decoders,
            publisher=self.publisher,
        )


def test_deliveries_have_the_names_that_they_would_have_had() -> None:
    world = World(T_3_9=b"C|A|AB")
    assert world.replay("epoch/T/3/9") == TakenIn(event_count=3, delivery_count=3, is_published=True)
    (batch,) = world.quarantine.batches
    second, third = (event_id("epoch", "T", 3, 9, index) for index in (1, 2))
    assert [one.delivery_id for one in batch.deliveries] == [
        delivery_id(second, "A"),
        delivery_id(third, "A"),
        delivery_id(third, "B"),
    ]
    assert [(one.event_id, one.payload, one.record, one.recorded_at_ms) for one in batch.events] == [
        (second, b"C|A|AB#1", "T/3/9", 7),
        (third, b"C|A|AB#2", "T/3/9", 7),
    ]
    assert [one.event_index for one in batch.deliveries] == [0, 1, 1]
    assert (batch.event_count, batch.unmatched_count, batch.ignored) == (3, 1, {})
    assert len(world.publisher.queue) == 3


def test_what_is_not_for_subscribers_leaves_the_quarantine_too() -> None:
    world = World(T_3_9=b"-")
    assert world.replay("epoch/T/3/9") == TakenIn(event_count=0, delivery_count=0, is_published=True)
    assert world.quarantine.batches[0].ignored == {"said_so": 1}


def test_what_cannot_be_understood_today_stays() -> None:
    world = World(T_3_9=b"?", U_3_9=b"A", odd=b"A", T_x_9=b"A")
    assert world.replay("epoch/T/3/9") == Stays(reason="unreadable", detail="it says so")
    assert world.replay("epoch/U/3/9") == Stays(reason="no_decoder", detail="KAFKA__TOPICS does not name U")
    for odd in ("epoch/odd", "epoch/T/x/9"):
        answer = world.replay(odd)
        assert isinstance(answer, Stays)
        assert answer.reason == "no_place"
    assert world.replay("epoch/T/3/10") == NotThere()
    assert len(world.quarantine.values) == 4


def test_it_is_matched_again_when_the_subscriptions_change_meanwhile() -> None:
    world = World(T_3_9=b"A")
    world.quarantine.before_writes = ["subscribe"]
    assert world.replay("epoch/T/3/9") == TakenIn(event_count=1, delivery_count=2, is_published=True)


def test_what_somebody_else_took_is_theirs() -> None:
    world = World(T_3_9=b"A")
    world.quarantine.before_writes = ["take away"]
    assert world.replay("epoch/T/3/9") == NotThere()
    assert world.publisher.queue == []


def test_a_broker_that_is_away_is_told_of() -> None:
    world = World(T_3_9=b"A")
    world.publisher.is_down = True
    assert world.replay("epoch/T/3/9") == TakenIn(event_count=1, delivery_count=1, is_published=False)


@pytest.mark.parametrize(
    ("selection", "is_wanted"),
    [
        (EntrySelection(), True),
        (EntrySelection(topics=["a", "T"]), True),
        (EntrySelection(topics=["a"]), False),
        (EntrySelection(reasons=["unreadable"]), True),
        (EntrySelection(reasons=["other"]), False),
        (EntrySelection(since_ms=100, until_ms=100), True),
        (EntrySelection(since_ms=101), False),
        (EntrySelection(until_ms=99), False),
        (EntrySelection(entry_ids=["e/T/3/9"], reasons=["other"]), False),
    ],
)
def test_a_selection_wants_what_all_its_members_want(selection: EntrySelection, is_wanted: bool) -> None:
    assert selection.wants(entry("e/T/3/9")) is is_wanted


def test_ids_are_looked_up_once_each_in_the_order_given() -> None:
    quarantine = Quarantine(LedgerState(now_ms=lambda: 0), T_3_1=b"", T_3_2=b"")
    wanted = EntrySelection(entry_ids=["epoch/T/3/2", "epoch/T/3/1", "epoch/T/3/2", "x"])
    assert [one.entry_id for one in select_entries(quarantine, wanted)] == ["epoch/T/3/2", "epoch/T/3/1"]
    assert len(list(select_entries(quarantine, EntrySelection()))) == 2


def test_an_event_comes_out_of_quarantine_by_the_names_that_its_machine_has() -> None:
    machine = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"
    rack = "/redfish/v1/AggregationService/Aggregates/rack"
    events = (
        Event(
            format=EventFormat.EVENT,
            payload=b'{"Events":[{"OriginOfCondition":{"@odata.id":"/redfish/v1/Systems/1"}}]}',
            records=(EventRecord(origin="/redfish/v1/Systems/1"),),
            source=source,
        )
        for source in ("10.0.0.1", "10.9.9.9")
    )
    known, unknown = events
    world = World(T_3_9=b"anything")
    world.decoders["T"] = lambda _: (known, unknown)
    world.store.save(replace(subscription("rack"), filters=Filters(origin_resources=(rack,))))
    InMemoryInventoryStore(world.state).replace(
        Keeper.ODIM, InventoryContent(sources={"10.0.0.1": machine}, aggregates={rack: (machine,)})
    )

    assert world.replay("epoch/T/3/9") == TakenIn(event_count=2, delivery_count=1, is_published=True)

    (batch,) = world.quarantine.batches
    assert [one.payload for one in batch.events] == [known.payload.replace(b"/redfish/v1/Systems/1", machine.encode())]
    assert (batch.unmatched_count, batch.unknown_source_count) == (1, 1)
