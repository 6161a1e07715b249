"""
A bridge takes nothing in before it knows ODIM's subscriptions, and says what it waits for.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.events import events
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.odim_redis import OdimRedis, OdimSubscription
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.relay_process import wait_for_end
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

THEIRS = OdimSubscription(id="3ce177bf-42a4-4335-b1c1-41540a4b65d7", destination="https://192.0.2.1/d")
LIMIT_S = 60.0
WHY = "ODIM's subscriptions and sources are not known yet"


@pytest.fixture
def odim(tmp_path: Path) -> Iterator[RedisServer]:
    """
    ODIM's Redis, which does not run yet.
    """
    server = RedisServer(tmp_path / "odim")
    yield server
    server.kill()


@pytest.fixture
def relay(
    kafka: KafkaServer | KafkaMock, fresh_redis: RedisServer, odim: RedisServer, tmp_path: Path
) -> Iterator[Relay]:
    """
    A relay of which nothing runs yet.
    """
    with Receiver.start() as receiver:
        relay = Relay(
            tmp_path / "relay",
            redis=fresh_redis,
            kafka=kafka.bootstrap_servers,
            receiver=receiver,
            settings={"ODIM__REDIS_URL": odim.url()},
        )
        relay.create_topic()
        yield relay
        relay.close()


def test_an_event_that_came_before_the_subscriptions_are_known_waits_for_them(relay: Relay, odim: RedisServer) -> None:
    relay.publish(events(3), wanted_by=())
    relay.bridge.start()
    wait_until(lambda: WHY in relay.bridge.log(), timeout_s=LIMIT_S, what="the bridge to say what it waits for")
    wait_until(lambda: "odim.not_followed" in relay.bridge.log(), timeout_s=LIMIT_S, what="the outage to be told")
    assert relay.ledger.positions(relay.topic) == {}

    odim.start()
    OdimRedis(odim).subscribe(THEIRS)

    wait_until(lambda: relay.ledger.open_count() == 3, timeout_s=LIMIT_S, what="a delivery of each event")


def test_a_bridge_that_waits_ends_when_it_is_told_to(relay: Relay) -> None:
    relay.bridge.start()
    wait_until(lambda: WHY in relay.bridge.log(), timeout_s=LIMIT_S, what="the bridge to say what it waits for")
    relay.bridge.terminate()
    assert wait_for_end(relay.bridge) == 0
    assert "bridge.stopped" in relay.bridge.log()


def test_a_bridge_whose_odim_hangs_ends_all_the_same(relay: Relay, odim: RedisServer) -> None:
    odim.start()
    OdimRedis(odim).subscribe(THEIRS)
    relay.bridge.start()
    wait_until(lambda: relay.ledger.positions(relay.topic), timeout_s=LIMIT_S, what="the bridge to take events in")
    odim.stop()
    relay.bridge.terminate()
    assert wait_for_end(relay.bridge) == 0
