"""
A task goes on with what an ordered subscription's success let go.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from odim_relay.domain.delivery import State
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Mode
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, Claim, LastAttempt, Refusal, TaskTicket
from tests.fakes.delivery_ledger import InMemoryDeliveryLedger
from tests.fakes.relay import InMemoryRelay
from tests.fakes.samples import subscription

ORDERED = replace(subscription("s"), mode=Mode.ORDERED)


class OneByOne(InMemoryDeliveryLedger):
    """
    A completion lets the next one go: for the rest a ledger with a window of one.
    """

    wait_s = 0.0
    refuses: frozenset[str] = frozenset()

    def claim(self, ticket: TaskTicket) -> Claim | Refusal:
        return Refusal("over_cap") if ticket.delivery_id in self.refuses else super().claim(ticket)

    def complete(self, claim: Claim, *, is_fast: bool = False, is_slowing: bool = False) -> Aftermath:
        super().complete(claim, is_fast=is_fast, is_slowing=is_slowing)
        waiting = sorted(self.state.deliveries.values(), key=lambda kept: kept.number)
        tickets = [TaskTicket(delivery_id=kept.delivery_id, seq=kept.seq, wait_s=self.wait_s) for kept in waiting[:1]]
        return Aftermath(tickets=tickets)


@pytest.fixture
def ledger(relay: InMemoryRelay) -> OneByOne:
    ledger = OneByOne(relay.state)
    relay.deliver = relay.delivering_over(ledger)
    return ledger


def events(relay: InMemoryRelay, count: int) -> Sequence[TaskTicket]:
    return [ticket for _ in range(count) for ticket in relay.ingest(ORDERED)]


def sent_ids(relay: InMemoryRelay) -> list[str]:
    return [dict(sent.headers)["webhook-id"] for sent in relay.sender.sent]


@pytest.mark.usefixtures("ledger")
def test_a_run_sends_what_waits_in_its_order_without_the_broker_by_rule_l33(relay: InMemoryRelay) -> None:
    tickets = events(relay, 20)

    assert relay.deliver(tickets[0]) is None

    assert sent_ids(relay) == [ticket.delivery_id for ticket in tickets]
    assert relay.publisher.queue == []


@pytest.mark.usefixtures("ledger")
def test_a_run_ends_after_50_and_leaves_the_next_to_the_broker(relay: InMemoryRelay) -> None:
    tickets = events(relay, 60)

    relay.deliver(tickets[0])

    assert len(relay.sender.sent) == 50
    assert relay.publisher.queue == [tickets[50]]


@pytest.mark.usefixtures("ledger")
def test_a_run_ends_after_5_s_and_leaves_the_next_to_the_broker(relay: InMemoryRelay) -> None:
    tickets = events(relay, 10)

    def take_a_second() -> None:
        relay.now_s += 1.0

    relay.sender.on_send = take_a_second

    relay.deliver(tickets[0])

    assert len(relay.sender.sent) == 6
    assert relay.publisher.queue == [tickets[6]]


@pytest.mark.usefixtures("ledger")
def test_a_run_whose_end_meets_no_broker_loses_nothing(relay: InMemoryRelay) -> None:
    tickets = events(relay, 60)
    relay.publisher.is_down = True

    assert relay.deliver(tickets[0]) is None

    assert relay.state.deliveries[tickets[50].delivery_id].state is State.QUEUED


@pytest.mark.usefixtures("ledger")
def test_a_failure_ends_the_run_and_is_what_is_counted_down_to(relay: InMemoryRelay) -> None:
    tickets = events(relay, 5)
    relay.sender.answers = [Outcome(status=200), Outcome(status=503)]

    retry = relay.deliver(tickets[0])

    assert retry == TaskTicket(delivery_id=tickets[1].delivery_id, seq=3, wait_s=15)
    assert len(relay.sender.sent) == 2
    assert relay.publisher.queue == []


def test_a_retry_is_not_lost_over_what_its_failure_lets_go(relay: InMemoryRelay) -> None:
    other = TaskTicket(delivery_id="other", seq=1)

    class LettingGo(OneByOne):
        def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> Aftermath:
            return replace(super().retry(claim, wait_s, last), tickets=(other,))

    tickets = events(relay, 2)
    relay.sender.default = Outcome(status=503)

    retry = relay.delivering_over(LettingGo(relay.state))(tickets[0])

    assert retry is not None
    assert retry.delivery_id == tickets[0].delivery_id
    assert relay.publisher.queue == [other]


def test_a_refusal_ends_the_run(relay: InMemoryRelay, ledger: OneByOne) -> None:
    tickets = events(relay, 5)
    ledger.refuses = frozenset({tickets[2].delivery_id})

    assert relay.deliver(tickets[0]) is None

    assert len(relay.sender.sent) == 2
    assert relay.publisher.queue == []


def test_a_paced_drain_is_left_to_countdowns_by_rule_l31(relay: InMemoryRelay, ledger: OneByOne) -> None:
    tickets = events(relay, 5)
    ledger.wait_s = 0.5

    relay.deliver(tickets[0])

    assert len(relay.sender.sent) == 1
    assert relay.publisher.queue == [replace(tickets[1], wait_s=0.5)]


@pytest.mark.usefixtures("ledger", "logs")
def test_a_fault_of_our_own_ends_the_run(relay: InMemoryRelay) -> None:
    tickets = events(relay, 5)
    relay.sender.answers = [Outcome(status=200), ZeroDivisionError("ours")]

    assert relay.deliver(tickets[0]) is None

    assert relay.state.deliveries[tickets[1].delivery_id].state is State.PARKED
    assert len(relay.sender.sent) == 2


@pytest.mark.usefixtures("ledger")
def test_a_store_that_goes_away_during_a_run_is_told(relay: InMemoryRelay) -> None:
    tickets = events(relay, 5)
    relay.sender.answers = [Outcome(status=200), TransientError("Redis is away")]

    with pytest.raises(TransientError):
        relay.deliver(tickets[0])


@pytest.mark.usefixtures("ledger")
def test_what_is_not_ordered_goes_on_for_eight_and_leaves_the_next_to_the_broker(relay: InMemoryRelay) -> None:
    tickets = [ticket for _ in range(12) for ticket in relay.ingest(subscription("s"))]

    relay.deliver(tickets[0])

    assert len(relay.sender.sent) == 8
    assert relay.publisher.queue == [tickets[8]]
