"""
What each DeliveryRetryPolicy does about a destination that keeps failing (S1, S10, S18; L15, L25).
"""

import json
import time
from itertools import pairwise

import pytest

from odim_relay.domain.subscription import RetryPolicy
from tests.support.events import event, events
from tests.support.receiver import Behaviour
from tests.support.relay import Relay, Subscriber
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RETRIES = 3
INTERVAL_S = 0.4
QUOTA = 500
RELAY_SETTINGS = {
    **SHORT_OUTAGES,
    "DELIVERY__RETRY_ATTEMPTS": RETRIES,
    "DELIVERY__RETRY_INTERVAL_S": INTERVAL_S,
    "DEAD_LETTERS__MAX_COUNT": QUOTA,
}
SOON_S = 30.0
FAILS = Behaviour(status=500)


def intervals(relay: Relay, subscriber: Subscriber) -> list[float]:
    return [later - earlier for (_, earlier), (_, later) in pairwise(relay.receiver.arrivals(subscriber.path))]


def is_suspended(relay: Relay, subscriber: Subscriber) -> bool:
    return bool(relay.ledger.flow(subscriber.id).get("suspended"))


def test_retry_forever_tries_at_one_interval_and_with_backoff_at_growing_ones_and_neither_gives_up(
    relay: Relay,
) -> None:
    constant = relay.subscribe(retry_policy=RetryPolicy.FOREVER)
    growing = relay.subscribe(retry_policy=RetryPolicy.FOREVER_WITH_BACKOFF)
    # The first attempt, three retries, and at least one replay out of the dead letters.
    failures = 1 + RETRIES + 1
    for subscriber in (constant, growing):
        relay.receiver.behave(subscriber.path, Behaviour(first=(500,) * failures))
    relay.publish([event(1)])
    account = relay.wait_for_all(SOON_S)
    assert account.is_perfect, str(account)
    at_one, at_more = intervals(relay, constant)[:RETRIES], intervals(relay, growing)[:RETRIES]
    print(f"RetryForever: {at_one}, RetryForeverWithBackoff: {at_more}")
    late = 0.5
    for interval in at_one:
        assert 0.8 * INTERVAL_S <= interval <= 1.2 * INTERVAL_S + late
    for number, interval in enumerate(at_more):
        assert 0.8 * INTERVAL_S * 3**number <= interval <= 1.2 * INTERVAL_S * 3**number + late
    for subscriber in (constant, growing):
        assert relay.receiver.request_count(subscriber.path) >= failures + 1


def test_suspend_retries_suspends_when_attempts_are_used_up_goes_on_collecting_and_resumes_with_everything(
    relay: Relay,
) -> None:
    subscriber = relay.subscribe(retry_policy=RetryPolicy.SUSPEND)
    healthy = relay.subscribe(subscriber.path + "/other", retry_policy=RetryPolicy.SUSPEND)
    relay.receiver.behave(subscriber.path, FAILS)
    relay.publish(events(10))
    wait_until(lambda: is_suspended(relay, subscriber), timeout_s=SOON_S, what="the suspension")
    assert relay.ledger.flow(subscriber.id)["suspended"] == "attempts_used_up"
    first, *_, last = [at for _, at in relay.receiver.arrivals(subscriber.path)]
    # More than three failures that are no closer than three quarters of an interval: not one burst of ten.
    assert last - first >= RETRIES * 0.75 * INTERVAL_S
    wait_until(lambda: len(relay.ledger.parked_of(subscriber.id)) == 10, timeout_s=SOON_S, what="all to be parked")
    asked = relay.receiver.request_count(subscriber.path)

    relay.receiver.behave(subscriber.path, Behaviour())
    relay.publish(events(200, first=10))
    wait_until(lambda: len(relay.ledger.parked_of(subscriber.id)) == 210, timeout_s=SOON_S, what="200 more to wait")
    relay.receiver.wait_for_accepted(healthy.path, 210, SOON_S)
    # Five looks at what is parked later nobody has asked it anything.
    until = time.monotonic() + 2.5
    wait_until(lambda: time.monotonic() >= until, timeout_s=5, what="five replay intervals")
    assert relay.receiver.request_count(subscriber.path) == asked
    assert not is_suspended(relay, healthy)

    relay.operate("resume", subscriber.id)
    account = relay.wait_for_all(SOON_S)
    assert account.is_perfect, str(account)
    assert not is_suspended(relay, subscriber)


def test_who_was_suspended_for_too_long_is_told_first_that_the_oldest_events_are_lost(relay: Relay) -> None:
    subscriber = relay.subscribe(context="rack 7")
    too_many = 40
    relay.operate("suspend", subscriber.id)
    places = relay.publish(events(QUOTA + too_many))
    ids = [id_ for place in places for id_ in relay.expected([place])]
    wait_until(
        lambda: relay.unread_count() == 0 and len(relay.ledger.parked_of(subscriber.id)) <= QUOTA,
        timeout_s=SOON_S,
        what="the backlog to be at its quota",
    )
    assert relay.ledger.parked_of(subscriber.id) == ids[too_many:]
    assert relay.ledger.counter("deliveries:over_quota") == too_many
    assert relay.receiver.request_count(subscriber.path) == 0

    relay.operate("resume", subscriber.id)
    relay.receiver.wait_for_accepted(subscriber.path, QUOTA + 1, SOON_S)
    wait_until(relay.is_settled, timeout_s=SOON_S, what="the end of all work")
    (notice_id, _, notice), *others = relay.receiver.bodies(subscriber.path)
    told = json.loads(notice)
    assert told["Events"][0]["MessageId"].endswith(".EventBufferExceeded")
    assert told["Context"] == "rack 7"
    assert notice_id not in ids
    assert sorted(id_ for id_, _, _ in others) == sorted(ids[too_many:])
    assert relay.ledger.parked_of(subscriber.id) == []
    # Once is enough.
    relay.publish([event(9_999)])
    relay.receiver.wait_for_accepted(subscriber.path, QUOTA + 2, SOON_S)
    assert relay.receiver.request_count(subscriber.path) == QUOTA + 2


def test_terminate_after_retries_removes_the_subscription_and_counts_what_waited_for_it(relay: Relay) -> None:
    subscriber = relay.subscribe(retry_policy=RetryPolicy.TERMINATE)
    healthy = relay.subscribe(retry_policy=RetryPolicy.TERMINATE)
    before = relay.ledger.counter("deliveries:subscription_deleted")
    relay.receiver.behave(subscriber.path, FAILS)
    relay.publish(events(100))
    wait_until(lambda: relay.store.get(subscriber.id) is None, timeout_s=SOON_S, what="the subscription to be removed")
    del relay.subscribers[subscriber.id]
    asked = relay.receiver.request_count(subscriber.path)
    wait_until(
        lambda: relay.ledger.counter("deliveries:subscription_deleted") == before + 100,
        timeout_s=SOON_S,
        what="its 100 events to leave, counted",
    )
    assert relay.ledger.counter("subscriptions_terminated") == 1
    relay.receiver.behave(subscriber.path, Behaviour())
    relay.publish(events(10, first=100))
    relay.receiver.wait_for_accepted(healthy.path, 110, SOON_S)
    wait_until(relay.is_settled, timeout_s=SOON_S, what="the end of all work")
    assert relay.receiver.request_count(subscriber.path) == asked
    assert relay.store.get(healthy.id) is not None
    assert not relay.ledger.dead_letters()
    wait_until(lambda: relay.maintenance.lines("subscription.terminated"), timeout_s=SOON_S, what="its end to be told")
    told = [line for process in (relay.worker, relay.maintenance) for line in process.lines("subscription.terminated")]
    assert [line["subscription_id"] for line in told] == [subscriber.id]
