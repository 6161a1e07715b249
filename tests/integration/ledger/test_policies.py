"""
Suspending, resuming, terminating: L25, S18.
"""

from dataclasses import replace

import pytest

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import RetryPolicy
from odim_relay.ports import Notice, SuspendedBy, TaskTicket
from tests.integration.ledger.bench import UNREACHABLE, Bench, ended, last

pytestmark = pytest.mark.server

SPACING_S = 11.25


def strict(bench: Bench, policy: RetryPolicy = RetryPolicy.SUSPEND, **rules: int) -> Bench:
    """
    Two retries, then the policy acts.
    """
    bench = bench.under(retries=2, failure_spacing_ms=round(SPACING_S * 1000), **rules)
    bench.subscribe(retry_policy=policy)
    return bench


def fail_often(bench: Bench, ticket: TaskTicket, often: int) -> list[str]:
    """
    Fail so often, far enough apart; tells what people would hear of it.
    """
    notices: list[str] = []
    retry: TaskTicket | None = ticket
    for _ in range(often):
        assert retry is not None
        aftermath = bench.fail(retry)
        notices += [it.name for it in aftermath.notices]
        retry = aftermath.retry
        bench.move(SPACING_S)
    return notices


def test_l25_after_its_attempts_a_subscription_is_suspended_once_and_keeps_collecting(bench: Bench) -> None:
    bench = strict(bench)
    failing, other = bench.fill(2)
    late = bench.claim(other)

    assert fail_often(bench, failing, 3) == ["suspended_attempts_used_up"]
    assert bench.deliveries.retry(late, 15, last()).notices == []

    assert bench.fill(2) == []
    assert bench.states() == {"suspended": 4}
    assert bench.database.counters["subscriptions_suspended:attempts_used_up"] == 1


def test_l25_failures_at_one_time_are_one(bench: Bench) -> None:
    bench = strict(bench)
    claims = [bench.claim(ticket) for ticket in bench.fill(16)]
    for claim in claims:
        bench.deliveries.retry(claim, 15, last())

    assert bench.database.flows["s"]["failures"] == "1"


def test_l25_a_success_starts_the_count_anew(bench: Bench) -> None:
    bench = strict(bench)
    failing, other = bench.fill(2)
    fail_often(bench, failing, 2)
    bench.succeed(other)
    (again,) = bench.fill(1)

    assert fail_often(bench, again, 2) == []


def test_l25_others_never_give_up(bench: Bench) -> None:
    bench = strict(bench, RetryPolicy.FOREVER)

    assert fail_often(bench, bench.fill(1)[0], 10) == []


def test_l25_an_open_breaker_counts_on_with_its_probes(bench: Bench) -> None:
    bench = strict(bench, breaker_failures=1, drain_failures=1)
    failing, *_ = bench.fill(3)
    bench.fail(failing)
    for _ in range(2):
        bench.move(3_600)
        (probe,) = bench.replay()
        notices = bench.fail(probe).notices

    assert [it.name for it in notices] == ["suspended_attempts_used_up"]


def test_l25_an_open_breaker_counts_on_with_its_connections(bench: Bench) -> None:
    bench = strict(bench, breaker_failures=1)
    failing, waiting = bench.fill(2)
    bench.fail(failing, UNREACHABLE)
    assert bench.refusal(waiting) == "breaker_open"
    notices: list[Notice] = []
    for _ in range(3):
        bench.move(SPACING_S)
        for connection in bench.backlog.replay().connections:
            notices += bench.backlog.connected(connection.destination_id, accepts=False).notices

    assert [it.name for it in notices] == ["suspended_attempts_used_up"]
    assert bench.backlog.replay().connections == [], "nobody asks for it any more"


def test_l25_a_terminated_subscription_is_gone_and_its_events_are_counted(bench: Bench) -> None:
    bench = strict(bench, RetryPolicy.TERMINATE, window=1)
    (failing,) = bench.fill(4)

    assert fail_often(bench, failing, 3) == ["terminated"]

    assert bench.store.get("s") is None
    bench.move(3_600)
    while bench.deliveries.reap(queue_is_empty=True)[1]:
        pass
    assert bench.database.everything == {}
    assert bench.database.counters["deliveries:subscription_deleted"] == 4
    assert bench.database.counters["subscriptions_terminated"] == 1


def test_s2_who_says_it_is_gone_is_suspended_at_once_and_its_event_is_kept(bench: Bench) -> None:
    bench.subscribe()
    first, second = bench.fill(2)
    claim = bench.claim(first)

    aftermath = bench.deliveries.suspend(claim, ParkReason.GONE, last(status=410))

    assert [it.name for it in aftermath.notices] == ["suspended_gone"]
    assert bench.refusal(second) == "suspended"
    assert bench.states() == {"gone": 1, "suspended": 1}


def test_s18_a_suspended_subscription_collects_and_gets_nothing_whoever_looks(bench: Bench) -> None:
    bench.subscribe()
    (early,) = bench.fill(1)
    assert bench.backlog.suspend("s", SuspendedBy.HAND)
    assert bench.fill(4) == []
    assert bench.refusal(early) == "suspended"
    bench.move(3_600)

    let_go = [*bench.replay(), *bench.reap(), *bench.backlog.wake("s").tickets]
    let_go += bench.backlog.release([early.delivery_id])[1].tickets

    assert let_go == []
    assert bench.states() == {"suspended": 5}


def test_s18_the_end_of_what_was_under_way_lets_nothing_go(bench: Bench) -> None:
    bench = bench.under(window=2)
    bench.subscribe()
    first, second = bench.fill(5)
    claims = [bench.claim(first), bench.claim(second)]
    bench.backlog.suspend("s", SuspendedBy.HAND)

    assert not bench.deliveries.complete(claims[0]).tickets
    assert not bench.deliveries.park(claims[1], ParkReason.REJECTED, last(status=400)).tickets


def test_s18_a_countdown_that_ends_while_it_is_suspended_is_kept(bench: Bench) -> None:
    bench.subscribe()
    (ticket,) = bench.fill(1)
    retry = bench.fail(ticket).retry
    assert retry is not None
    bench.backlog.suspend("s", SuspendedBy.HAND)

    assert bench.refusal(retry) == "suspended"


def test_s18_what_is_under_way_when_it_is_suspended_does_not_retry(bench: Bench) -> None:
    bench.subscribe()
    claim = bench.claim(*bench.fill(1))
    bench.backlog.suspend("s", SuspendedBy.HAND)

    assert bench.deliveries.retry(claim, 15, last()).retry is None
    assert bench.states() == {"suspended": 1}


def test_s18_after_resuming_all_of_it_goes_oldest_first_from_a_slow_start(bench: Bench) -> None:
    bench.subscribe()
    bench.backlog.suspend("s", SuspendedBy.HAND)
    bench.fill(5)
    resumed = bench.backlog.resume("s", None)
    assert resumed is not None
    tickets = list(resumed.aftermath.tickets)
    assert (resumed.was_suspended, resumed.parked_count, len(tickets)) == (True, 5, 1)
    gone = []
    while tickets:
        gone.append(tickets[0].delivery_id)
        tickets += bench.succeed(tickets.pop(0)).tickets

    assert gone == [f"d-0-0000{at}" for at in range(5)]
    assert bench.database.everything == {}


def test_s18_resuming_leaves_out_what_is_too_old_and_says_so_in_a_counter(bench: Bench) -> None:
    bench.subscribe()
    bench.backlog.suspend("s", SuspendedBy.HAND)
    bench.fill(3)
    bench.move(100)
    bench.fill(2)

    resumed = bench.backlog.resume("s", 50.0)

    assert resumed is not None
    assert [it.delivery_id for it in resumed.aftermath.tickets] == ["d-0-00003"]
    assert bench.states() == {"QUEUED": 1, "suspended": 1}
    assert bench.database.counters["deliveries:discarded"] == 3
    assert "lost" not in bench.database.flows["s"], "it was not lost: a person did not want it"


def test_resuming_probes_at_once_whatever_the_breaker_waits_for(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    destination = bench.subscribe()
    (failing,) = bench.fill(1)
    bench.fail(failing, Outcome(status=503, retry_after_s=86_400))
    bench.backlog.suspend("s", SuspendedBy.HAND)
    assert bench.replay() == []

    resumed = bench.backlog.resume("s", None)

    assert resumed is not None
    assert [it.delivery_id for it in resumed.aftermath.tickets] == [failing.delivery_id]
    assert bench.breaker(destination)["state"] == "half_open"


def test_suspending_and_resuming_twice_is_harmless(bench: Bench) -> None:
    bench.subscribe()

    assert bench.backlog.suspend("s", SuspendedBy.HAND) is True
    assert bench.backlog.suspend("s", SuspendedBy.GONE) is False
    assert bench.database.flows["s"]["suspended"] == "by_hand"
    for was_suspended in (True, False):
        resumed = bench.backlog.resume("s", None)
        assert resumed is not None
        assert resumed.was_suspended is was_suspended
    assert bench.backlog.suspend("none", SuspendedBy.HAND) is None
    assert bench.backlog.resume("none", None) is None


def test_a_new_destination_takes_over_what_waits_for_the_old_one(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    old = bench.subscribe()
    failing, other = bench.fill(2)
    bench.fail(failing, Outcome(status=503, retry_after_s=86_400))
    bench.refusal(other)
    bench.store.update("s", lambda it: replace(it, destination="https://new.test/"))

    (first,) = bench.replay()[:1]

    claim = bench.claim(first)
    assert claim.destination_id != old
    assert bench.database.under("waiting:") == {}
    bench.deliveries.complete(claim)
    assert bench.breaker(old)["state"] == "open", "the old one did not answer"


def test_l25_a_fault_of_our_own_is_no_failure_of_the_subscription(bench: Bench) -> None:
    bench = strict(bench)
    for ticket in bench.fill(4):
        bench.deliveries.park(bench.claim(ticket), ParkReason.BROKEN, ended(Outcome(detail="ValueError")))
        bench.move(SPACING_S)

    assert "failures" not in bench.database.flows["s"]
