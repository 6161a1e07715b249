"""
Bridges and workers come and go under load: nothing is lost, nothing is doubled (S16, S20; L9, L10).
"""

import signal
import time
from collections.abc import Sequence

import pytest

from tests.faults.conftest import MakeRelay
from tests.support.events import events
from tests.support.receiver import Behaviour, Mode, Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay_process import RelayProcess, start_all, wait_for_end
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

ROUNDS = 5
MOST_ROUNDS = 6


def partitions_of(bridge: RelayProcess) -> set[int]:
    """
    What the bridge reads, by its log since its last start.
    """
    held: set[int] = set()
    for line in bridge.lines("partition.assigned", "partition.released"):
        (held.add if line["event"] == "partition.assigned" else held.discard)(line["partition"])
    return held


def wait_for_partitions(*bridges: RelayProcess, count: int) -> None:
    """
    Wait until together they read `count` partitions, and each at least one if there are that many.
    """

    def are_shared() -> bool:
        shares = [len(partitions_of(bridge)) for bridge in bridges]
        return sum(shares) == count and min(shares) >= min(count // len(bridges), 1)

    wait_until(are_shared, timeout_s=30, what=f"{len(bridges)} bridges to read {count} partitions")


def test_bridges_that_join_and_leave_under_load_lose_nothing_and_double_nothing(make_relay: MakeRelay) -> None:
    partitions = 4
    with make_relay(bridges=2, partitions=partitions) as relay:
        relay.subscribe()
        with relay.under_load(per_s=200):
            for number in range(ROUNDS):
                wait_for_partitions(*relay.bridges, count=partitions)
                staying, leaving = relay.bridges[number % 2], relay.bridges[1 - number % 2]
                if number % 2:
                    leaving.kill()
                else:
                    assert leaving.terminate() == 0
                wait_for_partitions(staying, count=partitions)
                leaving.start()
            wait_for_partitions(*relay.bridges, count=partitions)
        account = relay.settle()
        print(account)
        assert account.published > 1_000
        assert account.is_perfect, str(account)
        relay.check_health()


def test_a_bridge_that_wakes_up_after_another_took_its_partition_writes_nothing_of_what_it_had_read(
    make_relay: MakeRelay,
) -> None:
    with make_relay(bridges=2) as relay:
        for _ in range(5):
            relay.subscribe()
        fenced: Sequence[object] = ()
        rounds = 0
        while not fenced and rounds < MOST_ROUNDS:
            wait_until(lambda: any(map(partitions_of, relay.bridges)), timeout_s=30, what="a bridge to read")
            sleeper, other = sorted(relay.bridges, key=lambda bridge: not partitions_of(bridge))
            # Three writes; it falls asleep after the first, with the records of the others in its hands.
            relay.publish_until_written(events(240, first=rounds * 240), sleeper)
            sleeper.stop()
            rounds += 1
            wait_for_partitions(other, count=1)
            wait_until(lambda: relay.unread_count() == 0, timeout_s=30, what="the other to read all")
            sleeper.cont()
            wait_for_partitions(sleeper, count=0)
            fenced = sleeper.lines("partition.moved")
        account = relay.settle()
        print(f"fenced in round {rounds}; {account}")
        assert account.is_perfect, str(account)
        assert fenced
        relay.check_health()


def test_workers_restarted_by_sigterm_under_load_lose_nothing_and_double_nothing(
    make_relay: MakeRelay, receiver: Receiver
) -> None:
    with make_relay(workers=2) as relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=0.05))
        took_s = []
        with relay.under_load(per_s=200):
            for number in range(ROUNDS):
                worker = relay.workers[number % 2]
                receiver.wait_for_requests(subscriber.path, receiver.request_count(subscriber.path) + 50, timeout_s=30)
                assert relay.ledger.deliveries("SENDING")
                started_at = time.monotonic()
                assert worker.terminate() == 0
                took_s.append(time.monotonic() - started_at)
                worker.start()
        account = relay.settle()
        print(f"ended in {', '.join(f'{seconds:.1f}' for seconds in took_s)} s; {account}")
        assert account.is_perfect, str(account)
        relay.check_health()


def test_a_worker_ends_within_its_timeout_and_two_seconds_however_much_it_has_taken(
    make_relay: MakeRelay, receiver: Receiver
) -> None:
    with make_relay(DELIVERY__TIMEOUT_S=5) as relay:
        # One that hangs gets a quarter of the slots (L18): four fill the worker.
        paths = [relay.subscribe().path for _ in range(4)]

        def request_count() -> int:
            return sum(map(receiver.request_count, paths))

        for path in paths:
            receiver.behave(path, Behaviour(mode=Mode.HANG))
        relay.publish(events(50))
        wait_until(lambda: request_count() >= relay.concurrency, timeout_s=20, what="all slots to be taken")
        started_at = time.monotonic()
        assert relay.worker.terminate() == 0
        took_s = time.monotonic() - started_at
        requests = request_count()
        for path in paths:
            receiver.behave(path, Behaviour())
        relay.worker.start()
        account = relay.settle()
        print(f"ended in {took_s:.1f} s after {requests} requests; {account}")
        assert took_s < 7
        assert account.is_perfect, str(account)
        relay.check_health()


def test_workers_that_are_told_to_end_while_redis_hangs_do_end_and_nothing_is_lost(
    make_relay: MakeRelay, fresh_redis: RedisServer, receiver: Receiver
) -> None:
    with make_relay(DELIVERY__CONCURRENCY=4) as relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=1))
        relay.publish(events(50))
        receiver.wait_for_requests(subscriber.path, relay.concurrency, timeout_s=20)
        fresh_redis.stop()
        workers = [relay.worker, relay.maintenance]
        for worker in workers:
            worker.send_signal(signal.SIGTERM, group=False)
        started_at = time.monotonic()
        for worker in workers:
            assert wait_for_end(worker, timeout_s=60) == 0
            print(f"{worker.name} ended after {time.monotonic() - started_at:.1f} s")
        fresh_redis.cont()
        receiver.behave(subscriber.path, Behaviour())
        start_all(workers)
        account = relay.settle()
        print(account)
        assert account.lost == 0, str(account)
        assert account.delivered == account.published == 50
        assert account.parked == {}
        # What was answered could not be told to the ledger.
        assert account.doubled <= relay.concurrency
        relay.check_health()
