"""
A destination that is down, and what it sees when it is back: little while it is down, everything after, once each, and
nobody had to do anything (S1, S10 to S12; L30 to L32).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from tests.support.events import events
from tests.support.receiver import Behaviour, Receiver
from tests.support.relay import Relay
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RELAY_SETTINGS = SHORT_OUTAGES
WAITING = 400
OUTAGE_S = 5.0
# Two replay intervals, and a busy machine.
RECOVERS_S = 3.0
# Of one that answers errors: the longest interval of probes, too.
RECOVERS_FROM_ERRORS_S = 2.0 + RECOVERS_S
# While a breaker counts five failures, others are on their way: one that answers fast may have 3/4 of 8 slots.
BEFORE_OPEN = 5 + 6


@contextmanager
def refusing(receiver: Receiver) -> Iterator[None]:
    receiver.refuse()
    try:
        yield
    finally:
        receiver.listen()


def pass_by(seconds: float) -> None:
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until, timeout_s=2 * seconds, what=f"{seconds} s")


def attempts(relay: Relay, subscription_id: str) -> int:
    """
    How many failed attempts the worker tells of.
    """
    return sum(line.get("subscription_id") == subscription_id for line in relay.worker.lines("delivery.attempted"))


def test_a_destination_that_refuses_is_only_knocked_at_and_gets_everything_once_when_it_is_back(relay: Relay) -> None:
    subscriber = relay.subscribe()
    relay.publish(events(20))
    relay.receiver.wait_for_accepted(subscriber.path, 20, timeout_s=30)
    before = relay.ledger.counters()
    with refusing(relay.receiver):
        relay.publish(events(WAITING, first=20))
        wait_until(lambda: relay.ledger.breaker(subscriber.id) == "open", timeout_s=30, what="the breaker to open")
        wait_until(
            lambda: len(relay.ledger.parked_of(subscriber.id)) == WAITING, timeout_s=30, what="everything to wait"
        )
        attempted = attempts(relay, subscriber.id)
        knocked = relay.ledger.counter("connection_probes")
        pass_by(OUTAGE_S)
        print(f"{attempted} requests until the breaker opened")
        assert attempted <= BEFORE_OPEN
        assert attempts(relay, subscriber.id) == attempted
        assert relay.ledger.counter("probes") == before.get("probes", 0)
        knocks = relay.ledger.counter("connection_probes") - knocked
        print(f"{knocks} connection probes in {OUTAGE_S} s")
        # One each replay interval of 0.5 s.
        assert 5 <= knocks <= OUTAGE_S / 0.5 + 1
        assert relay.account().lost == 0
        back_at = time.time()
    account = relay.wait_for_all()
    assert account.is_perfect, str(account)
    arrivals = [at for _, at in relay.receiver.arrivals(subscriber.path)][20:]
    print(f"first event {arrivals[0] - back_at:.2f} s after it accepts, the last {arrivals[-1] - back_at:.2f} s")
    assert arrivals[0] - back_at < RECOVERS_S
    assert relay.receiver.request_count(subscriber.path) == 20 + WAITING
    relay.check_health()


def test_a_destination_that_answers_errors_is_probed_ever_more_rarely_and_gets_everything_when_it_recovers(
    relay: Relay,
) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(status=500))
    relay.publish(events(WAITING))
    wait_until(lambda: relay.ledger.breaker(subscriber.id) == "open", timeout_s=30, what="the breaker to open")
    wait_until(lambda: len(relay.ledger.parked_of(subscriber.id)) == WAITING, timeout_s=30, what="all to wait")
    failed = relay.receiver.arrivals(subscriber.path)
    assert len(failed) <= BEFORE_OPEN
    pass_by(8)
    probes = relay.receiver.arrivals(subscriber.path)[len(failed) :]
    times = [at for _, at in probes]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    print(f"{len(failed)} requests until the breaker opened, then probes {[round(gap, 2) for gap in gaps]} s apart")
    # After 0.5, 1, 2, 2, ... s, each up to one replay interval late.
    assert 3 <= len(probes) <= 6
    assert all(0.9 < gap < 2 + 1.2 for gap in gaps)
    assert gaps[-1] > gaps[0]
    # Each time another event: one that the destination cannot stand must not keep it shut.
    assert len({webhook_id for webhook_id, _ in probes}) == len(probes)
    assert relay.account().lost == 0

    back_at = time.time()
    relay.receiver.behave(subscriber.path, Behaviour())
    account = relay.wait_for_all()
    assert account.is_perfect, str(account)
    arrivals = [at for _, at in relay.receiver.arrivals(subscriber.path) if at > back_at]
    print(f"first event {arrivals[0] - back_at:.2f} s after it recovered, the last {arrivals[-1] - back_at:.2f} s")
    assert arrivals[0] - back_at < RECOVERS_FROM_ERRORS_S
    assert len(arrivals) == WAITING
    assert all(len(digests) == 1 for digests in relay.receiver.digests(subscriber.path).values())
    relay.check_health()


def test_a_destination_that_recovers_is_not_overwhelmed_but_gets_more_with_each_answer(relay: Relay) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(status=503))
    relay.publish(events(100))
    wait_until(lambda: len(relay.ledger.parked_of(subscriber.id)) == 100, timeout_s=30, what="all to wait")
    answers_s = 0.2
    back_at = time.time()
    relay.receiver.behave(subscriber.path, Behaviour(delay_s=answers_s))
    account = relay.wait_for_all()
    assert account.is_perfect, str(account)
    times = [at for _, at in relay.receiver.arrivals(subscriber.path) if at > back_at]
    in_flight = [sum(at - answers_s < other <= at for other in times) for at in times]
    answered = [sum(other <= at - answers_s for other in times) for at in times]
    print(f"in flight at the first arrivals: {in_flight[:20]}, at most {max(in_flight)}")
    assert in_flight[:2] == [1, 1]
    # One more for each answer, up to what the workers have for a destination that answers fast.
    assert all(now <= max(done, 1) for now, done in zip(in_flight, answered, strict=True))
    assert 4 <= max(in_flight) <= 6
