"""
Heartbeats over the real ledger: who gets them, and when.
"""

import json
from collections.abc import Sequence

import pytest

from odim_relay.adapters.redis.announcing import RedisAnnouncingLedger
from odim_relay.adapters.redis.flow import RedisFlowListing
from odim_relay.adapters.redis.listings import RedisDeliveryListing
from odim_relay.adapters.redis.turns import RedisTurn
from odim_relay.domain.event import Shape
from odim_relay.domain.subscription import Filters, SubscriptionType
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, NewDelivery, NewEvent, SuspendedBy
from odim_relay.use_cases.announce import Announce
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.heartbeat import Heartbeat
from tests.fakes.publisher import InMemoryPublisher
from tests.integration.ledger.bench import PREFIX, Bench

pytestmark = pytest.mark.server

TURN = f"{PREFIX}turn:heartbeat:s"


class Announcing(RedisAnnouncingLedger):
    """
    Can be away.
    """

    is_away = False

    def announce(self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int) -> Aftermath | None:
        if self.is_away:
            raise TransientError("the ledger is away")
        return super().announce(event, deliveries, generation)


class World:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.publisher = InMemoryPublisher()
        self.ledger = Announcing(bench.scripts)
        ids = iter(range(1_000_000))
        self.heartbeat = Heartbeat(
            store=bench.store,
            services=bench.services,
            flows=RedisFlowListing(bench.scripts),
            listing=RedisDeliveryListing(bench.scripts),
            announce=Announce(
                ledger=self.ledger,
                matchers=MatcherDirectory(bench.store, bench.services, bench.inventory),
                publisher=self.publisher,
                new_id=lambda: f"event-{next(ids)}",
                now_s=lambda: 1_767_323_045.0,
            ),
            new_turn=lambda name: RedisTurn(bench.scripts, name),
            new_id=lambda: f"heartbeat-{next(ids)}",
            now_s=lambda: 1_767_323_045.0,
        )


@pytest.fixture
def world(bench: Bench) -> World:
    return World(bench)


def test_who_asked_for_it_gets_one_whatever_its_filters_and_nobody_else(world: World) -> None:
    world.bench.subscribe(heartbeat_minutes=1, context="mine", filters=Filters(registry_prefixes=("Other",)))
    world.bench.subscribe("quiet")
    world.bench.subscribe("stream", heartbeat_minutes=1, kind=SubscriptionType.SSE)
    world.bench.say(keeps_journal=True)

    assert world.heartbeat() == 1

    (ticket,) = world.publisher.queue
    claim = world.bench.claim(ticket)
    body = json.loads(claim.payload)
    assert claim.subscription_id == "s"
    assert claim.shape == Shape(context="mine")
    assert body["Events"][0]["MessageId"] == "HeartbeatEvent.1.1.RedfishServiceFunctional"
    assert body["Events"][0]["EventTimestamp"] == "2026-01-02T03:04:05+00:00"
    assert world.bench.journal.read("0-0", 9) == []


def test_the_next_one_comes_when_the_interval_is_over(world: World) -> None:
    world.bench.subscribe(heartbeat_minutes=2)

    assert [world.heartbeat(), world.heartbeat()] == [1, 0]
    assert 110 < world.bench.client.ttl(TURN) <= 115  # the look after 120 s finds it over
    world.bench.client.delete(TURN)
    assert world.heartbeat() == 1


def test_while_anything_waits_for_it_none_is_added(world: World) -> None:
    world.bench.subscribe(heartbeat_minutes=1)
    world.bench.park(world.bench.fill(1), "rejected")

    assert world.heartbeat() == 0
    assert world.bench.client.exists(TURN) == 0


def test_a_suspended_one_gets_none_and_nobody_does_while_nothing_is_sent(world: World) -> None:
    world.bench.subscribe(heartbeat_minutes=1)
    world.bench.say(is_enabled=False)
    assert world.heartbeat() == 0

    world.bench.say(is_enabled=True)
    world.bench.backlog.suspend("s", SuspendedBy.HAND)
    assert world.heartbeat() == 0

    world.bench.backlog.resume("s", None)
    assert world.heartbeat() == 1


def test_one_that_could_not_be_written_is_sent_by_the_next_look(world: World) -> None:
    world.bench.subscribe(heartbeat_minutes=1)
    world.ledger.is_away = True
    with pytest.raises(TransientError):
        world.heartbeat()

    world.ledger.is_away = False
    assert world.bench.client.pttl(TURN) <= 1  # it was left
    world.bench.client.delete(TURN)
    assert world.heartbeat() == 1


def test_nothing_is_asked_of_the_ledger_where_nobody_wants_one(world: World) -> None:
    world.bench.subscribe()
    world.heartbeat()

    assert world.bench.work_of(world.heartbeat).commands == 1
