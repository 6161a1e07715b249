"""
What is said for all subscriptions, and what one says of its own, with all processes at work.
"""

import json
from dataclasses import replace

import pytest

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.event_service import RedisEventServiceStore
from tests.support.events import events
from tests.support.ledger_view import PREFIX
from tests.support.relay import Relay
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RELAY_SETTINGS = {"DEAD_LETTERS__REPLAY_INTERVAL_S": 0.5}
HEARTBEAT_WITHIN_S = 30.0
RATE_PER_S = 20.0


def enable(relay: Relay, *, is_enabled: bool) -> None:
    with relay.redis.client() as client:
        RedisEventServiceStore(Scripts(client, PREFIX)).update(lambda said: replace(said, is_enabled=is_enabled))


def test_while_nothing_is_sent_all_is_kept_and_afterwards_everything_arrives_once(relay: Relay) -> None:
    subscriber = relay.subscribe()
    relay.publish(events(50))
    relay.receiver.wait_for_accepted(subscriber.path, 50, timeout_s=20)

    enable(relay, is_enabled=False)
    relay.publish(events(300))
    wait_until(lambda: len(relay.ledger.dead_letters()) == 300, timeout_s=20, what="all of it to be collected")
    assert relay.receiver.request_count(subscriber.path) == 50

    enable(relay, is_enabled=True)
    account = relay.wait_for_all()
    assert account.published == 350
    assert account.is_perfect, str(account)


def test_switched_off_and_on_under_load_nothing_is_lost_or_sent_twice(relay: Relay) -> None:
    subscriber = relay.subscribe()
    with relay.under_load(per_s=200):
        for number in range(1, 7):
            relay.receiver.wait_for_accepted(subscriber.path, 100 * number, timeout_s=30)
            enable(relay, is_enabled=False)
            enable(relay, is_enabled=True)
    account = relay.wait_for_all()
    assert account.is_perfect, str(account)


def test_new_events_go_no_faster_than_their_subscription_wants(relay: Relay) -> None:
    subscriber = relay.subscribe()
    relay.change(subscriber, rate_per_s=RATE_PER_S)
    relay.publish(events(100))
    account = relay.wait_for_all()

    times = sorted(at for _, at in relay.receiver.arrivals(subscriber.path))
    took_s = times[-1] - times[0]
    print(f"100 events took {took_s:.1f} s")
    assert account.is_perfect, str(account)
    assert took_s > 0.9 * 99 / RATE_PER_S


def test_who_asks_for_heartbeats_gets_them(relay: Relay) -> None:
    subscriber = relay.subscribe(context="mine")
    relay.change(subscriber, heartbeat_minutes=1)

    relay.receiver.wait_for_requests(subscriber.path, 1, timeout_s=HEARTBEAT_WITHIN_S)

    (_, _, body) = relay.receiver.bodies(subscriber.path)[0]
    event = json.loads(body)
    assert event["Context"] == "mine"
    assert [record["MessageId"] for record in event["Events"]] == ["HeartbeatEvent.1.1.RedfishServiceFunctional"]
