from collections.abc import Sequence

import pytest

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger, _Completion
from odim_relay.domain.delivery import ParkReason
from odim_relay.ports import Aftermath, Claim, Refusal, TaskTicket
from tests.integration.ledger.bench import LEASE_S, PREFIX, Bench, Work, last

pytestmark = pytest.mark.server


def reason(reply: Claim | Refusal) -> str:
    assert isinstance(reply, Refusal)
    return reply.reason


def watermark(bench: Bench) -> int:
    return int(bench.database.get("watermark", "0"))


def test_l5_a_claim_starts_a_lease(bench: Bench) -> None:
    (ticket,) = bench.fill(1)

    bench.claim(ticket)

    assert bench.fields(ticket)["state"] == "SENDING"
    assert bench.due_in_s(ticket) == pytest.approx(LEASE_S, abs=5)


def test_l17_a_lease_that_lapsed_gives_no_right_to_send(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    claim = bench.claim(ticket)
    bench.move(LEASE_S - 1)
    assert bench.deliveries.holds(claim)

    bench.move(1)

    assert not bench.deliveries.holds(claim)


def test_l6_the_clock_is_that_of_redis(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    deliveries = RedisDeliveryLedger(Scripts(bench.client, PREFIX, bench.rules))

    assert isinstance(deliveries.claim(ticket), Claim)

    seconds, _ = bench.client.time()
    assert bench.database.deadlines[ticket.delivery_id] / 1000 == pytest.approx(seconds + LEASE_S, abs=5)


def test_l5_the_second_copy_of_a_message_is_refused_whatever_became_of_the_first(bench: Bench) -> None:
    sending, retrying, parked, done = bench.fill(4)
    bench.claim(sending)
    bench.deliveries.retry(bench.claim(retrying), 15, last())
    bench.deliveries.park(bench.claim(parked), ParkReason.REJECTED, last())
    bench.deliveries.complete(bench.claim(done))

    reasons = [reason(bench.deliveries.claim(ticket)) for ticket in (sending, retrying, parked, done)]

    assert reasons == ["stale", "stale", "gone", "gone"]


def test_l5_a_guessed_seq_does_not_take_a_lease_over(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    lease = bench.claim(ticket).lease

    assert reason(bench.deliveries.claim(TaskTicket(delivery_id=ticket.delivery_id, seq=lease))) == "not_claimable"


def test_l5_the_healthy_path_takes_two_round_trips_and_few_commands(bench: Bench) -> None:
    bench.fill(1, subscription_id="other")
    (ticket,) = bench.fill(1)
    bench.deliveries.claim(TaskTicket(delivery_id="none", seq=1))  # loads the script

    work = bench.work_of(lambda: bench.deliveries.complete(bench.claim(ticket)))

    assert work.round_trips == 2
    assert work.commands <= 35


def test_l8_a_claim_and_a_completion_cost_the_same_however_many_deliveries_there_are(bench: Bench) -> None:
    def one() -> None:
        (ticket,) = bench.fill(1)
        work.append(bench.work_of(lambda: bench.deliveries.complete(bench.claim(ticket))))

    work: list[Work] = []
    one()
    one()
    bench.fill(3_000)
    one()

    assert work[1] == work[2]


def test_l5_threads_complete_and_claim_in_one_round_trip_and_each_gets_its_own_answer(bench: Bench) -> None:
    first, second, third = bench.fill(3)
    done = bench.claim(first)
    stale = TaskTicket(delivery_id=second.delivery_id, seq=9)
    replies: list[Sequence[Claim | Refusal | Aftermath]] = []
    ops: list[_Completion | TaskTicket] = [second, _Completion(done, is_fast=False), stale, first, third]

    work = bench.work_of(lambda: replies.append(bench.deliveries._step(ops)))

    assert work.round_trips == 1
    claim, completion, refused, gone, other = replies[0]
    assert isinstance(claim, Claim)
    assert isinstance(other, Claim)
    assert (claim.delivery_id, other.delivery_id) == (second.delivery_id, third.delivery_id)
    assert isinstance(completion, Aftermath)
    assert isinstance(refused, Refusal)
    assert isinstance(gone, Refusal)
    assert (refused.reason, gone.reason) == ("stale", "gone")


def test_l27_the_watermark_is_the_highest_ticket_that_was_started(bench: Bench) -> None:
    tickets = bench.fill(5)

    for at, highest in ((1, 2), (3, 4), (0, 4), (4, 5)):
        bench.claim(tickets[at])
        assert watermark(bench) == highest


def test_l22_a_claim_leaves_the_countdowns(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    retry = bench.deliveries.retry(bench.claim(ticket), 15, last()).retry
    assert retry is not None
    assert len(bench.database.under("countdowns:")) == 1

    bench.claim(retry)

    assert bench.database.under("countdowns:") == {}


def test_l7_the_body_goes_with_the_last_delivery_that_needs_it(bench: Bench) -> None:
    (ticket,) = bench.fill(1, payload=bytes(range(256)) * 4)
    claim = bench.claim(ticket)
    assert claim.payload == bytes(range(256)) * 4

    bench.deliveries.complete(claim)

    assert bench.client.keys(f"{PREFIX}body:*") == []


def test_a_delivery_without_its_body_is_parked_as_broken(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    bench.client.delete(f"{PREFIX}body:e-0-00000")

    assert reason(bench.deliveries.claim(ticket)) == "body_missing"

    assert bench.client.hlen(f"{PREFIX}dead-letters") == 1
    assert bench.client.zcard(f"{PREFIX}by-hand:s") == 1


def test_a_delivery_of_a_deleted_subscription_leaves_at_its_claim_and_is_counted(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    bench.store.delete("s")

    assert reason(bench.deliveries.claim(ticket)) == "subscription_deleted"

    assert bench.database.everything == {}
    assert bench.database.counters["deliveries:subscription_deleted"] == 1


def test_a_server_that_forgot_the_scripts_is_given_them_again(bench: Bench) -> None:
    first, second = bench.fill(2)
    bench.claim(first)
    bench.client.script_flush()

    bench.claim(second)
