"""
Streams over a real Redis: their leases, and what a process leaves that died.
"""

import pytest

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.event_service import RedisEventServiceStore
from odim_relay.adapters.redis.journal import RedisJournal
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.adapters.redis.turns import RedisTurn
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.use_cases.streams import Streams, SweepStreams
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server


class World:
    """
    A process that holds streams open and one that sweeps.
    """

    def __init__(self, server: RedisServer, prefix: str, *, linger_s: float = 3_600) -> None:
        self.client = server.client()
        self.prefix = prefix
        scripts = Scripts(self.client, prefix)
        self.store = RedisSubscriptionStore(scripts)
        self.services = RedisEventServiceStore(scripts)
        self.journal = RedisJournal(scripts)

        def new_turn(name: str) -> RedisTurn:
            return RedisTurn(scripts, name)

        self.streams = Streams(
            subscriptions=self.store, services=self.services, journal=self.journal, new_turn=new_turn
        )
        self.sweep = SweepStreams(
            subscriptions=self.store,
            services=self.services,
            journal=self.journal,
            new_turn=new_turn,
            linger_s=linger_s,
        )

    def open(self, id_: str) -> str:
        return self.streams.open(
            Subscription(subscription_id=id_, destination="redfish-sse://127.0.0.1:50000", kind=SubscriptionType.SSE)
        )

    def die(self, id_: str) -> None:
        """
        Its process is gone, and its lease is over.
        """
        self.client.delete(f"{self.prefix}turn:stream:{id_}")


def test_only_a_stream_whose_process_died_is_swept(redis_server: RedisServer, key_prefix: str) -> None:
    world = World(redis_server, key_prefix)
    start = world.open("lives")
    world.open("left")
    world.die("left")

    assert world.sweep() == 1

    assert world.store.ids() == ["lives"]
    assert world.streams.keep("lives")
    assert not world.streams.keep("left")
    assert world.journal.has_all_after(start)


def test_streams_leave_nothing_behind_but_the_journal_until_that_ends_too(
    redis_server: RedisServer, key_prefix: str
) -> None:
    world = World(redis_server, key_prefix, linger_s=0)
    start = world.open("one")
    world.streams.close("one")
    assert world.services.read().keeps_journal
    world.client.hset(f"{key_prefix}journal:state", "used_at_ms", 1)

    assert world.sweep() == 0

    assert not world.services.read().keeps_journal
    assert not world.journal.has_all_after(start)
    kept = {key.decode().removeprefix(key_prefix) for key in world.client.scan_iter(f"{key_prefix}*")}
    assert {key for key in kept if key.startswith(("flow:", "turn:", "journal"))} <= {
        "journal:state",
        "turn:stream:one",
    }
