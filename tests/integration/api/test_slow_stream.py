"""
A stream whose client takes its time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import anyio
import anyio.to_thread
import pytest

from odim_relay.api.event_stream import EventStream
from odim_relay.domain.stream_filter import EVERY_EVENT
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.errors import TransientError
from odim_relay.use_cases.event_service import EventService
from odim_relay.use_cases.follow import Follow
from odim_relay.use_cases.streams import Streams
from tests.fakes.backlog_ledger import InMemoryBacklogLedger
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.journal import InMemoryJournal
from tests.fakes.ledger_state import LedgerState
from tests.fakes.publisher import InMemoryPublisher
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.support.waiting import wait_until

SOON_S = 5.0


@dataclass
class CountingStreams(Streams):
    """
    Counts how often a stream is kept; may be away.
    """

    kept: int = 0
    closed: list[str] = field(default_factory=list)
    is_away: bool = False

    def keep(self, subscription_id: str) -> bool:  # noqa: ARG002 - of the class
        self.kept += 1
        if self.is_away:
            raise TransientError("away")
        return True

    def close(self, subscription_id: str) -> None:
        self.closed.append(subscription_id)


@dataclass
class World:
    streams: CountingStreams
    store: InMemorySubscriptionStore
    stream: EventStream
    places: list[str]


@pytest.fixture
def world() -> World:
    state = LedgerState(now_ms=lambda: 0)
    store = InMemorySubscriptionStore(state)
    store.save(Subscription(subscription_id="s", destination="redfish-sse://192.0.2.1:1", kind=SubscriptionType.SSE))
    service = EventService(
        store=InMemoryEventServiceStore(state), ledger=InMemoryBacklogLedger(state), publisher=InMemoryPublisher()
    )
    journal = InMemoryJournal(state=state)
    follow = Follow(journal=journal, wants=EVERY_EVENT, subscription_id="s", context="c", start="0-0")
    streams, places = CountingStreams(), list[str]()
    stream = EventStream(
        follow,
        "s",
        streams=streams,
        service=service,
        store=store,
        when_closed=partial(places.append, "free"),
        keeps_every_s=0.0,
        checks_every_s=0.01,
    )
    return World(streams, store, stream, places)


async def until(is_so: Callable[[], bool]) -> None:
    await anyio.to_thread.run_sync(partial(wait_until, is_so, timeout_s=SOON_S, what="the stream to do it"))


def test_a_stream_is_kept_while_its_client_reads_nothing(world: World) -> None:
    async def run() -> None:
        await anext(world.stream)
        await until(lambda: world.streams.kept >= 3)
        await world.stream.aclose()

    asyncio.run(run())
    assert world.streams.closed == ["s"]


def test_a_stream_outlives_stores_that_are_away_and_ends_with_its_subscription(world: World) -> None:
    async def run() -> None:
        world.streams.is_away = True
        await anext(world.stream)
        await until(lambda: world.streams.kept >= 3)
        world.streams.is_away = False
        world.store.delete("s")
        with anyio.fail_after(SOON_S), pytest.raises(StopAsyncIteration):
            await anext(world.stream)
        await world.stream.aclose()

    asyncio.run(run())


def test_a_stream_that_nobody_read_frees_its_place_once(world: World) -> None:
    async def run() -> None:
        await world.stream.aclose()
        await world.stream.aclose()

    asyncio.run(run())
    assert (world.streams.closed, world.places) == (["s"], ["free"])
