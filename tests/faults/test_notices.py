"""
Notices: each change of the relay itself is told once to each who asks for it, whoever is killed meanwhile.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from odim_relay.adapters.redis.backlog import RedisBacklogLedger
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.outbox import RedisNoticeOutbox
from odim_relay.domain.own_resources import SUBSCRIPTIONS
from odim_relay.domain.subscription import Filters, RetryPolicy
from odim_relay.ports import SuspendedBy
from tests.faults.conftest import MakeRelay
from tests.support.events import events
from tests.support.ledger_view import PREFIX
from tests.support.receiver import Behaviour, Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.subscriber import Subscriber
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

KILLS = 3
MOST_TRIES = 8
BURST = 40
OURS = Filters(registry_prefixes=("OdimRelay",))
TOLD_S = 5.0
# A killed process's turn lasts twelve seconds.
TOLD_AFTER_A_KILL_S = 40.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """
    One that keeps what it gets: notices are told apart by what they say.
    """
    with Receiver.start() as receiver:
        yield receiver


def told(receiver: Receiver, subscriber: Subscriber) -> list[dict[str, Any]]:
    """
    The records that came, in order.
    """
    return [record for _, _, body in receiver.bodies(subscriber.path) for record in json.loads(body)["Events"]]


def in_words(record: dict[str, Any]) -> tuple[str, ...]:
    return (record["MessageId"].rpartition(".")[2], *record["MessageArgs"])


def lines(relay: Relay) -> list[int]:
    """
    The numbers of the changes that were logged by maintenance, in all of its lives.
    """
    found = [json.loads(line) for line in relay.maintenance.log().splitlines() if '"notice": ' in line]
    return [line["notice"] for line in found if line["event"] != "notice.announced"]


def test_maintenance_killed_while_it_tells_loses_no_notice_and_doubles_none(
    make_relay: MakeRelay, receiver: Receiver, fresh_redis: RedisServer
) -> None:
    with make_relay() as relay, fresh_redis.client() as client:
        scripts = Scripts(client, PREFIX)
        ledger, outbox = RedisBacklogLedger(scripts), RedisNoticeOutbox(scripts)
        watchers = [relay.subscribe(filters=OURS) for _ in range(2)]
        everything = relay.subscribe()
        expected: list[tuple[str, ...]] = []
        left: list[int] = []
        for _ in range(MOST_TRIES):
            some = [relay.subscribe(filters=Filters(event_types=("None",))).id for _ in range(BURST)]
            for id_ in some:
                assert ledger.suspend(id_, SuspendedBy.HAND)
            expected += [("SubscriptionSuspended", id_, "by_hand") for id_ in some]
            wait_until(lambda: len(outbox.pending()) < BURST, timeout_s=TOLD_AFTER_A_KILL_S, what="maintenance to tell")
            relay.maintenance.kill()
            count = len(outbox.pending())
            relay.maintenance.start()
            left += [count] if count else []
            wait_until(lambda: not outbox.pending(), timeout_s=TOLD_AFTER_A_KILL_S, what="all to be told")
            if len(left) == KILLS:
                break
        for watcher in watchers:
            wait_until(
                lambda watcher=watcher: len(told(receiver, watcher)) >= len(expected),  # type: ignore[misc]
                timeout_s=TOLD_AFTER_A_KILL_S,
                what="the watchers to hear of all",
            )
        wait_until(relay.is_settled, timeout_s=TOLD_AFTER_A_KILL_S, what="the end of all work")
        print(f"changes left untold at each kill: {left}; {len(expected)} changes")
        assert len(left) == KILLS
        for watcher in watchers:
            assert Counter(map(in_words, told(receiver, watcher))) == Counter(expected)
        assert told(receiver, everything) == []
        logged = Counter(lines(relay))
        assert len(logged) == len(expected)
        doubled = sum(logged.values()) - len(logged)
        print(f"lines that were written twice: {doubled}")
        assert doubled <= MOST_TRIES, "one for each kill at most"


def test_an_outage_is_told_when_it_begins_and_when_it_ends_and_to_others_only(
    make_relay: MakeRelay, receiver: Receiver
) -> None:
    with make_relay(**SHORT_OUTAGES) as relay:
        watcher = relay.subscribe(filters=OURS)
        failing = relay.subscribe()
        of_it = relay.subscribe(filters=Filters(origin_resources=(f"{SUBSCRIPTIONS}/{failing.id}",)))
        receiver.behave(failing.path, Behaviour(status=500))
        relay.publish(events(20))
        wait_until(lambda: told(receiver, watcher), timeout_s=20, what="the outage to be told")
        receiver.behave(failing.path, Behaviour())
        receiver.wait_for_accepted(failing.path, 20, 30)
        wait_until(lambda: len(told(receiver, of_it)) == 2, timeout_s=TOLD_S, what="its end to be told")
        wait_until(relay.is_settled, timeout_s=30, what="the end of all work")

        for one in (watcher, of_it):
            assert [in_words(record) for record in told(receiver, one)] == [
                ("DestinationFailing", failing.id),
                ("DestinationRecovered", failing.id),
            ]
        assert {record["OriginOfCondition"]["@odata.id"] for record in told(receiver, watcher)} == {
            f"{SUBSCRIPTIONS}/{failing.id}"
        }
        assert all(record["MessageId"].startswith("ResourceEvent.") for record in told(receiver, failing))


def test_watchers_that_fail_tell_of_each_other_and_come_to_rest(make_relay: MakeRelay, receiver: Receiver) -> None:
    with make_relay(**SHORT_OUTAGES) as relay:
        watchers = [relay.subscribe(filters=OURS) for _ in range(2)]
        victim = relay.subscribe(retry_policy=RetryPolicy.TERMINATE)
        for one in (*watchers, victim):
            receiver.behave(one.path, Behaviour(status=500))
        relay.publish(events(20))
        wait_until(lambda: relay.store.get(victim.id) is None, timeout_s=60, what="a subscription to be terminated")
        del relay.subscribers[victim.id]
        for watcher in watchers:
            receiver.behave(watcher.path, Behaviour())
        wait_until(relay.is_settled, timeout_s=60, what="the end of all work")

        for watcher, other in (watchers, watchers[::-1]):
            # By their ids: each was tried several times.
            came = {id_: json.loads(body)["Events"] for id_, _, body in receiver.bodies(watcher.path)}
            heard = Counter(in_words(record) for records in came.values() for record in records)
            accepted = receiver.accepted(watcher.path)
            print(f"{len(accepted)} notices: {dict(heard)}")
            assert accepted.keys() == came.keys()
            assert heard["SubscriptionTerminated", victim.id] == 1
            assert not any(watcher.id in words for words in heard)
            assert heard["DestinationFailing", other.id] == heard["DestinationRecovered", other.id]
            assert len(accepted) <= 6
