"""
The rate that a subscription asks for is kept while a gap is drained, one event in each request or many.
"""

import math
from collections import Counter

import pytest

from tests.faults.conftest import MakeRelay
from tests.support.counting_receiver import CountingReceiver
from tests.support.events import events
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

PER_S = 20.0
MOST_OVER = 1.1
SECONDS = 6


@pytest.mark.parametrize("batch_size", [None, 10])
def test_no_second_of_a_drain_sees_more_requests_than_its_rate_and_a_tenth(
    make_relay: MakeRelay, batch_size: int | None
) -> None:
    count = round(PER_S * SECONDS) * (batch_size or 1)
    with CountingReceiver() as receiver, make_relay() as relay:
        subscriber = relay.subscribe(destination=receiver.url)
        relay.change(subscriber, rate_per_s=PER_S, batch_size=batch_size)
        relay.operate("suspend", subscriber.id)
        relay.publish(events(count))
        wait_until(lambda: len(relay.ledger.parked_of(subscriber.id)) == count, timeout_s=30, what="all to wait")
        relay.operate("resume", subscriber.id)
        wait_until(lambda: len(receiver.taken()) == count, timeout_s=60, what="all to arrive")

        times = receiver.times()
        by_second = Counter(math.floor(at - times[0]) for at in times)
        print(f"{len(times)} requests in {times[-1] - times[0]:.1f} s, by the second {list(by_second.values())}")
        assert max(by_second.values()) <= PER_S * MOST_OVER
        assert receiver.taken().total() == count
        relay.check_health()
