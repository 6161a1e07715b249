"""
Redis, Kafka or the broker's queue goes away and comes back: nothing is lost, nobody is restarted (S14, S15, S20).
"""

import os
import time
from pathlib import Path

import pytest

from tests.faults.conftest import MakeRelay
from tests.support.events import events
from tests.support.kafka_server import KafkaServer
from tests.support.receiver import Behaviour, Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

AGAIN_WITHIN_S = 15.0
HUNG_S = 11.0
TAIL_S = 3.0


def recovery_s(relay: Relay, since: float) -> float:
    """
    Waits until something that was published from now on is delivered, and returns the seconds since then.
    """
    wanted = relay.expected(relay.publish(events(1, first=1_000_000)))
    wait_until(
        lambda: wanted <= relay.accepted().keys(), timeout_s=AGAIN_WITHIN_S, what="the first delivery after the outage"
    )
    return time.monotonic() - since


@pytest.mark.parametrize("appendfsync", ["everysec", "always"])
def test_a_killed_redis_loses_nothing_and_all_go_on_by_themselves(
    make_relay: MakeRelay, fresh_redis: RedisServer, receiver: Receiver, appendfsync: str
) -> None:
    with fresh_redis.client() as client:
        client.config_set("appendfsync", appendfsync)  # until the kill
    with make_relay() as relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=0.01))
        pids = [process.pid for process in relay.processes]
        with relay.under_load(per_s=200):
            receiver.wait_for_requests(subscriber.path, 200, timeout_s=20)
            killed_at = time.time()
            fresh_redis.kill()
            wait_until(lambda: "bridge.waiting" in relay.bridge.log(), timeout_s=20, what="the bridge to notice")
            fresh_redis.start()
            took_s = recovery_s(relay, time.monotonic())
        account = relay.settle()
        print(f"delivering again after {took_s:.1f} s; {account}")
        assert account.lost == 0, str(account)
        assert not account.parked
        # While a disk is slow, `everysec` keeps what it has answered for up to two seconds to itself.
        in_tail = sum(killed_at - TAIL_S < at <= killed_at for _, at in receiver.arrivals(subscriber.path))
        assert account.doubled <= (0 if appendfsync == "always" else in_tail + relay.concurrency)
        assert [process.pid for process in relay.processes] == pids
        relay.check_health()


def test_a_redis_that_hangs_for_eleven_seconds_loses_nothing_and_all_go_on_by_themselves(
    make_relay: MakeRelay, fresh_redis: RedisServer, receiver: Receiver
) -> None:
    with make_relay(DELIVERY__TIMEOUT_S=10, LEDGER__LEASE_MARGIN_S=15) as relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=0.01))
        with relay.under_load(per_s=200):
            receiver.wait_for_requests(subscriber.path, 200, timeout_s=20)
            fresh_redis.stop()
            hung_until = time.monotonic() + HUNG_S
            wait_until(lambda: time.monotonic() > hung_until, timeout_s=HUNG_S + 5, what="eleven seconds")
            fresh_redis.cont()
            took_s = recovery_s(relay, time.monotonic())
        account = relay.settle()
        print(f"delivering again after {took_s:.1f} s; {account}")
        assert account.lost == 0, str(account)
        assert not account.parked
        assert account.doubled == 0
        relay.check_health()


def test_a_killed_kafka_loses_nothing_and_the_bridge_goes_on_by_itself(
    fresh_kafka: KafkaServer, fresh_redis: RedisServer, receiver: Receiver, tmp_path: Path
) -> None:
    with Relay(
        tmp_path / "relay", redis=fresh_redis, kafka=fresh_kafka.bootstrap_servers, receiver=receiver, partitions=2
    ) as relay:
        subscriber = relay.subscribe()
        with relay.under_load(per_s=200):
            receiver.wait_for_requests(subscriber.path, 200, timeout_s=20)
            fresh_kafka.kill()
            wait_until(lambda: "kafka.failed" in relay.bridge.log(), timeout_s=20, what="the bridge to notice")
            fresh_kafka.start()
            took_s = recovery_s(relay, time.monotonic())
        account = relay.settle()
        print(f"delivering again after {took_s:.1f} s; {account}")
        assert account.is_perfect, str(account)
        relay.check_health()


def test_a_flushed_broker_is_filled_again_from_the_ledger(make_relay: MakeRelay, receiver: Receiver) -> None:
    with make_relay() as relay:
        subscribers = [relay.subscribe() for _ in range(5)]
        flushed = []
        with relay.under_load(per_s=100):
            for number in range(1, 4):
                receiver.wait_for_requests(subscribers[0].path, number * 100, timeout_s=20)
                relay.worker.stop()  # it would take them in
                relay.publish(events(300, first=number * 10_000))
                wait_until(lambda: relay.ledger.queue_depth() > 20, timeout_s=10, what="tasks to wait in the broker")
                flushed.append(relay.ledger.flush_broker())
                relay.worker.cont()
        account = relay.settle()
        print(f"tasks flushed: {flushed}; {account}")
        assert min(flushed) > 0
        assert account.is_perfect, str(account)
        relay.check_health()


def aof_of(server: RedisServer) -> Path:
    """
    The file that Redis appends to now; version 7 and newer keep it in a folder of parts.
    """
    parts = sorted(server.folder.glob("appendonlydir/*.incr.aof"))
    return parts[-1] if parts else server.folder / "appendonly.aof"


@pytest.mark.parametrize("more_comes", [True, False], ids=["with more records after it", "with no record after it"])
def test_a_cut_off_tail_of_the_aof_rolls_deliveries_and_offsets_back_together_and_loses_nothing(
    make_relay: MakeRelay, fresh_redis: RedisServer, receiver: Receiver, *, more_comes: bool
) -> None:
    with make_relay(partitions=2) as relay:
        subscriber = relay.subscribe()
        relay.publish(events(300))
        assert relay.settle().is_perfect
        kept_bytes = aof_of(fresh_redis).stat().st_size
        before = receiver.request_count(subscriber.path)
        # Taken in within the tail; some of it is delivered then, some waits.
        receiver.behave(subscriber.path, Behaviour(delay_s=0.05))
        relay.publish(events(600, first=300))
        receiver.wait_for_requests(subscriber.path, before + 100, timeout_s=20)
        wait_until(lambda: relay.unread_count() == 0, timeout_s=20, what="the bridge to read all")
        in_tail = relay.ledger.counter("deliveries:delivered") - 300
        fresh_redis.kill()
        sent_in_tail = receiver.request_count(subscriber.path) - before
        cut_off = aof_of(fresh_redis).stat().st_size - kept_bytes
        # Just behind the last byte of what is kept lies a command that was written by half: as after a power cut.
        os.truncate(aof_of(fresh_redis), kept_bytes + 40)
        fresh_redis.start()
        unread = relay.unread_count()
        if more_comes:
            relay.publish(events(100, first=900))
        account = relay.settle()
        print(
            f"cut off {cut_off} bytes with {in_tail} completions and {sent_in_tail} requests; {unread} records to read "
            f"again; {account}"
        )
        assert unread == 600
        assert in_tail > 0
        assert account.lost == 0, str(account)
        assert not account.parked
        assert account.strangers == 0
        assert account.doubled <= sent_in_tail + relay.concurrency
        relay.check_health()
