from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Barrier

import pytest

from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.subscription import Subscription
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, Connection, Notice, ReplayStep, TaskTicket
from odim_relay.use_cases.replay import Replay
from tests.fakes.backlog_ledger import InMemoryBacklogLedger
from tests.fakes.connector import InMemoryConnector
from tests.fakes.ledger_state import LedgerState
from tests.fakes.publisher import InMemoryPublisher
from tests.fakes.samples import subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.unit.use_cases.conftest import Logs


def tickets(*names: str) -> list[TaskTicket]:
    return [TaskTicket(delivery_id=name, seq=1) for name in names]


class Backlog(InMemoryBacklogLedger):
    """
    Looks in so many steps; the last has no more. A destination that accepts gets a probe.
    """

    def __init__(self, state: LedgerState) -> None:
        super().__init__(state)
        self.steps: list[ReplayStep] = []
        self.is_endless = False

    def replay(self) -> ReplayStep:
        step = self.steps.pop(0) if self.steps else super().replay()
        return replace(step, has_more=bool(self.steps) or self.is_endless)

    def connected(self, destination_id: str, *, accepts: bool) -> Aftermath:
        super().connected(destination_id, accepts=accepts)
        return Aftermath(tickets=tickets(f"probe of {destination_id}") if accepts else ())


class World:
    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 0)
        self.store = InMemorySubscriptionStore(self.state)
        self.ledger = Backlog(self.state)
        self.connector = InMemoryConnector()
        self.publisher = InMemoryPublisher()
        self.replay = Replay(
            ledger=self.ledger,
            store=self.store,
            connector=self.connector,
            publisher=self.publisher,
            timeout_s=5,
        )

    def add(self, *names: str) -> list[Connection]:
        """
        Save a subscription of each name, to a destination that is to be tried.
        """
        found = [subscription(name, destination=f"https://{name}.test/") for name in names]
        for one in found:
            self.store.save(one)
        connections = [
            Connection(destination_id=destination_id(one), subscription_id=one.subscription_id) for one in found
        ]
        self.ledger.unreachable += connections
        return connections


@pytest.fixture
def world() -> World:
    return World()


def step(*names: str, connections: list[Connection] | None = None) -> ReplayStep:
    return ReplayStep(aftermath=Aftermath(tickets=tickets(*names)), has_more=False, connections=connections or [])


def test_all_rounds_are_made_and_what_they_let_go_is_published(world: World) -> None:
    world.ledger.steps = [step("a", "b"), step(), step("c")]

    assert world.replay() == 3

    assert world.publisher.queue == tickets("a", "b", "c")
    assert world.ledger.steps == []


def test_a_run_ends_also_when_there_is_always_more_by_rule_l8(world: World) -> None:
    world.ledger.is_endless = True

    assert world.replay() == 0


def test_somebody_is_called_to_tell_what_changed_in_a_round(world: World) -> None:
    world.ledger.steps = [replace(step(), aftermath=Aftermath(notices=[Notice(name="terminated", subject="s")]))]

    world.replay()

    assert world.publisher.call_count == 1


def test_each_destination_is_knocked_at_once_after_all_rounds_by_rule_l30(world: World) -> None:
    first, second = world.add("one", "two")
    world.store.save(subscription("another of it", destination="https://one.test/"))
    same = replace(first, subscription_id="another of it")
    world.ledger.steps = [step("a", connections=[same, second]), step("b", connections=[first])]
    world.connector.on_knock = lambda _: world.publisher.queue.append(TaskTicket(delivery_id="knock", seq=0))

    world.replay()

    assert sorted(world.connector.knocked) == ["https://one.test/", "https://two.test/"]
    assert sorted(world.ledger.told) == sorted([(first.destination_id, False), (second.destination_id, False)])
    assert [ticket.delivery_id for ticket in world.publisher.queue] == ["a", "b", "knock", "knock"]


def test_who_accepts_again_gets_a_probe_at_once(world: World) -> None:
    away, back = world.add("away", "back")
    world.connector.accepting = {"https://back.test/"}

    assert world.replay() == 1

    assert dict(world.ledger.told) == {away.destination_id: False, back.destination_id: True}
    assert world.publisher.queue == tickets(f"probe of {back.destination_id}")


def test_destinations_that_hang_are_knocked_at_side_by_side(world: World) -> None:
    world.add(*(f"hangs-{number}" for number in range(20)))
    # Each waits for all others: one after the other they would never come.
    everybody = Barrier(20)
    world.connector.on_knock = lambda _: everybody.wait(timeout=10)

    world.replay()

    assert Counter(accepts for _, accepts in world.ledger.told) == {False: 20}


def test_more_destinations_than_threads_are_all_knocked_at(world: World) -> None:
    world.add(*(f"d-{number}" for number in range(100)))

    world.replay()

    assert len(set(world.connector.knocked)) == len(world.ledger.told) == 100


def test_a_subscription_that_is_gone_is_not_knocked_for(world: World) -> None:
    gone, there = world.add("gone", "there")
    world.store.delete("gone")

    world.replay()

    assert world.connector.knocked == ["https://there.test/"]
    assert world.ledger.told == [(there.destination_id, False)]
    assert gone.destination_id != there.destination_id


@pytest.mark.parametrize(
    "change",
    [
        lambda found: replace(found, destination="https://elsewhere.test/"),
        lambda found: replace(found, headers=(("Authorization", "other"),)),
    ],
    ids=["url", "credentials"],
)
def test_what_is_heard_of_another_destination_is_not_told_of_this_one(
    world: World, change: Callable[[Subscription], Subscription]
) -> None:
    world.add("one")
    world.store.update("one", change)

    world.replay()

    assert (world.connector.knocked, world.ledger.told) == ([], [])


@pytest.mark.parametrize("fault", [TransientError("no socket left"), ZeroDivisionError("ours")])
def test_one_knock_that_goes_wrong_does_not_stop_the_others(world: World, logs: Logs, fault: Exception) -> None:
    connections = world.add("a", "b", "bad", "c", "d")
    world.connector.accepting = {"https://a.test/", "https://d.test/"}

    def knock(url: str) -> None:
        if "bad" in url:
            raise fault

    world.connector.on_knock = knock

    assert world.replay() == 2

    told = {id_ for id_, _ in world.ledger.told}
    assert told == {one.destination_id for one in connections if one.subscription_id != "bad"}
    (line,) = [line for line in logs if line["event"] == "destination.not_tried"]
    assert line["detail"] == f"{type(fault).__name__}: {fault}"


@pytest.mark.parametrize(
    ("accepting", "knocked"),
    [
        ({"https://one.test/"}, ["https://one.test/"]),
        ({"https://backup.test/"}, ["https://one.test/", "https://backup.test/"]),
        (set(), ["https://one.test/", "https://backup.test/"]),
    ],
)
def test_a_destination_is_there_when_any_of_its_backups_is(
    world: World, accepting: set[str], knocked: list[str]
) -> None:
    one = replace(
        subscription("one", destination="https://one.test/"),
        backup_destinations=("https://backup.test/",),
        verify_certificate=False,
    )
    world.store.save(one)
    connection = Connection(destination_id=destination_id(one), subscription_id="one")
    world.connector.accepting = accepting
    world.ledger.steps = [step("a", connections=[connection])]

    world.replay()

    assert world.ledger.told == [(connection.destination_id, bool(accepting))]
    assert world.connector.knocked == knocked
    assert world.connector.timeouts == [2.5] * len(knocked)
    assert set(world.connector.verified.values()) == {False}


def test_a_broker_that_is_away_stops_nothing(world: World) -> None:
    (one,) = world.add("one")
    world.connector.accepting = {"https://one.test/"}
    world.ledger.steps = [step("a"), step("b", connections=[one])]
    world.publisher.is_down = True

    world.replay()

    assert world.ledger.told == [(one.destination_id, True)]


def test_a_ledger_that_is_away_is_told(world: World) -> None:
    class Away(Backlog):
        def replay(self) -> ReplayStep:
            raise TransientError("Redis is away")

    replay = Replay(
        ledger=Away(world.state),
        store=world.store,
        connector=world.connector,
        publisher=world.publisher,
        timeout_s=5,
    )

    with pytest.raises(TransientError):
        replay()
