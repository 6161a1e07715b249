import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.event import WHOLE
from odim_relay.domain.identity import delivery_id, imported_event_id
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import SubscriptionType
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, NewDelivery, NewEvent
from odim_relay.use_cases.odim_undelivered import AT_ONCE, Imported, ImportUndelivered, Survey
from tests.fakes.announcing_ledger import InMemoryAnnouncingLedger
from tests.fakes.imported_events import InMemoryImportedEvents
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.ledger_state import LedgerState
from tests.fakes.odim_store import InMemoryOdimStore
from tests.fakes.publisher import InMemoryPublisher
from tests.fakes.samples import subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore

HOOK = "https://192.0.2.1/hook"
NOW_MS = 9_000


class Ledger(InMemoryAnnouncingLedger):
    """
    Does something before a write, where it is told what and before which.
    """

    def __init__(self, ingest: InMemoryIngestLedger) -> None:
        super().__init__(ingest)
        self.count = 0
        self.before: dict[int, Callable[[], object]] = {}

    def announce(self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int) -> Aftermath | None:
        self.before.pop(self.count, lambda: None)()
        self.count += 1
        return super().announce(event, deliveries, generation)


class World:
    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 5_000)
        self.store = InMemorySubscriptionStore(self.state)
        self.store.save(subscription("s", destination=HOOK))
        self.odim = InMemoryOdimStore()
        self.ledger = Ledger(InMemoryIngestLedger(self.state))
        self.imported = InMemoryImportedEvents()
        self.importing = ImportUndelivered(
            odim=self.odim,
            ledger=self.ledger,
            store=self.store,
            imported=self.imported,
            publisher=InMemoryPublisher(),
            now_s=lambda: NOW_MS / 1000,
        )

    def put(self, number: int, *, instant: str = "", destination: str = HOOK) -> str:
        key = f"UndeliveredEvents:{destination}:{UUID(int=number)}"
        self.odim.events[key] = json.dumps({"Events": [{"EventId": str(number), "EventTimestamp": instant}]}).encode()
        return key

    def survey(self) -> Survey:
        return self.importing.survey(read=lambda _: None)

    def run(self) -> Imported:
        return self.importing.apply(self.survey(), lambda _: None)

    def parked(self, subscription_id: str = "s") -> list[bytes]:
        return [self.state.bodies[kept.event_id].payload for kept in self.state.parked_of(subscription_id)]

    def deliver_all(self) -> list[str]:
        ids = list(self.state.deliveries)
        for id_ in ids:
            self.state.forget(id_)
        return ids


@pytest.fixture
def world() -> World:
    return World()


def test_an_event_is_parked_whole_under_an_id_of_its_key(world: World) -> None:
    key = world.put(1, instant="1970-01-01T00:00:07Z")
    assert world.run() == Imported(count=1)

    (kept,) = world.state.deliveries.values()
    event = imported_event_id(key)
    assert (kept.delivery_id, kept.event_id, kept.subscription_id) == (delivery_id(event, "s"), event, "s")
    assert (kept.shape, kept.reason) == (WHOLE, ParkReason.IMPORTED)
    body = world.state.bodies[event]
    assert (body.payload, body.record, body.recorded_at_ms) == (world.odim.events[key], f"odim/{UUID(int=1)}", 7_000)
    assert imported_event_id("another") != event


@pytest.mark.parametrize("instant", ["", "yesterday", "0001-01-01T00:00:00Z", "1969-01-01"])
def test_an_event_without_a_time_is_of_now(world: World, instant: str) -> None:
    world.put(1, instant=instant)
    world.run()

    (body,) = world.state.bodies.values()
    assert body.recorded_at_ms == NOW_MS


def test_who_dies_after_a_write_and_before_its_note_loses_nothing_and_doubles_what_was_delivered_by_then(
    world: World,
) -> None:
    for number in range(3):
        world.put(number)
    world.imported.is_down = True
    with pytest.raises(TransientError):
        world.run()
    assert len(world.parked()) == 3
    world.imported.is_down = False

    assert world.run().count == 3
    assert len(world.state.deliveries) == 3
    world.imported.noted.clear()
    delivered = world.deliver_all()
    world.run()
    assert list(world.state.deliveries) == delivered  # the same webhook-ids


def test_what_is_still_there_is_noted_again_so_that_its_name_does_not_expire(world: World) -> None:
    key = world.put(1)
    world.run()
    world.run()

    assert world.imported.noted == {imported_event_id(key): 2}


def test_what_was_written_before_the_ledger_went_away_is_noted(world: World) -> None:
    def away() -> None:
        raise TransientError("the ledger is full")

    for number in range(AT_ONCE + 5):
        world.put(number, instant=f"2022-07-05T08:{number // 60:02}:{number % 60:02}Z")
    world.ledger.before[AT_ONCE + 2] = away
    with pytest.raises(TransientError, match="the ledger is full"):
        world.run()
    assert len(world.imported.noted) == AT_ONCE + 2
    world.deliver_all()

    assert world.run().count == 3
    assert [json.loads(body)["Events"][0]["EventId"] for body in world.parked()] == [
        str(AT_ONCE + number) for number in (2, 3, 4)
    ]


def test_a_subscription_that_changes_meanwhile_gets_its_events_all_the_same(world: World) -> None:
    for number in range(3):
        world.put(number)
    world.ledger.before[1] = lambda: world.store.save(subscription("other", destination=HOOK))
    assert world.run() == Imported(count=3)

    # From then on the first by its id is another one.
    assert (len(world.parked("s")), len(world.parked("other"))) == (1, 2)


def test_what_is_for_a_subscription_that_goes_meanwhile_stays_and_is_not_noted(world: World) -> None:
    for number in range(3):
        world.put(number)
    world.ledger.before[1] = lambda: world.store.delete("s")
    assert world.run() == Imported(count=1, left_count=2)
    world.store.save(subscription("t", destination=HOOK))

    assert world.run() == Imported(count=2)
    assert len(world.parked("t")) == 2


def test_what_odim_has_delivered_by_then_is_passed_over(world: World) -> None:
    gone, stays = world.put(1), world.put(2)
    survey = world.survey()
    del world.odim.events[gone]

    assert world.importing.apply(survey, lambda _: None) == Imported(count=1, left_count=1)
    assert world.parked() == [world.odim.events[stays]]


def test_subscriptions_that_are_followed_get_events_and_those_with_a_stream_do_not(world: World) -> None:
    world.store.save(replace(subscription("s", destination=HOOK), keeper=Keeper.ODIM))
    world.store.save(replace(subscription("a", destination=HOOK), kind=SubscriptionType.SSE))
    world.put(1)
    world.run()

    assert (len(world.parked("s")), world.parked("a")) == (1, [])


def test_a_survey_tells_everything_and_changes_nothing(world: World) -> None:
    known, new, other = world.put(1), world.put(2, instant="2022-07-05T08:00:00Z"), "https://192.0.2.9/\udcff"
    world.put(3, destination=other)
    world.odim.events["UndeliveredEvents:destination"] = b'"event"'
    world.imported.note([imported_event_id(known)])
    world.put(4, destination="https://planned/")
    planned = [subscription("p", destination="https://planned/")]
    survey = world.importing.survey(planned=planned, read=lambda _: None)

    assert survey.found_count == 5
    assert survey.waiting[0].key == new
    assert survey.counts == {"s": 1, "p": 1}
    assert survey.known_ids == [imported_event_id(known)]
    assert survey.without_subscription == {"https://192.0.2.9/\\udcff": 1}
    assert [flaw.reason for flaw in survey.flaws] == ["not_an_undelivered_key"]
    assert not world.state.deliveries


def test_progress_is_told(world: World) -> None:
    for number in range(2 * AT_ONCE + 1):
        world.put(number)
    read: list[int] = []
    done: list[int] = []
    survey = world.importing.survey(read=read.append)
    world.importing.apply(survey, done.append)

    assert (read, done) == ([AT_ONCE, AT_ONCE], [AT_ONCE, AT_ONCE, 1])
