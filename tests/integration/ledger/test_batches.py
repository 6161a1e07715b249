"""
What waits for one subscription goes out together, where it wants that: leaders, passengers, and what becomes of both.
"""

from dataclasses import replace
from functools import partial

import pytest

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Mode
from odim_relay.ports import Aftermath, Claim, SuspendedBy, TaskTicket
from tests.integration.ledger.bench import LEASE_S, UNAVAILABLE, UNREACHABLE, Bench, ended, last

pytestmark = pytest.mark.server

ROOMY = 1_000_000


def waiting(bench: Bench, count: int, *, batch_size: int = 4, mode: Mode = Mode.AT_LEAST_ONCE) -> list[TaskTicket]:
    """
    So many events wait, and the first ones are let go.
    """
    bench.subscribe(batch_size=batch_size, mode=mode)
    bench.say(is_enabled=False)
    bench.fill(count)
    bench.say(is_enabled=True)
    return bench.replay()


def led(bench: Bench, ticket: TaskTicket, most_bytes: int = ROOMY) -> Claim:
    """
    Claim, and let others join.
    """
    claim = bench.claim(ticket)
    return bench.deliveries.join(claim, most_bytes) if claim.room else claim


def numbers(claim: Claim) -> list[int]:
    """
    Of the events in a request, by the order in which they came.
    """
    ids = [claim.delivery_id, *(passenger.delivery_id for passenger in claim.passengers)]
    return [int(id_.rpartition("-")[2]) for id_ in ids]


def reject(bench: Bench, claim: Claim) -> Aftermath:
    return bench.deliveries.park(claim, ParkReason.REJECTED, last(status=400))


# --- who goes together ---


def test_those_that_waited_longest_go_with_the_leader_in_their_order(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 10)

    claim = led(bench, first)

    assert numbers(claim) == [0, 1, 2, 3]
    assert bench.states() == {"SENDING": 4, "suspended": 6}
    (second,) = bench.deliveries.complete(claim).tickets
    assert numbers(led(bench, second)) == [4, 5, 6, 7]
    assert bench.database.counters["deliveries:delivered"] == 4


def test_each_passenger_brings_what_is_to_be_sent(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 2)

    (passenger,) = led(bench, first).passengers

    assert (passenger.event_id, passenger.payload) == (passenger.delivery_id.replace("d-", "e-"), b"payload")
    assert (passenger.recorded_at_ms, passenger.traceparent) == (1_000, "")


def test_each_passenger_brings_the_trace_that_its_event_belongs_to(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 2)
    for body in list(bench.client.scan_iter("bench:body:*")):
        bench.client.hset(body, "traceparent", "of its own")

    (passenger,) = led(bench, first).passengers

    assert passenger.traceparent == "of its own"


def test_few_batches_are_under_way_so_that_what_comes_meanwhile_goes_together(bench: Bench) -> None:
    bench.subscribe(batch_size=50)

    tickets = bench.fill(20)

    assert len(tickets) == bench.rules.batches
    assert bench.states() == {"QUEUED": 4, "behind": 16}
    assert len(led(bench, tickets[0]).passengers) == 16


def test_who_wants_no_batches_pays_nothing_for_them(bench: Bench) -> None:
    bench.subscribe("plain", destination="https://a.test/", max_in_flight=1)
    bench.subscribe("batching", destination="https://b.test/", max_in_flight=1, batch_size=4)
    (plain,), (batching,) = (bench.fill(3, subscription_id=id_) for id_ in ("plain", "batching"))

    bench.deliveries.claim(TaskTicket(delivery_id="none", seq=1))  # the script is loaded
    costs = [bench.work_of(partial(bench.claim, ticket)) for ticket in (plain, batching)]

    assert [cost.round_trips for cost in costs] == [1, 1]
    assert costs[1].commands - costs[0].commands == 1, "whether something waits is asked for those that want to know"


def test_where_nothing_waits_there_is_no_room(bench: Bench) -> None:
    bench.subscribe(batch_size=4)

    assert [bench.claim(ticket).room for ticket in bench.fill(2)] == [0, 0]


def test_no_more_bytes_go_together_than_fit(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 4)

    assert numbers(led(bench, first, 2 * len(b"payload") + 1)) == [0, 1, 2]


def test_what_is_too_old_leaves_instead_of_going_along(bench: Bench) -> None:
    bench = bench.under(batches=1)
    bench.subscribe(batch_size=4, retention_s=60)
    bench.say(is_enabled=False)
    bench.fill(3)
    bench.move(50)
    bench.fill(1)
    bench.say(is_enabled=True)
    (first,) = bench.replay()
    claim = bench.claim(first)
    bench.move(20)

    assert numbers(bench.deliveries.join(claim, ROOMY)) == [0, 3]
    assert bench.database.counters["deliveries:expired"] == 2


def test_who_is_full_looks_at_nobody_further(bench: Bench) -> None:
    # However many are too old behind it: expiring them is another's work, at its own pace.
    bench = bench.under(batches=1)
    bench.subscribe(batch_size=2, retention_s=60)
    bench.say(is_enabled=False)
    bench.fill(2)
    bench.move(50)
    bench.fill(2, is_urgent=True)
    bench.say(is_enabled=True)
    (first,) = bench.replay()
    claim = bench.claim(first)
    bench.move(20)

    assert numbers(bench.deliveries.join(claim, ROOMY)) == [2, 3]
    assert "deliveries:expired" not in bench.database.counters


def test_what_does_not_fit_goes_back_to_its_place(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 4)
    claim = led(bench, first)

    bench.deliveries.unload(claim, claim.passengers[1:])

    assert bench.states() == {"SENDING": 2, "behind": 2}
    (second,) = bench.deliveries.complete(replace(claim, passengers=claim.passengers[:1])).tickets
    following = led(bench, second)
    assert (numbers(following), following.attempt, following.is_replay) == ([2, 3], 1, False)


def test_nobody_joins_without_the_lease_or_while_its_subscription_is_suspended(bench: Bench) -> None:
    first, second, *_ = waiting(bench, 9)
    claim, other = bench.claim(first), bench.claim(second)
    bench.lapse(first)
    bench.reap()
    bench.backlog.suspend("s", SuspendedBy.HAND)

    assert bench.deliveries.join(claim, ROOMY).passengers == ()
    assert bench.deliveries.join(other, ROOMY).passengers == ()


def test_nobody_joins_a_leader_whose_lease_has_lapsed(bench: Bench) -> None:
    first, *_ = waiting(bench, 9)
    claim = bench.claim(first)
    bench.lapse(first)
    bench.reap()

    assert bench.deliveries.join(claim, ROOMY).passengers == ()


def test_who_led_has_no_passengers_once_they_are_back(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 4)
    claim = led(bench, first)
    assert "passengers" in bench.fields(claim.delivery_id)

    bench.deliveries.retry(claim, 15, ended(UNAVAILABLE))

    assert "passengers" not in bench.fields(claim.delivery_id)


def test_a_probe_goes_alone(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1, drain_failures=1)
    first, second, *_ = waiting(bench, 9)
    bench.fail(second, UNAVAILABLE)
    assert bench.refusal(first) == "breaker_open"
    bench.move(31)
    (probe,) = bench.replay()

    assert bench.claim(probe).room == 0


# --- what becomes of them ---


def test_a_failure_counts_once_and_passengers_are_as_if_they_had_not_gone(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 4)
    claim = led(bench, first)

    aftermath = bench.deliveries.retry(claim, 15, ended(UNAVAILABLE))

    assert aftermath.retry is not None
    assert bench.breaker(claim.destination_id)["failures"] == "1"
    assert bench.database.counters["deliveries_retried"] == 1
    (following,) = aftermath.tickets
    assert following.delivery_id == claim.passengers[0].delivery_id
    again = bench.claim(following)
    assert (again.attempt, again.is_replay) == (1, False)


def test_what_failed_together_goes_next_with_half_as_many(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 8, batch_size=8)
    claim = led(bench, first)
    aftermath = bench.deliveries.retry(claim, 15, ended(UNAVAILABLE))
    assert aftermath.retry is not None

    assert numbers(led(bench, aftermath.tickets[0])) == [1, 2, 3, 4]
    assert len(led(bench, aftermath.retry).passengers) == 3


def test_failures_of_a_destination_that_is_known_to_be_down_make_no_batch_smaller(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1, drain_failures=1, batches=2)
    first, second = waiting(bench, 8)
    claim = led(bench, first)
    bench.fail(second, UNREACHABLE)
    bench.deliveries.retry(claim, 15, ended(UNREACHABLE))

    assert not any("together" in bench.fields(passenger.delivery_id) for passenger in claim.passengers)


def test_a_batch_that_is_rejected_is_taken_apart_until_the_culprit_stands_alone(bench: Bench) -> None:
    (ticket,) = waiting(bench.under(batches=1), 50, batch_size=50)
    bench = bench.under(batches=1)
    culprit, requests, delivered = 29, 0, list[int]()
    while ticket:
        requests += 1
        claim = led(bench, ticket)
        if culprit in numbers(claim):
            tickets = reject(bench, claim).tickets
        else:
            delivered += numbers(claim)
            tickets = bench.deliveries.complete(claim).tickets
        ticket = tickets[0] if tickets else None  # type: ignore[assignment]

    assert delivered == [number for number in range(50) if number != culprit]
    assert bench.states() == {"rejected": 1}
    assert bench.database.counters["dead_letters:rejected"] == 1
    assert requests <= 14
    assert "failures" not in bench.breaker(claim.destination_id)


def test_two_of_which_one_is_to_blame_need_three_requests(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 2)

    (second,) = reject(bench, led(bench, first)).tickets
    alone = led(bench, second)
    assert numbers(alone) == [0]
    (third,) = bench.deliveries.complete(alone).tickets
    culprit = led(bench, third)
    assert numbers(culprit) == [1]
    reject(bench, culprit)

    assert bench.states() == {"rejected": 1}


def test_a_fault_of_our_own_is_taken_apart_too(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 2)
    claim = led(bench, first)

    bench.deliveries.park(claim, ParkReason.BROKEN, ended(Outcome(detail="ours")))

    assert bench.states() == {"QUEUED": 1, "behind": 1}


def test_the_culprit_that_a_person_sends_again_goes_alone(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 1)
    reject(bench, bench.claim(first))
    (again,) = bench.backlog.release([first.delivery_id])[1].tickets
    bench.fill(3)

    assert bench.claim(again).room == 0


def test_one_that_is_gone_keeps_its_passengers_waiting(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 4)
    claim = led(bench, first)

    bench.deliveries.suspend(claim, ParkReason.GONE, last(status=410))

    assert bench.states() == {"gone": 1, "behind": 3}
    bench.move(1)
    bench.backlog.resume("s", None)
    assert bench.states() == {"QUEUED": 1, "behind": 3}


def test_a_worker_that_stops_gives_all_of_it_back(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 4)

    (again,) = bench.deliveries.release(led(bench, first)).tickets

    assert bench.states() == {"QUEUED": 1, "behind": 3}
    claim = led(bench, again)
    assert (numbers(claim), claim.attempt) == ([0, 1, 2, 3], 1)


def test_a_subscription_that_is_suspended_meanwhile_keeps_what_failed(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 4)
    claim = led(bench, first)
    bench.backlog.suspend("s", SuspendedBy.HAND)

    bench.deliveries.retry(claim, 15, ended(UNAVAILABLE))

    assert bench.states() == {"suspended": 1, "behind": 3}


def test_of_a_subscription_that_was_deleted_and_swept_meanwhile_nothing_stays(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 9)
    claim = led(bench, first)
    bench.store.delete("s")
    while bench.deliveries.reap(queue_is_empty=True)[1]:
        pass

    bench.deliveries.retry(claim, 15, ended(UNAVAILABLE))

    assert bench.database.everything == {}
    assert bench.database.counters["deliveries:subscription_deleted"] == 9


# --- killed workers ---


def test_what_was_together_when_its_worker_died_goes_one_by_one(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 5)
    claim = led(bench, first)
    bench.move(LEASE_S)

    (again,) = bench.reap()

    assert bench.states() == {"QUEUED": 1, "behind": 3, "suspended": 1}
    tickets, seen = [again], []
    while tickets:
        alone = led(bench, tickets[0])
        seen.append(numbers(alone))
        tickets = list(bench.deliveries.complete(alone).tickets)
    assert seen == [[0], [1], [2], [3], [4]]
    assert not bench.deliveries.holds(claim)


def test_who_kills_its_workers_is_found_among_the_passengers_and_nobody_else_is_broken(bench: Bench) -> None:
    bench = bench.under(batches=1)
    tickets = waiting(bench, 4)
    delivered, killed = [], 0
    while tickets:
        claim = led(bench, tickets[0])
        if 2 in numbers(claim):
            killed += 1
            bench.move(LEASE_S)
            tickets = bench.reap()
        else:
            delivered += numbers(claim)
            tickets = list(bench.deliveries.complete(claim).tickets)

    assert delivered == [0, 1, 3]
    assert killed == 3
    assert bench.states() == {"broken": 1}


def test_a_2xx_that_comes_late_completes_the_passengers_too_by_rule_l21(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 4)
    claim = led(bench, first)
    bench.move(LEASE_S)
    bench.reap()

    bench.deliveries.complete(claim)

    assert bench.states() == {}
    assert bench.database.counters["deliveries:delivered"] == 4


def test_a_failure_that_comes_late_changes_nothing(bench: Bench) -> None:
    bench = bench.under(batches=1)
    (first,) = waiting(bench, 3)
    late = led(bench, first)
    bench.move(LEASE_S)
    (again,) = bench.reap()
    bench.claim(again)

    reject(bench, late)

    assert bench.states() == {"SENDING": 1, "behind": 2}


# --- in order ---


def test_an_ordered_subscription_has_one_request_under_way_and_nobody_passed_over(bench: Bench) -> None:
    (first,) = waiting(bench, 9, mode=Mode.ORDERED)
    claim = led(bench, first)
    assert numbers(claim) == [0, 1, 2, 3]

    failed = bench.deliveries.retry(claim, 15, ended(UNAVAILABLE))
    assert list(failed.tickets) == []
    assert failed.retry is not None
    bench.move(15)
    claim = led(bench, failed.retry)
    assert numbers(claim) == [0, 1]
    (second,) = bench.deliveries.complete(claim).tickets
    assert numbers(led(bench, second)) == [2, 3]


def test_in_order_one_that_has_to_go_alone_is_not_passed_over(bench: Bench) -> None:
    bench = bench.under(batches=1)
    bench.subscribe(batch_size=2)
    bench.say(is_enabled=False)
    bench.fill(2)
    bench.fill(1, is_urgent=True)
    bench.fill(2)
    bench.say(is_enabled=True)
    (first,) = bench.replay()
    claim = led(bench, first)
    assert numbers(claim) == [2, 0]
    bench.subscribe(batch_size=4, mode=Mode.ORDERED)

    (second,) = reject(bench, claim).tickets
    claim = led(bench, second)
    assert numbers(claim) == [0]
    (third,) = bench.deliveries.complete(claim).tickets
    assert numbers(led(bench, third)) == [1], "and not 3 and 4, which come behind 2"


def test_in_order_the_worker_that_died_holds_all_up_until_its_batch_is_back(bench: Bench) -> None:
    (first,) = waiting(bench, 6, mode=Mode.ORDERED)
    led(bench, first)
    bench.move(LEASE_S)
    tickets = bench.under(reap_most=1).reap()

    seen = []
    while tickets:
        claim = led(bench, tickets[0])
        seen += numbers(claim)
        tickets = list(bench.deliveries.complete(claim).tickets)
    assert seen == [0, 1, 2, 3, 4, 5]


# --- pace ---


def test_a_rate_counts_requests(bench: Bench) -> None:
    bench.subscribe(batch_size=4, rate_per_s=2.0)
    bench.say(is_enabled=False)
    bench.fill(20)
    bench.say(is_enabled=True)

    assert [ticket.wait_s for ticket in bench.replay()] == [0.0, 0.5, 1.0, 1.5]


def test_its_own_limit_of_requests_counts_where_it_is_lower(bench: Bench) -> None:
    bench.subscribe(batch_size=4, max_in_flight=2)

    assert len(bench.fill(20)) == 2


def test_a_batch_size_that_is_taken_back_is_gone(bench: Bench) -> None:
    bench.subscribe(batch_size=4)
    bench.subscribe()

    assert "batch" not in bench.database.flows["s"]
    assert len(bench.fill(9)) == 9
