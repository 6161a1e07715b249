"""
Subscriptions that change while events flow (S1, S19; L9).
"""

import time

import pytest

from odim_relay.domain.subscription import Filters
from tests.support.events import event, events
from tests.support.receiver import Behaviour
from tests.support.relay import Relay, Subscriber
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

EFFECTIVE_S = 1.0
DELETED_S = 5.0


def test_a_new_subscription_gets_every_event_that_is_published_after_it_at_once(relay: Relay) -> None:
    """
    Not within a second but with the next record: the ledger refuses what was matched with older subscriptions.
    """
    relay.subscribe()
    for number in range(20):
        subscriber = relay.subscribe()
        published_at = time.monotonic()
        relay.publish([event(number)])
        relay.receiver.wait_for_accepted(subscriber.path, 1, timeout_s=10)
        assert time.monotonic() - published_at < 10
    account = relay.settle()
    assert account.is_perfect, str(account)


def test_a_changed_filter_counts_for_every_event_that_is_published_after_it(relay: Relay) -> None:
    subscriber = relay.subscribe()
    for number in range(20):
        severity, other = ("OK", "Critical") if number % 2 else ("Critical", "OK")
        relay.change(subscriber, filters=Filters(severities=(severity,)))
        relay.publish([event(number, severity=severity)])
        relay.publish([event(number, severity=other)], wanted_by=[])
        wait_until(lambda: relay.unread_count() == 0, timeout_s=10, what="the bridge to match both")
    account = relay.settle()
    assert account.published == 20
    assert account.is_perfect, str(account)


def test_subscriptions_that_change_all_the_time_under_load_miss_no_event_and_get_none_twice(relay: Relay) -> None:
    steady = relay.subscribe()
    restless = relay.subscribe(filters=Filters(event_types=("Alert",)))
    others = [relay.subscribe("/nobody", filters=Filters(event_types=("Other",))) for _ in range(50)]
    with relay.under_load(per_s=400, wanted_by=[steady, restless]):
        for number in range(400):
            relay.change(restless, name=f"name {number}")
            relay.change(others[number % len(others)], name=f"name {number}")
        relay.receiver.wait_for_accepted(restless.path, 1_000, timeout_s=20)
    account = relay.settle()
    print(account)
    assert account.is_perfect, str(account)
    relay.check_health()


def holds_any(relay: Relay, subscriber: Subscriber) -> bool:
    return bool(relay.ledger.open_count() or relay.ledger.parked_of(subscriber.id))


def test_a_deleted_subscription_gets_no_request_later_than_five_seconds_after(relay: Relay) -> None:
    slow = relay.subscribe(filters=Filters(severities=("OK",)))
    failing = relay.subscribe(filters=Filters(severities=("Critical",)))
    relay.receiver.behave(slow.path, Behaviour(delay_s=0.1))
    relay.receiver.behave(failing.path, Behaviour(status=500))
    relay.publish([event(number, severity="Critical") for number in range(3)], wanted_by=[failing])
    relay.publish(events(2_000), wanted_by=[slow])
    relay.receiver.wait_for_requests(slow.path, 20, timeout_s=20)
    relay.receiver.wait_for_requests(failing.path, 4, timeout_s=20)
    wait_until(lambda: relay.unread_count() == 0, timeout_s=20, what="the bridge to write them all")
    assert len(relay.ledger.parked_of(slow.id)) > 1_000
    before = relay.ledger.counter("deliveries:subscription_deleted")
    for subscriber in (slow, failing):
        relay.unsubscribe(subscriber)
    deleted_at = time.time()
    relay.publish(events(10), wanted_by=[])
    wait_until(
        lambda: not (holds_any(relay, slow) or holds_any(relay, failing)),
        timeout_s=30,
        what="their deliveries to leave the ledger",
    )
    wait_until(lambda: time.time() > deleted_at + DELETED_S + 1, timeout_s=10, what="five seconds")
    for subscriber in (slow, failing):
        last = max(at for _, at in relay.receiver.arrivals(subscriber.path)) - deleted_at
        print(f"last request {last:.2f} s after the deletion")
        assert last < DELETED_S
    left = relay.ledger.counter("deliveries:subscription_deleted") - before
    assert left + relay.receiver.request_count(slow.path) == 2_003
    relay.check_health()
