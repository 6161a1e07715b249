"""
A gap that goes out in batches: few requests, every event once, culprits alone, and a killed worker that doubles at most
what it had under way.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.conftest import MakeRelay
from tests.support.counting_receiver import CountingReceiver
from tests.support.events import events
from tests.support.relay import Relay
from tests.support.subscriber import Subscriber
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

WAITING = 10_000
BATCH = 50
MOST_REQUESTS = 250
POISON = frozenset({"17", "4444", "9999"})
# Each culprit is found in so many requests more: twice the halvings of a batch.
FINDING_ONE = 2 * 6
SHORT_LEASE = {"DELIVERY__TIMEOUT_S": 3, "LEDGER__LEASE_MARGIN_S": 1}
IDS = {str(number) for number in range(WAITING)}


@contextmanager
def gap(make_relay: MakeRelay, receiver: CountingReceiver, **settings: object) -> Iterator[tuple[Relay, Subscriber]]:
    """
    A relay in which so many events wait for one subscription.
    """
    with make_relay(**settings) as relay:
        subscriber = relay.subscribe(destination=receiver.url)
        relay.change(subscriber, batch_size=BATCH)
        relay.operate("suspend", subscriber.id)
        relay.publish(events(WAITING))
        wait_until(
            lambda: len(relay.ledger.parked_of(subscriber.id)) == WAITING, timeout_s=60, what="everything to wait"
        )
        yield relay, subscriber


def wait_for(receiver: CountingReceiver, count: int) -> None:
    wait_until(lambda: len(receiver.taken()) >= count, timeout_s=120, what=f"{count} events to arrive")


def test_a_gap_of_10000_needs_at_most_250_requests_and_each_event_comes_once(make_relay: MakeRelay) -> None:
    with CountingReceiver() as receiver, gap(make_relay, receiver) as (relay, subscriber):
        relay.operate("resume", subscriber.id)
        wait_for(receiver, WAITING)
        wait_until(lambda: relay.ledger.open_count() == 0, timeout_s=30, what="the ledger to be empty")

        print(f"{len(receiver.sizes())} requests, the largest with {max(receiver.sizes())} events")
        assert receiver.taken() == dict.fromkeys(IDS, 1)
        assert len(receiver.sizes()) <= MOST_REQUESTS
        assert relay.ledger.counter("deliveries:delivered") == WAITING
        relay.check_health()


def test_three_that_are_refused_are_parked_alone_and_all_others_come_once(make_relay: MakeRelay) -> None:
    with CountingReceiver(poison=POISON) as receiver, gap(make_relay, receiver) as (relay, subscriber):
        relay.operate("resume", subscriber.id)
        wait_for(receiver, WAITING - len(POISON))
        wait_until(lambda: relay.ledger.open_count() == 0, timeout_s=30, what="the culprits alone to be left")

        print(f"{len(receiver.sizes())} requests")
        assert receiver.taken() == dict.fromkeys(IDS - POISON, 1)
        reasons = [letter["reason"] for letter in relay.ledger.dead_letters().values()]
        assert reasons == ["rejected"] * len(POISON)
        assert len(receiver.sizes()) <= MOST_REQUESTS + len(POISON) * FINDING_ONE
        assert relay.ledger.breaker(subscriber.id) == "closed"
        relay.check_health()


def test_a_worker_killed_amid_batches_loses_nothing_and_doubles_at_most_what_was_in_them(
    make_relay: MakeRelay,
) -> None:
    with (
        CountingReceiver(delay_s=0.05) as receiver,
        gap(make_relay, receiver, **SHORT_LEASE) as (relay, subscriber),
    ):
        relay.operate("resume", subscriber.id)
        under_way = 0
        for count in (500, 2_500, 5_000):
            wait_for(receiver, count)
            relay.worker.kill()
            held = len(relay.ledger.deliveries("SENDING"))
            under_way += held
            relay.worker.start()
        wait_for(receiver, WAITING)
        wait_until(lambda: relay.ledger.open_count() == 0, timeout_s=60, what="the ledger to be empty")

        taken = receiver.taken()
        doubled = taken.total() - WAITING
        print(f"{under_way} under way at three kills, {doubled} doubled, {len(receiver.sizes())} requests")
        assert set(taken) == IDS
        assert under_way > 0
        assert doubled <= under_way
