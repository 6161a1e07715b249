"""
What goes on, and how fast, when a destination answers again; and what has a time of its own: L24, L31, L32.
"""

import pytest

from odim_relay.domain.delivery import ParkReason
from tests.integration.ledger.bench import Bench, last
from tests.integration.ledger.outage import PROBE_S, Outage

pytestmark = pytest.mark.server


def test_l31_when_it_closes_all_that_waits_goes_from_a_slow_start(bench: Bench) -> None:
    bench = bench.under(breaker_failures=2, drain_failures=2)
    destination = bench.subscribe()
    bench.subscribe("other")
    tickets = bench.fill(6)
    (others,) = bench.fill(1, subscription_id="other")
    counting = [bench.fail(ticket).retry for ticket in tickets[:1]]
    bench.fail(tickets[1])
    for ticket in (*tickets[2:], others):
        bench.refusal(ticket)
    bench.move(PROBE_S)
    (probe,) = bench.replay()

    aftermath = bench.succeed(probe)

    assert [(it.name, it.subject) for it in aftermath.notices] == [("breaker_closed", destination)]
    assert bench.breaker(destination)["state"] == "closed"
    assert bench.states("other") == {"QUEUED": 1}
    assert bench.states()["RETRYING"] == 0, "a countdown need not be waited for"
    assert counting[0] is not None
    assert bench.refusal(counting[0]) == "stale"
    assert bench.states()["QUEUED"] == 1
    assert bench.database.flows["s"]["allowance"] == "1"


def test_l31_others_go_on_when_the_one_that_probed_is_gone_meanwhile(bench: Bench) -> None:
    outage = Outage.begin(bench)
    outage.bench.subscribe("other")
    outage.bench.fill(1, subscription_id="other")
    claim = outage.bench.claim(outage.probe())
    outage.bench.store.delete("s")

    aftermath = outage.bench.deliveries.park(claim, ParkReason.REJECTED, last(status=400))

    assert outage.breaker["state"] == "closed"
    assert [outage.bench.fields(it)["subscription"] for it in aftermath.tickets] == ["other"]


def test_l31_after_a_recovery_what_waits_for_a_time_of_its_own_is_recalled(bench: Bench) -> None:
    bench = bench.under(breaker_failures=2, drain_failures=2)
    bench.subscribe()
    late, later, failing, again = bench.fill(4)
    bench.fail(late, wait_s=5_000)
    bench.succeed(bench.fill(1)[0])
    bench.fail(later, wait_s=9_000)
    bench.succeed(bench.fill(1)[0])
    assert bench.states()["over_cap"] == 2
    bench.fail(failing)
    bench.fail(again)
    bench.move(PROBE_S)
    (probe,) = bench.replay()
    tickets = list(bench.succeed(probe).tickets)
    gone = []
    while tickets:
        gone.append(tickets[0].delivery_id)
        tickets += bench.succeed(tickets.pop(0)).tickets

    assert probe.delivery_id == again.delivery_id
    assert sorted(gone) == [it.delivery_id for it in (late, later, failing)]
    assert gone.index(late.delivery_id) < gone.index(later.delivery_id)
    assert bench.database.everything == {}


def test_l32_while_what_waited_is_drained_it_opens_earlier(bench: Bench) -> None:
    bench = bench.under(breaker_failures=100, drain_failures=3, window=4)
    destination = bench.subscribe()
    tickets = bench.fill(12)
    states = []
    for ticket in tickets[:3]:
        bench.fail(ticket)
        states.append(bench.breaker(destination)["state"])

    assert states == ["closed", "closed", "open"]


def test_l32_of_an_unordered_one_the_next_goes_while_a_failed_one_has_its_own_time(bench: Bench) -> None:
    bench = bench.under(window=1)
    bench.subscribe()
    (first,) = bench.fill(2)

    aftermath = bench.fail(first, wait_s=5_000)

    assert [it.delivery_id for it in aftermath.tickets] == ["d-0-00001"]
    assert bench.database.letters_of("s", "delayed").keys() == {first.delivery_id}


def test_l24_what_ran_out_of_retries_is_replayed_at_growing_intervals_once_each(bench: Bench) -> None:
    bench.subscribe()
    (ticket,) = bench.fill(1)
    waits = []
    bench.deliveries.park(bench.claim(ticket), ParkReason.EXHAUSTED, last())
    for _ in range(6):
        waits.append(bench.due_in_s(ticket))
        bench.move(waits[-1])
        (again,) = bench.reap()
        claim = bench.claim(again)
        assert claim.is_replay
        assert bench.deliveries.retry(claim, 15, last()).retry is None, "a replay has one attempt"
        assert bench.states() == {"exhausted": 1}

    assert waits == [30, 60, 120, 240, 300, 300]
    assert bench.fields(ticket)["number"] == "1"


def test_l24_what_ran_out_of_retries_while_it_is_open_goes_on_probing_when_nothing_else_can(bench: Bench) -> None:
    outage = Outage.begin(bench, 1)

    outage.bench.deliveries.park(outage.bench.claim(outage.probe()), ParkReason.EXHAUSTED, last())

    assert "due_ms" not in outage.bench.fields("d-0-00000")
    outage.bench.succeed(outage.probe())
    assert outage.breaker["state"] == "closed"
