from collections.abc import Callable
from dataclasses import replace

import pytest

from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.errors import TransientError
from odim_relay.ports import NewEvent
from odim_relay.use_cases.streams import LEASE_S, Streams, SweepStreams
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.journal import InMemoryJournal
from tests.fakes.ledger_state import LedgerState
from tests.fakes.samples import subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.fakes.turns import InMemoryTurns

LINGER_S = 3_600.0


class World:
    """
    Two processes of the API and the one that sweeps, over one store.
    """

    def __init__(self) -> None:
        self.now_s = 1_000.0
        state = LedgerState(now_ms=lambda: round(self.now_s * 1000))
        self.store = Store(state)
        self.journal = Journal(state=state)
        self.services = InMemoryEventServiceStore(state, self.journal)
        self.turns = InMemoryTurns(lambda: self.now_s)
        self.here, self.elsewhere = (
            Streams(subscriptions=self.store, services=self.services, journal=self.journal, new_turn=self.turns)
            for _ in range(2)
        )
        self.sweep = SweepStreams(
            subscriptions=self.store,
            services=self.services,
            journal=self.journal,
            new_turn=self.turns,
            linger_s=LINGER_S,
        )

    @property
    def keeps_journal(self) -> bool:
        return self.services.read().keeps_journal

    def happen(self, name: str) -> None:
        if self.keeps_journal:
            self.journal.keep(NewEvent(event_id=name, payload=b"", record="", recorded_at_ms=0, is_journaled=True))


class Journal(InMemoryJournal):
    """
    Something may happen once it was asked how long nobody has followed it.
    """

    on_idle: Callable[[], object] | None = None

    def idle_s(self) -> float:
        idle_s = super().idle_s()
        on_idle, self.on_idle = self.on_idle, None
        if on_idle is not None:
            on_idle()
        return idle_s


class Store(InMemorySubscriptionStore):
    """
    Can be away for who saves.
    """

    is_away = False

    def save(self, subscription: Subscription) -> None:
        if self.is_away:
            raise TransientError("the store is away")
        super().save(subscription)


def stream(name: str = "s") -> Subscription:
    return replace(subscription(name), kind=SubscriptionType.SSE)


def test_an_open_stream_has_its_subscription_and_all_that_comes_after_its_start() -> None:
    world = World()
    world.happen("before")

    start = world.here.open(stream())
    world.happen("after")

    assert world.store.get("s") == stream()
    assert [entry.event_id for entry in world.journal.read(start, 9)] == ["after"]
    assert world.journal.has_all_after(start)


def test_a_second_stream_starts_behind_what_the_first_got() -> None:
    world = World()
    first = world.here.open(stream("a"))
    world.happen("between")

    second = world.elsewhere.open(stream("b"))

    assert [entry.event_id for entry in world.journal.read(first, 9)] == ["between"]
    assert world.journal.read(second, 9) == []
    assert world.journal.has_all_after(first)


def test_a_stream_that_is_kept_lives_and_one_whose_process_died_is_deleted() -> None:
    world = World()
    world.here.open(stream("kept"))
    world.elsewhere.open(stream("left"))
    for _ in range(4):
        world.now_s += LEASE_S / 3
        assert world.here.keep("kept")
    world.store.save(subscription("ordinary"))

    assert world.sweep() == 1

    assert sorted(world.store.ids()) == ["kept", "ordinary"]
    assert world.here.keep("kept")


def test_a_stream_ends_when_its_subscription_is_deleted_by_anybody() -> None:
    world = World()
    world.here.open(stream())

    world.store.delete("s")

    assert not world.here.keep("s")
    assert not world.elsewhere.keep("s")


def test_who_wakes_up_after_its_lease_goes_on_unless_it_was_swept() -> None:
    world = World()
    world.here.open(stream("early"))
    world.here.open(stream("late"))
    world.now_s += 10 * LEASE_S

    assert world.here.keep("early")
    assert world.sweep() == 1

    assert world.here.keep("early")
    assert not world.here.keep("late")


def test_a_closed_stream_leaves_nothing_and_can_be_closed_again() -> None:
    world = World()
    world.here.open(stream())

    world.here.close("s")
    world.here.close("s")

    assert world.store.ids() == []
    assert not world.turns.is_held("stream:s")
    assert not world.here.keep("s")


def test_a_stream_that_cannot_be_opened_is_not_kept() -> None:
    world = World()
    world.store.is_away = True

    with pytest.raises(TransientError):
        world.here.open(stream())

    assert not world.here.keep("s")


def test_the_journal_lingers_for_who_comes_back_and_then_ends() -> None:
    world = World()
    world.here.open(stream())
    world.happen("kept")
    world.here.close("s")

    world.now_s += LINGER_S
    world.sweep()
    assert world.keeps_journal
    assert len(world.journal.entries) == 1

    world.now_s += 1
    world.sweep()
    assert not world.keeps_journal
    assert world.journal.entries == []


def test_the_journal_is_kept_as_long_as_a_stream_is_open() -> None:
    world = World()
    world.here.open(stream())
    for _ in range(int(LINGER_S / 10) + 2):
        world.now_s += 10
        assert world.here.keep("s")
    world.sweep()

    assert world.keeps_journal


def test_a_stream_has_the_journal_turned_on_again_where_that_was_lost() -> None:
    world = World()
    start = world.here.open(stream())
    world.services.update(lambda said: replace(said, keeps_journal=False))

    assert world.here.keep("s")

    assert world.keeps_journal
    assert not world.journal.has_all_after(start)


def test_the_journal_does_not_end_when_a_stream_is_opened_at_that_moment() -> None:
    world = World()
    world.here.open(stream("a"))
    world.here.close("a")
    world.now_s += LINGER_S + 1
    world.journal.on_idle = lambda: world.elsewhere.open(stream("b"))

    world.sweep()

    assert world.keeps_journal


def test_nothing_is_read_where_nobody_ever_opened_a_stream() -> None:
    world = World()
    world.store.save(stream())  # as if

    assert world.sweep() == 0
