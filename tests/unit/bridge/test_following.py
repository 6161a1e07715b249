import threading
from collections.abc import Callable, Iterable, MutableMapping
from threading import Event as Flag
from typing import Any

import pytest
import structlog.testing

from odim_relay.bridge.following import Following
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.keeper import Keeper
from odim_relay.errors import OdimRelayError, PermanentError, TransientError
from odim_relay.ports import OdimTables
from odim_relay.use_cases.mirror import Mirror
from odim_relay.use_cases.mirrored_subscriptions import MirroredSubscriptions
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState
from tests.fakes.odim_store import InMemoryOdimStore
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.fakes.turns import InMemoryTurns
from tests.support.odim_redis import OdimSubscription

INTERVAL_S = 30.0
ID = "3ce177bf-42a4-4335-b1c1-41540a4b65d7"


def device(host: str) -> str:
    return f"{host}||https://{host}/s||[/redfish/v1/Systems/s{host}.1]"


class Stop(Flag):
    """
    Whoever waits for it has the time pass.
    """

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world

    def wait(self, timeout: float | None = None) -> bool:
        self._world.passes(timeout or 0.0)
        return self.is_set()


class Odim(InMemoryOdimStore):
    """
    Time passes while nothing is heard, and some while it is read.
    """

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world
        self.reading_takes_s = 0.0
        self.read_at_s: list[float] = []
        self.hearing: OdimRelayError | None = None

    def read(self) -> OdimTables:
        tables = super().read()
        self.read_at_s.append(self._world.now_s)
        self._world.passes(self.reading_takes_s)
        return tables

    def wait_for_change(self, at_most_s: float) -> bool:
        if self.hearing is not None:
            raise self.hearing
        until_s = self._world.now_s + at_most_s
        while not (is_heard := super().wait_for_change(0)) and self._world.now_s < until_s:
            self._world.passes(0.01)
        return is_heard


class World:
    """
    A follower whose time is told by what it waits for; what is to happen when is in `script`.
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        self.script: list[tuple[float, Callable[[], object]]] = []
        self.state = LedgerState(now_ms=lambda: 0)
        self.odim = Odim(self)
        self.inventory = InMemoryInventoryStore(self.state)
        self.store = InMemorySubscriptionStore(self.state)
        self.turns = InMemoryTurns(lambda: self.now_s)
        self.stop = Stop(self)
        self.following = Following(
            mirror=Mirror(
                odim=self.odim,
                inventory=self.inventory,
                subscriptions=MirroredSubscriptions(
                    store=self.store, wake=lambda _: None, now_s=lambda: 0.0, egress=EgressPolicy()
                ),
                monotonic_s=lambda: self.now_s,
            ),
            odim=self.odim,
            inventory=self.inventory,
            turn=self.turns("odim-mirror"),
            interval_s=INTERVAL_S,
            monotonic_s=lambda: self.now_s,
            stop=self.stop,
        )

    def passes(self, seconds: float) -> None:
        self.now_s += seconds
        due = [act for at_s, act in self.script if at_s <= self.now_s]
        self.script = [(at_s, act) for at_s, act in self.script if at_s > self.now_s]
        for act in due:
            act()

    def at(self, at_s: float, act: Callable[[], object]) -> None:
        self.script.append((at_s, act))

    def run(self, until_s: float) -> None:
        self.at(until_s, self.following.stop)
        self.following.run()

    def changes(self, *devices: str) -> None:
        self.odim.devices = {device(host) for host in devices}
        self.odim.is_changed = True

    def fails(self, failure: OdimRelayError | None) -> None:
        self.odim.failure = failure

    @property
    def sources(self) -> set[str]:
        return set(self.inventory.content(Keeper.ODIM).sources)


@pytest.fixture
def world() -> World:
    return World()


def test_all_is_read_at_once_and_then_every_so_often(world: World) -> None:
    world.run(until_s=100)
    assert [round(at_s) for at_s in world.odim.read_at_s] == [0, 30, 60, 90]


def test_a_change_that_is_heard_of_is_read_at_once(world: World) -> None:
    world.at(10, lambda: world.changes("10.0.0.1"))
    world.run(until_s=12)
    assert world.sources == {"10.0.0.1"}
    assert len(world.odim.read_at_s) == 2


def test_a_change_that_nobody_tells_of_is_found_all_the_same(world: World) -> None:
    world.at(10, lambda: world.odim.devices.add(device("10.0.0.1")))
    world.run(until_s=INTERVAL_S + 2)
    assert world.sources == {"10.0.0.1"}


def test_many_changes_one_after_the_other_are_read_a_few_times_only(world: World) -> None:
    for number in range(100):
        world.at(10 + number / 100, lambda number=number: world.changes(f"10.0.0.{number}"))  # type: ignore[misc]
    world.run(until_s=15)
    assert 1 < len(world.odim.read_at_s) <= 4
    assert "10.0.0.99" in world.sources


def test_a_reading_that_takes_long_is_followed_by_a_rest_whatever_is_heard(world: World) -> None:
    world.odim.reading_takes_s = 2.0
    for number in range(200):
        world.at(number / 10, lambda: world.changes("10.0.0.1"))
    world.run(until_s=20)
    assert len(world.odim.read_at_s) == 2


def test_what_is_missing_is_looked_for_right_after_its_grace(world: World) -> None:
    world.odim.subscriptions = {OdimSubscription(id=ID, destination="https://s.example/").row()}
    world.at(1, world.odim.subscriptions.clear)
    world.at(1, world.changes)
    world.at(3.5, lambda: gone.append(world.store.get(ID) is None))
    gone: list[bool] = []
    world.run(until_s=6)
    assert gone == [False]
    assert world.store.get(ID) is None


def test_an_outage_is_told_once_and_its_end_too_and_what_was_read_stays(world: World) -> None:
    world.odim.devices = {device("10.0.0.1")}
    world.at(5, lambda: world.fails(TransientError("away")))
    world.at(400, lambda: seen.append(world.sources))
    world.at(500, lambda: world.fails(None))
    world.at(500, lambda: world.odim.devices.add(device("10.0.0.2")))
    seen: list[set[str]] = []
    with structlog.testing.capture_logs() as lines:
        world.run(until_s=505)

    assert events_of(lines) == ["odim.followed", "odim.not_followed", "odim.followed_again"]
    assert seen == [{"10.0.0.1"}]
    assert world.sources == {"10.0.0.1", "10.0.0.2"}


def test_what_was_missing_before_an_outage_is_not_gone_right_after_it(world: World) -> None:
    world.odim.subscriptions = {OdimSubscription(id=ID, destination="https://s.example/").row()}
    world.at(5, world.odim.subscriptions.clear)
    world.at(5, world.changes)
    world.at(6, lambda: world.fails(TransientError("away")))
    world.at(500, lambda: world.fails(None))
    world.run(until_s=503)
    assert world.store.get(ID) is not None


def test_what_nobody_thought_of_is_told_with_where_it_was_and_does_not_end_it(world: World) -> None:
    world.fails(PermanentError("no such command"))
    world.at(10, lambda: world.fails(None))
    world.at(10, lambda: world.changes("10.0.0.1"))
    with structlog.testing.capture_logs() as lines:
        world.run(until_s=15)
    (told,) = [line for line in lines if line["event"] == "odim.not_followed"]
    assert told["exc_info"] is True
    assert "no such command" in told["detail"]
    assert world.sources == {"10.0.0.1"}


def test_where_we_may_not_listen_we_read_every_so_often(world: World) -> None:
    world.odim.hearing = PermanentError("NOPERM")
    world.at(10, lambda: world.odim.devices.add(device("10.0.0.1")))
    with structlog.testing.capture_logs() as lines:
        world.run(until_s=65)
    assert [round(at_s) for at_s in world.odim.read_at_s] == [0, 30, 60]
    assert events_of(lines).count("odim.notifications_refused") == 1
    assert world.sources == {"10.0.0.1"}


def test_of_two_bridges_one_reads_and_the_other_goes_on_when_it_has_ended(world: World) -> None:
    other = world.turns("odim-mirror")
    assert other.take(1_000)
    world.at(20, lambda: seen.append(world.odim.read_count))
    world.at(20, other.leave)
    seen: list[int] = []
    world.run(until_s=25)
    assert seen == [0]
    assert world.odim.read_count == 1


def test_it_keeps_its_turn_and_leaves_it_at_the_end(world: World) -> None:
    held: list[bool] = []
    for at_s in range(1, 100):
        world.at(at_s, lambda: held.append(world.turns.is_held("odim-mirror")))
    world.run(until_s=100)
    assert held == [True] * 99
    assert not world.turns.is_held("odim-mirror")


# --- before the first event is taken in ---


def test_the_bridge_waits_until_the_tables_were_read_once(world: World) -> None:
    world.at(7, lambda: world.inventory.note_reading("{}"))
    assert world.following.wait_until_read()
    assert world.now_s >= 7


def test_while_it_waits_it_says_why_now_and_then(world: World) -> None:
    world.at(35, lambda: world.inventory.note_reading("{}"))
    with structlog.testing.capture_logs() as lines:
        world.following.wait_until_read()
    told = [line["detail"] for line in lines if line["event"] == "bridge.waiting"]
    assert told == ["ODIM's subscriptions and sources are not known yet: they are being read"] * 4


def test_what_was_read_long_ago_is_enough_though_odims_redis_is_away(world: World) -> None:
    world.inventory.note_reading("{}")
    world.odim.failure = TransientError("away")
    assert world.following.wait_until_read()
    assert world.now_s == 0


def test_who_is_stopped_while_it_waits_is_told(world: World) -> None:
    world.at(7, world.following.stop)
    assert not world.following.wait_until_read()


def test_its_thread_begins_and_ends_with_the_block(world: World) -> None:
    with world.following:
        assert world.following.wait_until_read()
    assert not any(thread.name == "odim-following" for thread in threading.enumerate())


def events_of(lines: Iterable[MutableMapping[str, Any]]) -> list[str]:
    return [line["event"] for line in lines if line["event"] not in {"odim.inventory_changed", "subscription.mirrored"}]
