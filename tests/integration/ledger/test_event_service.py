"""
What an administrator says for all: nothing is sent, other retries.
"""

from dataclasses import replace

import pytest

from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.subscription import RetryPolicy
from odim_relay.use_cases.event_service import EventService
from tests.fakes.publisher import InMemoryPublisher
from tests.integration.ledger.bench import UNREACHABLE, Bench, last

pytestmark = pytest.mark.server


def test_while_nothing_is_sent_all_is_collected_and_looked_after(bench: Bench) -> None:
    bench.subscribe()
    queued, sending = bench.fill(2)
    claim = bench.claim(sending)
    bench.say(is_enabled=False)

    assert bench.fill(2) == []
    assert bench.refusal(queued) == "suspended"
    assert bench.deliveries.retry(claim, 15, last()).retry is None
    bench.move(3_600)

    assert bench.replay() == []
    assert not bench.backlog.wake("s").tickets
    assert bench.states() == {"suspended": 4}
    assert set(bench.database.get("due", {})) == {"s"}


def test_when_it_is_sent_again_what_waited_goes_at_the_first_look(bench: Bench) -> None:
    bench.subscribe()
    bench.say(is_enabled=False)
    bench.fill(3)
    bench.move(7)
    assert bench.replay() == []
    publisher = InMemoryPublisher()
    service = EventService(store=bench.services, ledger=bench.backlog, publisher=publisher)

    said = service.change(lambda found: replace(found, is_enabled=True))

    assert said.is_enabled
    assert len(publisher.queue) == 3
    assert bench.states() == {"QUEUED": 3}


def test_a_completion_lets_nothing_go_while_nothing_is_sent(bench: Bench) -> None:
    bench = bench.under(window=1)
    bench.subscribe()
    first, *_ = bench.fill(3)
    claim = bench.claim(first)
    bench.say(is_enabled=False)

    assert not bench.deliveries.complete(claim).tickets
    assert bench.states() == {"behind": 2}


def test_nothing_is_probed_and_nobody_is_knocked_at_while_nothing_is_sent(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    destination = bench.subscribe()
    (ticket,) = bench.fill(1)
    bench.fail(ticket, UNREACHABLE)
    bench.say(is_enabled=False)
    bench.move(3_600)

    step = bench.backlog.replay()

    assert (step.connections, step.aftermath.tickets) == ([], [])
    assert not bench.backlog.connected(destination, accepts=True).tickets
    bench.say(is_enabled=True)
    assert len(bench.replay()) == 1


def test_retries_and_their_interval_count_for_a_policy_at_once(bench: Bench) -> None:
    bench = bench.under(retries=5, failure_spacing_ms=11_250)
    bench.subscribe(retry_policy=RetryPolicy.SUSPEND)
    bench.say(retry_attempts=1, retry_interval_s=4)
    (ticket,) = bench.fill(1)

    retry = bench.fail(ticket).retry
    bench.move(2.9)  # not yet three quarters of the interval
    assert retry is not None
    retry = bench.fail(retry).retry
    bench.move(3)

    assert retry is not None
    assert [it.name for it in bench.fail(retry).notices] == ["suspended_attempts_used_up"]


def test_settings_of_a_newer_version_are_understood_as_far_as_they_go(bench: Bench) -> None:
    bench.client.set(f"{bench.scripts.prefix}event-service", '{"version":9,"is_enabled":false,"unheard_of":[1]}')

    assert not bench.services.read().is_enabled
    bench.subscribe()
    assert bench.fill(1) == []


def test_of_changes_the_last_thousand_are_kept_and_who_knows_less_reads_all(bench: Bench) -> None:
    for number in range(1_100):
        bench.subscribe(f"{number}")
        if number == 50:
            early = bench.store.generation()
        bench.store.delete(f"{number}")
    store: RedisSubscriptionStore = bench.store
    late = store.generation()
    bench.subscribe("new")

    assert len(bench.database.get("subscriptions:changes", {})) == 1_000
    assert [one.subscription_id for one in store.changes_since(late)[1]] == ["new"]
    assert store.changes_since(early)[2] is None
