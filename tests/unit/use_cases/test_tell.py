import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.notices import MOST_TOLD, Change, ChangeKind
from odim_relay.domain.own_resources import EVENT_SERVICE, SUBSCRIPTIONS
from odim_relay.domain.subscription import Filters, SubscriptionType
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, NewDelivery, NewEvent, Telling, TellRefusal
from odim_relay.use_cases.announce import Announce
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.tell import MOST_RECORDS, Tell
from tests.fakes.announcing_ledger import InMemoryAnnouncingLedger
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.journal import InMemoryJournal
from tests.fakes.ledger_state import LedgerState
from tests.fakes.notice_outbox import InMemoryNoticeOutbox
from tests.fakes.publisher import InMemoryPublisher
from tests.fakes.samples import subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.unit.use_cases.conftest import Logs

OURS = Filters(registry_prefixes=("OdimRelay",))


class Ledger(InMemoryAnnouncingLedger):
    """
    Does something before its first writes; dies after so many.
    """

    def __init__(self, ingest: InMemoryIngestLedger) -> None:
        super().__init__(ingest)
        self.before: list[Any] = []
        self.left_count = 1_000

    def tell(
        self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int, telling: Telling
    ) -> Aftermath | TellRefusal:
        if self.before:
            self.before.pop()()
        if not self.left_count:
            raise TransientError("the ledger is full")
        self.left_count -= 1
        return super().tell(event, deliveries, generation, telling)


class World:
    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 1_767_323_045_000)
        self.journal = InMemoryJournal(state=self.state)
        self.store = InMemorySubscriptionStore(self.state)
        self.services = InMemoryEventServiceStore(self.state, self.journal)
        self.ledger = Ledger(InMemoryIngestLedger(self.state, journal=self.journal))
        self.outbox = InMemoryNoticeOutbox(self.state)
        self.tell = self.another()

    def another(self) -> Tell:
        """
        One of another process.
        """
        announce = Announce(
            ledger=self.ledger,
            matchers=MatcherDirectory(self.store, self.services, InMemoryInventoryStore(self.state)),
            publisher=InMemoryPublisher(),
            new_id=lambda: "an-id",
            now_s=lambda: 5.0,
        )
        return Tell(outbox=self.outbox, store=self.store, services=self.services, announce=announce)

    def subscribe(self, id_: str, *, destination: str = "", filters: Filters = OURS, **members: Any) -> str:
        """
        Returns the id of its destination.
        """
        one = replace(subscription(id_, destination=destination or f"https://{id_}.test/"), filters=filters, **members)
        self.store.save(one)
        return destination_id(one)

    def told(self) -> dict[str, list[dict[str, Any]]]:
        """
        The records that each subscription is to get.
        """
        found: dict[str, list[dict[str, Any]]] = {}
        for kept in self.state.deliveries.values():
            records = json.loads(self.state.bodies[kept.event_id].payload)["Events"]
            numbers = range(len(records)) if kept.shape.records is None else kept.shape.records
            found.setdefault(kept.subscription_id, []).extend(records[number] for number in numbers)
        return found


@pytest.fixture
def world() -> World:
    return World()


def test_who_asks_is_told_and_nobody_else(world: World) -> None:
    world.subscribe("asking")
    world.subscribe("silent", filters=Filters())
    world.state.change(ChangeKind.SUSPENDED, "s", "gone")

    assert world.tell() == 1

    (record,) = world.told().pop("asking")
    assert world.told().keys() == {"asking"}
    assert record["MessageId"] == "OdimRelay.1.0.SubscriptionSuspended"
    assert record["MessageArgs"] == ["s", "gone"]
    assert record["Message"] == "The subscription s was suspended: gone."
    assert record["OriginOfCondition"] == {"@odata.id": f"{SUBSCRIPTIONS}/s"}
    assert record["EventTimestamp"] == "2026-01-02T03:04:05.000+00:00"
    assert world.state.untold == {}
    assert world.tell() == 0


def test_a_subscription_is_told_nothing_of_itself(world: World) -> None:
    world.subscribe("s")
    world.state.change(ChangeKind.SUSPENDED, "s", "gone")

    assert world.tell() == 1

    assert world.told() == {}
    assert world.state.untold == {}


def test_of_a_destination_all_its_subscriptions_are_named_to_the_others(world: World) -> None:
    destination = world.subscribe("a", destination="https://same.test/")
    world.subscribe("b", destination="https://same.test/")
    world.subscribe("stream", destination="https://same.test/", kind=SubscriptionType.SSE)
    world.subscribe("of-b", filters=Filters(origin_resources=(f"{SUBSCRIPTIONS}/b",)))
    world.subscribe("z")
    world.state.change(ChangeKind.BREAKER_OPENED, destination)

    world.tell()

    told = {id_: [record["MessageArgs"] for record in records] for id_, records in world.told().items()}
    assert told == {"z": [["a"], ["b"]], "of-b": [["b"]]}


def test_of_very_many_at_one_destination_some_are_named(world: World) -> None:
    for number in range(MOST_RECORDS + 1):
        destination = world.subscribe(f"{number:03}", destination="https://same.test/", filters=Filters())
    world.subscribe("z")
    world.state.change(ChangeKind.BREAKER_CLOSED, destination)

    world.tell()

    assert len(world.told()["z"]) == MOST_RECORDS


def test_of_a_destination_that_nobody_has_any_more_nobody_is_told(world: World, logs: Logs) -> None:
    world.subscribe("z")
    world.state.change(ChangeKind.BREAKER_OPENED, "gone")

    assert world.tell() == 1

    assert (world.told(), world.state.untold) == ({}, {})
    assert [line["event"] for line in logs] == ["breaker.opened"]


def test_the_quarantine_is_the_service_s_affair(world: World) -> None:
    world.subscribe("z")
    world.state.change(ChangeKind.QUARANTINE_GROWING, "", "16")

    world.tell()

    (record,) = world.told()["z"]
    assert (record["MessageArgs"], record["OriginOfCondition"]) == (["16"], {"@odata.id": EVENT_SERVICE})


def test_each_is_told_in_order_with_an_id_of_its_own(world: World) -> None:
    world.subscribe("z")
    for kind, detail in ((ChangeKind.SUSPENDED, "gone"), (ChangeKind.RESUMED, ""), (ChangeKind.TERMINATED, "")):
        world.state.change(kind, "s", detail)
    world.state.change(ChangeKind.BUFFER_EXCEEDED, "s", "expired")

    assert world.tell() == 4

    keys = [record["MessageId"].rpartition(".")[2] for record in world.told()["z"]]
    assert keys == ["SubscriptionSuspended", "SubscriptionResumed", "SubscriptionTerminated", "EventBufferExceeded"]
    assert len({record["EventId"] for record in world.told()["z"]}) == 4


def test_every_change_is_a_line_also_when_nobody_asks(world: World, logs: Logs) -> None:
    for kind, subject, detail in (
        (ChangeKind.BREAKER_OPENED, "d", ""),
        (ChangeKind.BREAKER_CLOSED, "d", ""),
        (ChangeKind.SUSPENDED, "s", "by_hand"),
        (ChangeKind.RESUMED, "s", ""),
        (ChangeKind.TERMINATED, "s", ""),
        (ChangeKind.BUFFER_EXCEEDED, "s", "over_quota"),
        (ChangeKind.QUARANTINE_GROWING, "", "2"),
    ):
        world.state.change(kind, subject, detail)

    world.tell()

    assert logs == [
        {"event": "breaker.opened", "destination_id": "d", "notice": 1, "log_level": "warning"},
        {"event": "breaker.closed", "destination_id": "d", "notice": 2, "log_level": "info"},
        {
            "event": "subscription.suspended",
            "subscription_id": "s",
            "reason": "by_hand",
            "notice": 3,
            "log_level": "warning",
        },
        {"event": "subscription.resumed", "subscription_id": "s", "notice": 4, "log_level": "info"},
        {"event": "subscription.terminated", "subscription_id": "s", "notice": 5, "log_level": "warning"},
        {
            "event": "subscription.buffer_exceeded",
            "subscription_id": "s",
            "reason": "over_quota",
            "notice": 6,
            "log_level": "warning",
        },
        {"event": "quarantine.growing", "count": 2, "notice": 7, "log_level": "warning"},
    ]


def test_what_cannot_be_announced_now_is_logged_once_and_announced_later(world: World, logs: Logs) -> None:
    world.subscribe("z")
    world.ledger.left_count = 0
    world.state.change(ChangeKind.SUSPENDED, "s", "gone")
    for tell in (world.tell, world.another()):
        with pytest.raises(TransientError):
            tell()

    world.ledger.left_count = 1
    world.another()()

    assert len(world.told()["z"]) == 1
    assert [line["event"] for line in logs] == ["subscription.suspended", "notice.announced"]


def test_very_many_readers_get_it_once_each_though_it_is_told_by_two(world: World) -> None:
    for number in range(1_100):
        world.subscribe(f"{number:04}")
    world.state.change(ChangeKind.SUSPENDED, "s", "gone")
    world.services.update(lambda said: replace(said, keeps_journal=True))
    world.ledger.left_count = 2
    with pytest.raises(TransientError):
        world.tell()
    assert len(world.told()) == 1_000
    world.ledger.left_count = 10

    world.another()()

    assert {len(records) for records in world.told().values()} == {1}
    assert len(world.told()) == 1_100
    assert len(world.journal.entries) == 1
    assert world.state.untold == {}


def test_somebody_who_subscribes_meanwhile_is_told_too(world: World) -> None:
    world.subscribe("a")
    world.ledger.before = [lambda: world.subscribe("late")]
    world.state.change(ChangeKind.SUSPENDED, "s", "gone")

    world.tell()

    assert world.told().keys() == {"a", "late"}


def test_what_somebody_else_told_meanwhile_is_left(world: World) -> None:
    world.subscribe("a")
    world.ledger.before = [world.another()]
    world.state.change(ChangeKind.SUSPENDED, "s", "gone")

    world.tell()

    assert len(world.told()["a"]) == 1


def test_it_is_told_to_those_who_follow_a_stream_also_when_nobody_else_asks(world: World) -> None:
    world.services.update(lambda said: replace(said, keeps_journal=True))
    world.state.change(ChangeKind.SUSPENDED, "s", "gone")

    world.tell()

    assert len(world.journal.entries) == 1
    assert world.state.untold == {}


def test_a_destination_that_flaps_is_told_of_so_often_and_then_of_what_stands(world: World, logs: Logs) -> None:
    world.subscribe("z")
    destination = world.subscribe("s", filters=Filters())
    kinds = [ChangeKind.BREAKER_OPENED, ChangeKind.BREAKER_CLOSED]
    for number in range(2 * MOST_TOLD + 1):
        world.state.change(kinds[number % 2], destination)
        world.tell()
    assert len(world.told()["z"]) == MOST_TOLD
    assert len(world.state.untold) == MOST_TOLD + 1

    world.state.told_lately.clear()
    world.tell()

    assert len(world.told()["z"]) == MOST_TOLD + 1
    assert world.told()["z"][-1]["MessageId"].endswith(".DestinationFailing")
    assert world.state.untold == {}
    assert sum(line["event"].startswith("breaker.") for line in logs) == 2 * MOST_TOLD + 1


def test_a_notice_that_cannot_be_delivered_makes_no_endless_notices(world: World) -> None:
    """
    Two who ask for notices, and whose destinations both fail: each hears of the other once.
    """
    one, other = world.subscribe("a"), world.subscribe("b")
    world.state.change(ChangeKind.BREAKER_OPENED, one)
    world.tell()
    world.state.change(ChangeKind.BREAKER_OPENED, other)
    world.tell()

    assert {id_: len(records) for id_, records in world.told().items()} == {"a": 1, "b": 1}


def test_what_is_not_ours_to_know_stays(world: World) -> None:
    held = Change(number=1, kind=ChangeKind.BREAKER_OPENED, subject="d")
    world.state.untold[1] = held
    world.state.told_lately[held.topic] = MOST_TOLD

    assert world.tell() == 0
    assert world.state.untold == {1: held}
