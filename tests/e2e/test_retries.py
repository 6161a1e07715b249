"""
Destinations that fail: what is tried again, when, and what is parked (S3, S4, S6; L20, L22, L23).
"""

from typing import Any

import pytest

from tests.support.events import event
from tests.support.receiver import Behaviour
from tests.support.relay import Relay, Subscriber
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RETRIES = 2
RELAY_SETTINGS = {"DELIVERY__RETRY_ATTEMPTS": RETRIES, "DELIVERY__RETRY_INTERVAL_S": 0.3, "DELIVERY__TIMEOUT_S": 3}


def requests(relay: Relay, subscriber: Subscriber) -> list[tuple[str, str]]:
    """
    Webhook-id and attempt of every request, in order.
    """
    return [
        (webhook_id, {name.lower(): value for name, value in headers}["x-odim-relay-attempt"])
        for webhook_id, headers, _ in relay.receiver.bodies(subscriber.path)
    ]


def letter_of(relay: Relay, delivery_id: str) -> dict[str, Any]:
    """
    The dead letter of a delivery, as soon as it is parked.
    """
    return wait_until(
        lambda: relay.ledger.dead_letters().get(delivery_id, {}), timeout_s=30, what=f"{delivery_id} to be parked"
    )


def test_a_destination_that_fails_twice_gets_the_event_at_the_third_attempt_under_the_same_id(relay: Relay) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(first=(500, 503)))
    [delivery_id] = relay.expected(relay.publish([event(1)]))
    relay.receiver.wait_for_accepted(subscriber.path, 1, timeout_s=30)
    assert requests(relay, subscriber) == [(delivery_id, "1"), (delivery_id, "2"), (delivery_id, "3")]
    [bodies] = relay.receiver.digests(subscriber.path).values()
    assert len(bodies) == 1
    times = [at for _, at in relay.receiver.arrivals(subscriber.path)]
    # By countdown, 0.3 s and 0.9 s less a fifth, and not by the reaper, which comes ten seconds later.
    assert times[1] - times[0] > 0.24
    assert times[2] - times[1] > 0.72
    assert times[2] - times[0] < 10
    wait_until(relay.is_settled, timeout_s=20, what="the end of all work")
    assert delivery_id not in relay.ledger.dead_letters()


@pytest.mark.parametrize("status", [500, 404, 301, 302, 307, 308], ids=str)
def test_a_destination_that_keeps_failing_leaves_a_dead_letter_with_all_that_is_needed_to_forward_it(
    relay: Relay, status: int
) -> None:
    subscriber = relay.subscribe()
    elsewhere = f"/elsewhere-{status}"
    location = ("Location", relay.receiver.url(elsewhere))
    relay.receiver.behave(subscriber.path, Behaviour(status=status, headers=(location,)))
    [place] = relay.publish([event(1)])
    [delivery_id] = relay.expected([place])
    letter = letter_of(relay, delivery_id)
    assert letter["reason"] == "exhausted"
    assert int(letter["attempts"]) == 1 + RETRIES
    assert letter["subscription"] == subscriber.id
    assert letter["record"] == f"{relay.topic}/{place.partition}/{place.offset}"
    assert relay.ledger.payload(letter["event"]) == event(1)
    assert letter["last"]["status"] == status
    assert letter["last"]["destination"] == relay.receiver.url(subscriber.path)
    assert [attempt for _, attempt in requests(relay, subscriber)] == ["1", "2", "3"]
    assert relay.receiver.request_count(elsewhere) == 0
    assert relay.ledger.parked_of(subscriber.id) == [delivery_id]
    assert relay.ledger.breaker(subscriber.id) == "closed"


@pytest.mark.parametrize(("status", "reason"), [(400, "rejected"), (422, "rejected"), (410, "gone")])
def test_a_permanent_answer_parks_the_event_after_one_attempt(relay: Relay, status: int, reason: str) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(status=status))
    [delivery_id] = relay.expected(relay.publish([event(1)]))
    letter = letter_of(relay, delivery_id)
    assert letter["reason"] == reason
    assert letter["last"]["status"] == status
    assert requests(relay, subscriber) == [(delivery_id, "1")]


def test_nobody_at_the_destination_is_a_failure_that_is_tried_again(relay: Relay) -> None:
    subscriber = relay.subscribe(destination="https://127.0.0.1:1/nobody")
    [delivery_id] = relay.expected(relay.publish([event(1)]))
    letter = letter_of(relay, delivery_id)
    assert (letter["reason"], letter["last"]["failure"]) == ("exhausted", "connect")
    assert int(letter["attempts"]) == 1 + RETRIES
    assert not relay.receiver.counts(subscriber.path)


def test_a_countdown_that_died_with_its_worker_is_brought_back_by_the_reaper(relay: Relay) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(first=(503,), headers=(("Retry-After", "2"),)))
    [delivery_id] = relay.expected(relay.publish([event(1)]))
    wait_until(lambda: delivery_id in relay.ledger.deliveries("RETRYING"), timeout_s=20, what="the countdown")
    # The state is written before Celery is told: wait until the worker holds the task, too.
    wait_until(lambda: relay.ledger.queue_depth() == 0, timeout_s=5, what="the worker to take the countdown")
    relay.worker.kill()
    assert delivery_id in relay.ledger.deliveries("RETRYING")
    relay.worker.start()
    relay.receiver.wait_for_accepted(subscriber.path, 1, timeout_s=30)
    assert requests(relay, subscriber) == [(delivery_id, "1"), (delivery_id, "2")]
    first, second = [at for _, at in relay.receiver.arrivals(subscriber.path)]
    print(f"tried again after {second - first:.1f} s")
    assert second - first > 10
    assert relay.ledger.counter("reaped") > 0


def test_a_fault_of_our_own_parks_the_event_as_broken_and_the_others_go_on(relay: Relay) -> None:
    # Our API would refuse such a header; the sender does, too, and by raising.
    broken = relay.subscribe(headers=(("X-Broken", "a\nb"),))
    healthy = relay.subscribe()
    [place] = relay.publish([event(1)])
    ids = relay.expected([place])
    relay.receiver.wait_for_accepted(healthy.path, 1, timeout_s=20)
    [delivery_id] = wait_until(
        lambda: ids & relay.ledger.dead_letters().keys(), timeout_s=20, what="the broken delivery to be parked"
    )
    letter = relay.ledger.dead_letters()[delivery_id]
    assert letter["reason"] == "broken"
    assert "PermanentError" in letter["last"]["detail"]
    assert delivery_id in relay.ledger.parked_of(broken.id, by_hand=True)
    assert not relay.receiver.counts(broken.path)
    assert relay.worker.lines("delivery.broken")
