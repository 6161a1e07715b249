"""
RabbitMQ as the broker: processes are killed, it is killed, hangs, loses its queue (S13, S14, S16, S20).
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.account import Account
from tests.support.events import events
from tests.support.kafka_server import KafkaServer
from tests.support.rabbitmq_server import RabbitMQServer
from tests.support.receiver import Behaviour, Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.relay_process import RelayProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

AGAIN_WITHIN_S = 15.0
HUNG_S = 8.0
SENDS_FOR_S = 0.05
SHORT_LEASE = {"DELIVERY__TIMEOUT_S": 3, "LEDGER__LEASE_MARGIN_S": 1}


@pytest.fixture
def relay(
    apache_kafka: KafkaServer,
    fresh_redis: RedisServer,
    fresh_rabbitmq: RabbitMQServer,
    receiver: Receiver,
    tmp_path: Path,
) -> Iterator[Relay]:
    """
    A relay whose processes must all be well at the end.
    """
    relay = Relay(
        tmp_path / "relay",
        redis=fresh_redis,
        kafka=apache_kafka.bootstrap_servers,
        receiver=receiver,
        settings={"BROKER__URL": fresh_rabbitmq.url(), **SHORT_LEASE},
    )
    with relay:
        yield relay
        relay.check_health()


def busy(relay: Relay, path: str, requests: int = 50) -> None:
    """
    Wait until so many more requests have come.
    """
    relay.receiver.wait_for_requests(path, relay.receiver.request_count(path) + requests, timeout_s=30)


def kill(relay: Relay, process: RelayProcess) -> int:
    """
    Kill it, start it again, and return how many requests were in flight.
    """
    process.kill()
    in_flight = len(relay.ledger.deliveries("SENDING"))
    process.start()
    return in_flight


def recovery_s(relay: Relay) -> float:
    """
    Wait until something that was published from now on is delivered, and return the seconds since then.
    """
    began_at_s = time.monotonic()
    wanted = relay.expected(relay.publish(events(1, first=1_000_000)))
    wait_until(
        lambda: wanted <= relay.accepted().keys(), timeout_s=AGAIN_WITHIN_S, what="the first delivery after the outage"
    )
    return time.monotonic() - began_at_s


def settled(relay: Relay, *, doubled_most: int, what: str) -> Account:
    account = relay.settle()
    print(f"{what}; {account}")
    assert account.lost == 0, str(account)
    assert not account.parked
    assert account.strangers == 0
    assert account.doubled <= doubled_most
    return account


def test_killed_processes_lose_nothing_and_double_at_most_what_a_worker_had_in_flight(
    relay: Relay, receiver: Receiver
) -> None:
    subscriber = relay.subscribe()
    receiver.behave(subscriber.path, Behaviour(delay_s=SENDS_FOR_S))
    in_flight = 0
    with relay.under_load(per_s=100):
        for process in (relay.worker, relay.bridge, relay.maintenance, relay.beat, relay.worker):
            busy(relay, subscriber.path)
            held = kill(relay, process)
            in_flight += held if process is relay.worker else 0
        busy(relay, subscriber.path)
    settled(relay, doubled_most=in_flight, what=f"in flight at the kills of the worker: {in_flight}")
    assert in_flight


def test_a_killed_rabbitmq_loses_nothing_and_all_go_on_by_themselves(
    relay: Relay, fresh_rabbitmq: RabbitMQServer
) -> None:
    subscriber = relay.subscribe()
    pids = [process.pid for process in relay.processes]
    with relay.under_load(per_s=100):
        busy(relay, subscriber.path)
        fresh_rabbitmq.kill()
        wait_until(lambda: "bridge.waiting" in relay.bridge.log(), timeout_s=20, what="the bridge to notice")
        fresh_rabbitmq.start()
        took_s = recovery_s(relay)
    settled(relay, doubled_most=0, what=f"delivering again after {took_s:.1f} s")
    assert [process.pid for process in relay.processes] == pids


def test_a_rabbitmq_that_hangs_loses_nothing_and_a_worker_ends_in_time_meanwhile(
    relay: Relay, fresh_rabbitmq: RabbitMQServer
) -> None:
    subscriber = relay.subscribe()
    with relay.under_load(per_s=100):
        busy(relay, subscriber.path)
        fresh_rabbitmq.stop()
        hung_until = time.monotonic() + HUNG_S
        wait_until(lambda: time.monotonic() > hung_until, timeout_s=HUNG_S + 5, what="some seconds")
        fresh_rabbitmq.cont()
        took_s = recovery_s(relay)

        fresh_rabbitmq.stop()
        began_at_s = time.monotonic()
        assert relay.worker.terminate(limit_s=10) == 0
        ended_s = time.monotonic() - began_at_s
        fresh_rabbitmq.cont()
        relay.worker.start()
    settled(relay, doubled_most=0, what=f"delivering again after {took_s:.1f} s, worker ended in {ended_s:.1f} s")


def test_a_purged_queue_is_filled_again_from_the_ledger(
    relay: Relay, receiver: Receiver, fresh_rabbitmq: RabbitMQServer
) -> None:
    for subscriber in [relay.subscribe() for _ in range(5)]:
        receiver.behave(subscriber.path, Behaviour(delay_s=SENDS_FOR_S))
    purged = []
    for number in range(1, 4):
        relay.worker.stop()  # it would take them in
        relay.publish(events(400, first=number * 10_000))
        wait_until(lambda: fresh_rabbitmq.queue_depth() > 20, timeout_s=15, what="tasks to wait in the broker")
        purged.append(fresh_rabbitmq.purge())
        relay.worker.cont()
    settled(relay, doubled_most=0, what=f"tasks purged: {purged}")
    assert min(purged) > 0
