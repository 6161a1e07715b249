"""
Breaker and probes: L22, L29, L30, L32.
"""

import pytest

from odim_relay.domain.circuit_breaker import CHANGES, Breaker, Signal
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Mode
from odim_relay.ports import Connection, SuspendedBy
from tests.integration.ledger.bench import MAX_COUNTDOWN_S, UNREACHABLE, Bench, ended, last
from tests.integration.ledger.outage import PROBE_S, Outage

pytestmark = pytest.mark.server


def test_l29_consecutive_failures_open_it(bench: Bench) -> None:
    bench = bench.under(breaker_failures=3)
    destination = bench.subscribe()
    states, notices = [], []
    *failing, other = bench.fill(4)
    for ticket in failing:
        notices += [(it.name, it.subject) for it in bench.fail(ticket).notices]
        states.append(bench.breaker(destination)["state"])

    assert states == ["closed", "closed", "open"]
    assert notices == [("breaker_opened", destination)]
    assert bench.refusal(other) == "breaker_open"
    assert bench.fill(1) == []
    assert bench.states() == {"RETRYING": 2, "breaker_open": 3}


def test_l29_an_answer_in_between_starts_the_count_anew(bench: Bench) -> None:
    bench = bench.under(breaker_failures=3)
    destination = bench.subscribe()
    tickets = bench.fill(6)
    for at, ticket in enumerate(tickets):
        if at == 2:
            bench.succeed(ticket)
        elif at == 5:
            bench.deliveries.park(bench.claim(ticket), ParkReason.REJECTED, last(status=400))
        else:
            bench.fail(ticket)

    assert bench.breaker(destination)["state"] == "closed"
    assert bench.breaker(destination)["failures"] == "0"


def test_l29_a_fault_of_our_own_says_nothing_of_the_destination(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    destination = bench.subscribe()
    (ticket,) = bench.fill(1)

    bench.deliveries.park(bench.claim(ticket), ParkReason.BROKEN, ended(Outcome(detail="ValueError")))

    assert bench.breaker(destination)["state"] == "closed"


def test_l29_those_with_one_destination_share_it_and_others_do_not(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    bench.subscribe("first", destination="https://a.test")
    bench.subscribe("second", destination="HTTPS://A.test:443/")
    bench.subscribe("third", headers=(("authorization", "other"),))
    first, second, third = (bench.fill(1, subscription_id=it)[0] for it in ("first", "second", "third"))

    bench.fail(first)

    assert bench.refusal(second) == "breaker_open"
    bench.claim(third)


def test_l29_what_was_claimed_before_it_opened_says_nothing(bench: Bench) -> None:
    bench = bench.under(breaker_failures=2)
    destination = bench.subscribe()
    claims = [bench.claim(ticket) for ticket in bench.fill(4)]
    for claim in claims[:2]:
        bench.deliveries.retry(claim, 15, last())
    before = bench.breaker(destination)

    bench.deliveries.retry(claims[2], 15, last())
    bench.deliveries.complete(claims[3])

    after = bench.breaker(destination)
    assert after.pop("success_at_ms")  # it was one, for people to see
    assert before["state"] == "open"
    assert after == before


def test_l30_it_is_probed_with_one_delivery_when_its_time_has_come(bench: Bench) -> None:
    outage = Outage.begin(bench)
    bench = outage.bench
    bench.move(PROBE_S - 1)
    assert bench.replay() == []
    bench.move(16)

    (ticket,) = bench.replay()

    bench.move(16)
    assert bench.replay() == [], "one probe at a time"
    assert outage.breaker["state"] == "half_open"
    assert bench.claim(ticket).delivery_id == ticket.delivery_id
    assert bench.database.counters["probes"] == 1


def test_l30_its_interval_doubles_up_to_a_cap_and_probes_rotate(bench: Bench) -> None:
    outage = Outage.begin(bench)
    intervals, probed = [], []
    for _ in range(6):
        ticket = outage.probe()
        probed.append(ticket.delivery_id)
        outage.bench.fail(ticket)
        intervals.append((int(outage.breaker["probe_at_ms"]) - bench.now_ms) / 1000)

    assert intervals == [60, 120, 240, 300, 300, 300]
    # From both ends in turn, so that no run of bad ones at either can keep it shut.
    assert probed[:2] == ["d-0-00000", "d-0-00002"]
    assert set(probed) == {"d-0-00000", "d-0-00001", "d-0-00002"}


def test_l32_an_ordered_subscription_is_probed_with_its_oldest(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    outage = Outage(bench, bench.subscribe(mode=Mode.ORDERED))
    (first,) = bench.fill(3)
    bench.fail(first)
    for _ in range(3):
        probe = outage.probe()
        assert probe.delivery_id == first.delivery_id
        bench.fail(probe)


def test_l30_a_task_whose_time_has_come_probes_itself_and_alone(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    destination = bench.subscribe()
    failing, probing, other = bench.fill(3)
    bench.fail(failing)
    bench.move(PROBE_S)

    bench.claim(probing)

    assert bench.breaker(destination)["probe"] == probing.delivery_id
    assert bench.refusal(other) == "breaker_open"


def test_l30_a_probe_that_is_never_heard_of_is_given_up_after_a_while(bench: Bench) -> None:
    outage = Outage.begin(bench, probe_lease_ms=100_000)
    first = outage.probe()
    outage.bench.move(99)
    assert outage.bench.replay() == []
    outage.bench.move(16)

    (second,) = outage.bench.replay()

    assert second.delivery_id != first.delivery_id
    assert outage.bench.refusal(first) == "breaker_open"


def test_l30_a_late_probe_holds_its_place_when_it_comes_first(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1, probe_lease_ms=100_000)
    destination = bench.subscribe()
    failing, *others = bench.fill(3)
    bench.fail(failing)
    for ticket in others:
        assert bench.refusal(ticket) == "breaker_open"
    bench.move(PROBE_S)
    (probe,) = bench.replay()
    bench.move(200)

    bench.claim(probe)

    assert bench.replay() == []
    assert bench.breaker(destination)["probe"] == probe.delivery_id


def test_l30_a_probe_that_may_not_go_leaves_its_place_to_another(bench: Bench) -> None:
    outage = Outage.begin(bench)
    outage.bench.subscribe("other")
    outage.bench.fill(1, subscription_id="other")
    probe = outage.probe()
    outage.bench.backlog.suspend("s", SuspendedBy.HAND)
    assert outage.bench.refusal(probe) == "suspended"
    outage.bench.move(16)

    (another,) = outage.bench.replay()

    assert outage.bench.fields(another)["subscription"] == "other"


def test_l30_who_does_not_even_take_connections_is_connected_to_only(bench: Bench) -> None:
    outage = Outage.begin(bench, outcome=UNREACHABLE)
    outage.bench.subscribe("other")
    outage.bench.fill(1, subscription_id="other")
    outage.bench.move(3_600)

    step = outage.bench.backlog.replay()

    assert [it.destination_id for it in step.connections] == [outage.destination]
    assert isinstance(step.connections[0], Connection)
    assert not step.aftermath.tickets
    assert not outage.bench.backlog.connected(outage.destination, accepts=False).tickets
    assert outage.breaker["state"] == "open"
    (ticket,) = outage.bench.backlog.connected(outage.destination, accepts=True).tickets
    assert outage.bench.backlog.connected(outage.destination, accepts=True).tickets == []
    outage.bench.claim(ticket)


def test_l30_no_task_goes_to_who_takes_no_connections(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    bench.subscribe()
    failing, other = bench.fill(2)
    bench.fail(failing, UNREACHABLE)
    bench.move(3_600)

    assert bench.refusal(other) == "breaker_open"


def test_l22_retry_after_opens_it_until_then_and_who_was_told_so_probes(bench: Bench) -> None:
    destination = bench.subscribe()
    asked, other = bench.fill(2)

    retry = bench.fail(asked, Outcome(status=429, retry_after_s=120)).retry

    assert retry is not None
    assert retry.wait_s == 120
    assert bench.refusal(other) == "breaker_open"
    bench.move(119)
    assert bench.replay() == []
    assert bench.breaker(destination)["state"] == "open"
    bench.move(1)
    bench.claim(retry)
    assert bench.breaker(destination)["probe"] == asked.delivery_id


def test_l22_a_retry_after_that_no_countdown_carries_is_kept_in_full(bench: Bench) -> None:
    destination = bench.subscribe()
    (asked,) = bench.fill(1)

    assert bench.fail(asked, Outcome(status=503, retry_after_s=86_400)).retry is None

    assert bench.states() == {"breaker_open": 1}
    assert int(bench.breaker(destination)["probe_at_ms"]) == bench.now_ms + 86_400_000
    bench.move(MAX_COUNTDOWN_S)
    assert bench.replay() == []
    bench.move(86_400)
    assert len(bench.replay()) == 1


def test_l22_a_probe_that_is_asked_to_wait_waits_so_long(bench: Bench) -> None:
    outage = Outage.begin(bench)

    outage.bench.fail(outage.probe(), Outcome(status=503, retry_after_s=500))

    assert int(outage.breaker["probe_at_ms"]) == bench.now_ms + 500_000


def _signal(outage: Outage, state: Breaker, signal: Signal) -> None:
    """
    Let a breaker in a state hear a signal.
    """
    bench = outage.bench
    held = bench.claim(bench.fill(1)[0]) if state is Breaker.CLOSED else None
    if state is Breaker.HALF_OPEN and signal is not Signal.PROBE:
        held = bench.claim(outage.probe())
    match signal:
        case Signal.PROBE:
            if state is Breaker.HALF_OPEN:
                outage.probe()
                bench.move(3_600)
            else:
                bench.move(PROBE_S)
            assert bench.replay()
        case Signal.ANSWER:
            assert held is not None
            bench.deliveries.complete(held)
        case _:
            asked = 60.0 if signal is Signal.WAIT else None
            assert held is not None
            patient = bench.under(breaker_failures=1 if signal is Signal.LAST_FAILURE else 100, drain_failures=100)
            patient.deliveries.retry(held, 15, ended(Outcome(status=503, retry_after_s=asked)))


def test_l29_each_change_is_as_its_table_says(bench: Bench) -> None:
    for state, changes in CHANGES.items():
        for signal, after in changes.items():
            bench.client.delete(*bench.client.keys("bench:*") or ["none"])
            outage = Outage.begin(bench) if state is not Breaker.CLOSED else Outage(bench, bench.subscribe())
            generation = int(outage.breaker.get("generation", "0"))

            _signal(outage, state, signal)

            assert outage.breaker["state"] == after, f"{state} after {signal}"
            raised = int(outage.breaker.get("generation", "0")) - generation
            assert raised == int(after is not state and after is not Breaker.HALF_OPEN), (
                f"generation of {state} after {signal}"
            )
