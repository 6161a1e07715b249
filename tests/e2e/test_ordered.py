"""
A subscription that is promised its events in order gets them in order, whatever happens in between (S7; L32, L33).
"""

import random
from itertools import pairwise

import pytest

from odim_relay.domain.subscription import Mode
from tests.support.account import Place
from tests.support.events import events
from tests.support.receiver import Behaviour
from tests.support.relay import Relay, Subscriber
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

# Much happens in short time: a thousand retries, two hundred events that run out of them and wait at the head of the
# others for a time of their own, and dozens of times a breaker that opens.
RELAY_SETTINGS = {
    "DELIVERY__TIMEOUT_S": 3,
    "LEDGER__LEASE_MARGIN_S": 1,
    "LEDGER__REAP_INTERVAL_S": 0.05,
    "DELIVERY__RETRY_ATTEMPTS": 1,
    "DELIVERY__RETRY_INTERVAL_S": 0.005,
    "BREAKER__PROBE_INTERVAL_S": 0.05,
    "BREAKER__PROBE_MAX_INTERVAL_S": 0.2,
    "DEAD_LETTERS__REPLAY_INTERVAL_S": 0.05,
}
FAILURES = (500, 503, 404, 429, 502)


def mostly_fine(count: int, share: float) -> tuple[int, ...]:
    """
    Statuses of so many requests, a share of which fails for a while.
    """
    chance = random.Random(7)  # noqa: S311 - the same failures in each run
    return tuple(chance.choice(FAILURES) if chance.random() < share else 200 for _ in range(count))


def inversions(relay: Relay, subscriber: Subscriber, places: list[Place]) -> int:
    """
    How many requests brought an event that stands before that of the request before: in order, an event is not even
    tried before the one before it was taken.
    """
    numbers = {id_: number for number, place in enumerate(places) for id_ in relay.expected([place])}
    came = [numbers[id_] for id_, _ in relay.receiver.arrivals(subscriber.path)]
    return sum(later < earlier for earlier, later in pairwise(came))


def test_five_thousand_events_come_in_order_though_a_fifth_of_the_requests_fails(relay: Relay) -> None:
    subscriber = relay.subscribe(mode=Mode.ORDERED)
    relay.receiver.behave(subscriber.path, Behaviour(first=mostly_fine(5_500, 0.2)))
    places = relay.publish(events(5_000))
    relay.receiver.wait_for_accepted(subscriber.path, 5_000, timeout_s=240)
    account = relay.wait_for_all()
    requests = relay.receiver.request_count(subscriber.path)
    print(f"{requests} requests, {relay.ledger.counters()}")
    assert account.is_perfect, str(account)
    assert requests > 5_900
    assert inversions(relay, subscriber, places) == 0
    relay.check_health()


def test_events_come_in_order_though_workers_are_killed_and_the_destination_goes_down(relay: Relay) -> None:
    subscriber = relay.subscribe(mode=Mode.ORDERED)
    relay.receiver.behave(subscriber.path, Behaviour(delay_s=0.005))
    places = relay.publish(events(300))
    kills = 2
    for number in range(kills):
        relay.receiver.wait_for_requests(subscriber.path, 50 + 100 * number, timeout_s=60)
        relay.worker.kill()
        relay.worker.start()
    relay.receiver.refuse()
    try:
        places += relay.publish(events(300, first=300))
        wait_until(lambda: relay.ledger.breaker(subscriber.id) == "open", timeout_s=30, what="the breaker to open")
    finally:
        relay.receiver.listen()
    relay.receiver.behave(subscriber.path, Behaviour(first=(500,) * 8))
    relay.receiver.wait_for_accepted(subscriber.path, 600, timeout_s=60)
    account = relay.wait_for_all()
    print(account)
    assert account.lost == 0, str(account)
    assert account.delivered == account.published == 600
    assert account.doubled <= kills
    assert not account.parked
    assert inversions(relay, subscriber, places) == 0
    relay.check_health()
