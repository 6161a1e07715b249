"""
What a destination answers decides what becomes of its events: gone, refused for good, told once (S2, S3, S6, S18; L19).
"""

import pytest

from odim_relay.domain.subscription import Mode
from tests.support.events import event, events
from tests.support.receiver import Behaviour
from tests.support.relay import Relay, Subscriber
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RELAY_SETTINGS = SHORT_OUTAGES
SOON_S = 30.0


def header_values(relay: Relay, subscriber: Subscriber, name: str) -> list[str]:
    """
    A header of every request, empty where there was none; in order.
    """
    return [
        {given.lower(): value for given, value in headers}.get(name, "")
        for _, headers, _ in relay.receiver.bodies(subscriber.path)
    ]


def wait_for_parked(relay: Relay, subscriber: Subscriber, count: int, *, by_hand: bool = False) -> list[str]:
    wait_until(
        lambda: len(relay.ledger.parked_of(subscriber.id, by_hand=by_hand)) == count and relay.is_settled(),
        timeout_s=SOON_S,
        what=f"{count} parked",
    )
    return relay.ledger.parked_of(subscriber.id, by_hand=by_hand)


def test_gone_suspends_the_subscription_which_keeps_collecting_and_gets_everything_when_resumed(relay: Relay) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(status=410))
    relay.publish([event(0)])
    wait_until(lambda: relay.ledger.flow(subscriber.id).get("suspended"), timeout_s=SOON_S, what="the suspension")
    assert relay.ledger.flow(subscriber.id)["suspended"] == "gone"
    relay.publish(events(300, first=1))
    wait_for_parked(relay, subscriber, 301)
    assert relay.receiver.request_count(subscriber.path) == 1
    assert relay.account().lost == 0

    relay.receiver.behave(subscriber.path, Behaviour())
    relay.operate("resume", subscriber.id)
    account = relay.wait_for_all(SOON_S)
    assert account.is_perfect, str(account)
    assert relay.receiver.request_count(subscriber.path) == 302


def test_what_is_refused_for_good_waits_for_a_person_and_holds_up_nobody(relay: Relay) -> None:
    subscriber = relay.subscribe()
    # Twice as many in a row as open a breaker.
    relay.receiver.behave(subscriber.path, Behaviour(first=(422,) * 10))
    relay.publish(events(30))
    relay.receiver.wait_for_accepted(subscriber.path, 20, SOON_S)
    refused = wait_for_parked(relay, subscriber, 10, by_hand=True)
    assert relay.ledger.counter("breakers_opened") == 0
    assert relay.receiver.request_count(subscriber.path) == 30
    letters = relay.ledger.dead_letters()
    assert {letters[id_]["reason"] for id_ in refused} == {"rejected"}

    relay.operate("release", *refused)
    account = relay.wait_for_all(SOON_S)
    assert account.is_perfect, str(account)
    assert relay.receiver.request_count(subscriber.path) == 40
    assert header_values(relay, subscriber, "x-odim-relay-replay") == [""] * 30 + ["1"] * 10
    assert header_values(relay, subscriber, "x-odim-relay-attempt") == ["1"] * 30 + ["2"] * 10


def test_an_event_keeps_its_id_and_its_bytes_on_every_attempt_and_replay(relay: Relay) -> None:
    subscriber = relay.subscribe(context="rack 7")
    # One attempt, three retries, and replays until it answers.
    relay.receiver.behave(subscriber.path, Behaviour(first=(500, 503, 502, 404, 500)))
    [delivery_id] = relay.expected(relay.publish([event(1)]))
    account = relay.wait_for_all(SOON_S)
    assert account.is_perfect, str(account)
    assert relay.receiver.counts(subscriber.path) == {delivery_id: 6}
    [digests] = relay.receiver.digests(subscriber.path).values()
    assert len(digests) == 1
    assert header_values(relay, subscriber, "x-odim-relay-attempt") == [str(number) for number in range(1, 7)]
    assert header_values(relay, subscriber, "x-odim-relay-replay") == ["", "", "", "", "1", "1"]


@pytest.mark.parametrize("status", [500, 422, 410])
def test_an_event_that_is_promised_once_at_most_is_sent_once_and_forgotten(relay: Relay, status: int) -> None:
    subscriber = relay.subscribe(mode=Mode.AT_MOST_ONCE)
    relay.receiver.behave(subscriber.path, Behaviour(first=(status,)))
    relay.publish([event(1)])
    relay.receiver.wait_for(subscriber.path, 1, SOON_S)
    wait_until(relay.is_settled, timeout_s=SOON_S, what="the end of all work")
    assert relay.ledger.parked_of(subscriber.id) == relay.ledger.parked_of(subscriber.id, by_hand=True) == []
    assert relay.ledger.deliveries() == {}
    if status == 410:
        relay.operate("resume", subscriber.id)
    relay.publish([event(2)])
    relay.receiver.wait_for_accepted(subscriber.path, 1, SOON_S)
    assert relay.receiver.request_count(subscriber.path) == 2
