"""
A destination that asks to be left alone for a while, and one that asks nonsense (S4; L22).
"""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from itertools import product

import pytest

from tests.support.events import event, events
from tests.support.receiver import Behaviour
from tests.support.relay import Relay, Subscriber
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RELAY_SETTINGS = SHORT_OUTAGES
SOON_S = 30.0
WAIT_S = 3


def in_seconds() -> str:
    return str(WAIT_S)


def as_a_date() -> str:
    return format_datetime((datetime.now(UTC) + timedelta(seconds=WAIT_S + 1)).replace(microsecond=0), usegmt=True)


def test_it_is_left_alone_until_then_and_gets_everything_within_a_second_after(relay: Relay) -> None:
    asked: list[tuple[Subscriber, str]] = []
    for status, value in product((429, 503), (in_seconds(), as_a_date())):
        subscriber = relay.subscribe()
        relay.receiver.behave(subscriber.path, Behaviour(first=(status,), headers=(("Retry-After", value),)))
        asked.append((subscriber, value))
    relay.publish([event(0)])
    for subscriber, _ in asked:
        relay.receiver.wait_for(subscriber.path, 1, SOON_S)
    # Not only the event that met the answer waits, but everything for this destination.
    relay.publish(events(100, first=1))
    account = relay.wait_for_all(SOON_S)
    assert account.is_perfect, str(account)
    for subscriber, value in asked:
        first, second, *others = [at for _, at in relay.receiver.arrivals(subscriber.path)]
        until = first + WAIT_S if value.isdecimal() else parsedate_to_datetime(value).timestamp()
        print(f"asked to wait {until - first:.2f} s, came after {second - first:.2f} s")
        assert until - 0.05 <= second <= until + 1
        assert len(others) == 100


def test_a_wait_that_is_none_is_as_if_it_had_not_been_asked_for(relay: Relay) -> None:
    opened = relay.ledger.counter("breakers_opened")
    values = ("-5", "soon", "", "1.5", "Wed, 99 Foo 2026 00:00:00 GMT", "0", "Thu, 01 Jan 1970 00:00:00 GMT")
    asked: list[tuple[Subscriber, str]] = []
    for value in values:
        subscriber = relay.subscribe()
        relay.receiver.behave(subscriber.path, Behaviour(first=(503,), headers=(("Retry-After", value),)))
        asked.append((subscriber, value))
    relay.publish([event(0)])
    account = relay.wait_for_all(SOON_S)
    assert account.is_perfect, str(account)
    for subscriber, value in asked:
        first, second = [at for _, at in relay.receiver.arrivals(subscriber.path)]
        # The schedule's 0.2 s, less a fifth.
        assert 0.15 < second - first < 1.5, value
    assert relay.ledger.counter("breakers_opened") == opened


def test_a_wait_of_years_is_a_day_in_which_nothing_is_lost_and_a_person_may_end_it(relay: Relay) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(first=(503,), headers=(("Retry-After", "9" * 30),)))
    relay.publish([event(0)])
    wait_until(lambda: relay.ledger.breaker(subscriber.id) == "open", timeout_s=SOON_S, what="the breaker to open")
    relay.publish(events(50, first=1))
    wait_until(lambda: len(relay.ledger.parked_of(subscriber.id)) == 51, timeout_s=SOON_S, what="51 to wait")
    probes = relay.ledger.counter("probes")
    # Ten times the interval of probes.
    until = time.monotonic() + 5
    wait_until(lambda: time.monotonic() > until, timeout_s=10, what="five seconds")
    assert relay.receiver.request_count(subscriber.path) == 1
    assert relay.ledger.counter("probes") == probes
    assert relay.account().lost == 0

    relay.operate("release", relay.ledger.parked_of(subscriber.id)[0])
    account = relay.wait_for_all(SOON_S)
    assert account.is_perfect, str(account)
    assert relay.receiver.request_count(subscriber.path) == 52
