"""
kill -9 of every process: nothing is lost, and what is doubled is bounded (S13, S20; L1, L2, L13, L26, L27).
"""

from collections.abc import Collection
from typing import TypeAlias

import pytest

from tests.faults.conftest import MakeRelay
from tests.support.events import events
from tests.support.receiver import Behaviour, Receiver
from tests.support.relay import Relay
from tests.support.relay_process import start_all
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

KILLS = 5
MOST_TRIES = 15
# A killed worker's requests are sent again after four seconds.
SHORT_LEASE = {"DELIVERY__TIMEOUT_S": 3, "LEDGER__LEASE_MARGIN_S": 1}


Lease: TypeAlias = tuple[str, str]


def leases(relay: Relay) -> set[Lease]:
    """
    The claims under lease: delivery and seq.
    """
    return {(id_, fields["seq"]) for id_, fields in relay.ledger.deliveries("SENDING").items()}


def kill_while_sending(relay: Relay, path: str, left_before: Collection[Lease] = ()) -> set[Lease]:
    """
    Kill the first worker while it is busy, and return the claims that it leaves behind, beside those of earlier kills.
    """
    reached = relay.receiver.request_count(path)
    relay.receiver.wait_for_requests(path, reached + 50, timeout_s=20)
    relay.worker.kill()
    return leases(relay).difference(left_before)


def test_a_worker_killed_five_times_loses_nothing_and_doubles_at_most_its_requests_in_flight(
    make_relay: MakeRelay, receiver: Receiver
) -> None:
    with make_relay(**SHORT_LEASE) as relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=0.02))
        relay.publish(events(2_000))
        in_flight: list[int] = []
        left: set[Lease] = set()
        for _ in range(MOST_TRIES):
            held = kill_while_sending(relay, subscriber.path, left)
            relay.worker.start()
            left |= held
            in_flight += [len(held)] if held else []
            if len(in_flight) == KILLS:
                break
        account = relay.settle()
        print(f"in flight at each kill: {in_flight}; {account}")
        assert len(in_flight) == KILLS
        assert max(in_flight) <= relay.concurrency
        assert account.lost == 0, str(account)
        assert not account.parked
        assert account.delivered == account.published == 2_000
        assert account.strangers == 0
        assert account.doubled <= sum(in_flight)
        relay.check_health()


def test_a_worker_killed_while_frozen_loses_nothing_of_what_was_published_meanwhile(
    make_relay: MakeRelay, receiver: Receiver
) -> None:
    with make_relay(workers=2, **SHORT_LEASE) as relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=0.05))
        frozen, other = relay.workers
        relay.publish(events(500))
        receiver.wait_for_requests(subscriber.path, 50, timeout_s=20)
        frozen.stop()
        other.stop()
        # Read at once: the lease of their claims runs, and a slow bridge outlasts it.
        held = leases(relay)
        # The kernel takes tasks in for them.
        relay.publish(events(500, first=500))
        wait_until(lambda: relay.unread_count() == 0, timeout_s=20, what="the bridge to read on")
        frozen.kill()
        other.cont()
        account = relay.settle()
        frozen.start()
        print(f"claims under lease at the kill: {len(held)}; {account}")
        assert held
        assert account.lost == 0, str(account)
        assert not account.parked
        assert account.delivered == account.published == 1_000
        assert account.doubled <= len(held)
        relay.check_health()


def test_a_bridge_killed_five_times_while_writing_loses_nothing_and_doubles_nothing(make_relay: MakeRelay) -> None:
    # 240 records for 5 subscribers are three writes: the kill comes after the first.
    burst, subscribers = 240, 5
    with make_relay() as relay:
        for _ in range(subscribers):
            relay.subscribe()
        unwritten: list[int] = []
        for number in range(MOST_TRIES):
            relay.publish_until_written(events(burst, first=number * burst), relay.bridge)
            relay.bridge.kill()
            count = relay.unread_count()
            relay.bridge.start()
            unwritten += [count] if count else []
            if len(unwritten) == KILLS:
                break
        account = relay.settle()
        print(f"records unwritten at each kill: {unwritten}; {account}")
        assert len(unwritten) == KILLS
        assert account.is_perfect, str(account)
        relay.check_health()


def test_tasks_that_a_killed_bridge_had_written_and_not_published_are_published_by_the_reaper(
    make_relay: MakeRelay,
) -> None:
    with make_relay() as relay:
        for _ in range(5):
            relay.subscribe()
        relay.worker.stop()
        left = 0
        for number in range(MOST_TRIES):
            relay.publish_until_written(events(100, first=number * 100), relay.bridge)
            relay.bridge.kill()
            left = relay.ledger.counter("deliveries_created") - relay.ledger.queue_depth()
            if left > 1:  # one is what the standing worker's BRPOP was given
                break
            relay.bridge.start()
        # The bridge stays dead: what it did not publish is for the reaper alone.
        relay.worker.cont()
        account = relay.settle()
        print(f"written and never published by the bridge: {left}; {account}")
        assert left > 1
        assert account.is_perfect, str(account)


def test_reaping_goes_on_after_a_restart_of_its_killed_processes(make_relay: MakeRelay, receiver: Receiver) -> None:
    with make_relay(**SHORT_LEASE) as relay:
        subscriber = relay.subscribe()
        receiver.behave(subscriber.path, Behaviour(delay_s=0.05))
        relay.maintenance.kill()
        relay.beat.kill()
        relay.publish(events(300))
        in_flight = len(kill_while_sending(relay, subscriber.path))
        start_all([relay.worker, relay.maintenance, relay.beat])
        account = relay.settle()
        assert in_flight
        assert account.lost == 0, str(account)
        assert not account.parked
        assert account.delivered == account.published == 300
        assert account.doubled <= in_flight
        assert relay.ledger.counter("reaped") >= in_flight
        relay.check_health()
