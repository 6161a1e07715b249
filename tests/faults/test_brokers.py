"""
The tasks in a Redis of their own: whatever is killed, nothing is lost (S13, S14). For RabbitMQ see test_rabbitmq.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import MakeRelay
from tests.faults.test_kills import SHORT_LEASE, kill_while_sending
from tests.faults.test_stores import recovery_s
from tests.support.ledger_view import RedisBroker
from tests.support.receiver import Behaviour, Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "broker") as server:
        yield server


def watch(relay: Relay, broker: RedisServer) -> None:
    """
    Let the relay's account ask this broker what waits.
    """
    relay.ledger.broker = RedisBroker(broker, 0)


def test_each_process_is_killed_once_and_nothing_is_lost(
    make_relay: MakeRelay, receiver: Receiver, broker: RedisServer
) -> None:
    relay = make_relay(BROKER__URL=broker.url(), **SHORT_LEASE)
    watch(relay, broker)
    with relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=0.02))
        with relay.under_load(per_s=200):
            in_flight = kill_while_sending(relay, subscriber.path)
            for process in (relay.bridge, relay.maintenance, relay.beat):
                process.kill()
            for process in relay.processes:
                if not process.running:
                    process.launch()
            for process in relay.processes:
                process.wait_ready()
            recovery_s(relay, 0.0)
        account = relay.settle()
        print(f"in flight at the kill: {len(in_flight)}; {account}")
        assert account.lost == 0, str(account)
        assert not account.parked
        assert account.delivered == account.published
        assert account.doubled <= len(in_flight)
        relay.check_health()


def test_it_is_killed_itself_and_all_go_on_by_themselves(
    make_relay: MakeRelay, receiver: Receiver, broker: RedisServer
) -> None:
    relay = make_relay(BROKER__URL=broker.url())
    watch(relay, broker)
    with relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=0.01))
        pids = [process.pid for process in relay.processes]
        with relay.under_load(per_s=200):
            receiver.wait_for_requests(subscriber.path, 200, timeout_s=20)
            broker.kill()
            wait_until(lambda: "the broker failed" in relay.bridge.log(), timeout_s=30, what="the bridge to notice")
            broker.start()
            recovery_s(relay, 0.0)
        account = relay.settle()
        print(account)
        assert account.is_perfect, str(account)
        assert [process.pid for process in relay.processes] == pids
        relay.check_health()
