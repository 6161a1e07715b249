from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.backoff import Backoff
from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.outcome import Failure, Outcome, Verdict, verdict_of
from odim_relay.errors import TransientError
from odim_relay.ports import Claim, Refusal, TaskTicket
from odim_relay.use_cases.deliver import (
    Deliver,
    Delivered,
    Park,
    RetryAfter,
    Retrying,
    RetryPolicy,
    decide,
    without_secrets,
)
from odim_relay.use_cases.directory import SubscriptionDirectory
from tests.fakes.delivery_ledger import InMemoryDeliveryLedger
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.ledger_state import Kept, LedgerState
from tests.fakes.samples import PARTITION, START, batch, subscription
from tests.fakes.sender import InMemorySender
from tests.fakes.subscription_store import InMemorySubscriptionStore

POLICY = RetryPolicy(retries=2, backoff=Backoff(jitter=0))
outcomes = st.one_of(
    st.builds(Outcome, status=st.integers(100, 599), retry_after_s=st.none() | st.floats(0, 86_400)),
    st.builds(Outcome, failure=st.sampled_from(Failure)),
)


class World:
    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 0)
        self.store = InMemorySubscriptionStore(self.state)
        self.ledger = InMemoryDeliveryLedger(self.state)
        self.sender = InMemorySender()
        self.deliver = Deliver(
            ledger=self.ledger,
            directory=SubscriptionDirectory(self.store),
            sender=self.sender,
            policy=POLICY,
            timeout_s=15,
            user_agent="odim-relay/test",
            draw=lambda: 0.5,
            now_s=lambda: 1_234.9,
        )

    def ingest(self, **fields: str) -> TaskTicket:
        self.store.save(subscription("s", **fields))
        ledger = InMemoryIngestLedger(self.state)
        ledger.set_position(PARTITION, None, START)
        tickets = ledger.ingest(batch("s", generation=self.store.generation()))
        assert tickets is not None
        return tickets[0]

    @property
    def kept(self) -> Kept:
        (kept,) = self.state.deliveries.values()
        return kept


@pytest.fixture
def world() -> World:
    return World()


def test_a_delivery_that_is_answered_2xx_leaves_the_ledger(world: World) -> None:
    assert world.deliver(world.ingest()) is None

    assert world.state.deliveries == {}
    assert world.state.counters["deliveries:delivered"] == 1


def test_the_request_carries_the_event_and_the_same_id_at_each_attempt_by_semantics_s6(world: World) -> None:
    world.sender.answers = [Outcome(status=503)]
    ticket = world.ingest(destination="https://example.test/hook?token=x")
    retrying = world.deliver(ticket)
    assert retrying is not None
    world.deliver(retrying.ticket)

    first, second = world.sender.sent
    assert (first.url, first.body) == ("https://example.test/hook?token=x", b"payload of event-0-0")
    assert dict(first.headers) == {
        "Content-Type": "application/json",
        "OData-Version": "4.0",
        "User-Agent": "odim-relay/test",
        "webhook-id": ticket.delivery_id,
        "webhook-timestamp": "1234",
        "x-odim-relay-attempt": "1",
    }
    assert dict(second.headers) == {**dict(first.headers), "x-odim-relay-attempt": "2"}
    assert second.body == first.body


def test_a_subscribers_headers_win_over_the_fixed_ones_but_not_over_the_identity(world: World) -> None:
    ticket = world.ingest()
    headers = (("User-Agent", "theirs"), ("webhook-id", "theirs"))
    world.store.save(replace(subscription("s"), headers=headers))

    world.deliver(ticket)

    (sent,) = world.sender.sent
    assert dict(sent.headers)["User-Agent"] == "theirs"
    assert dict(sent.headers)["webhook-id"] == ticket.delivery_id


def test_a_refused_ticket_sends_nothing_by_rule_l5(world: World) -> None:
    ticket = world.ingest()
    world.deliver(ticket)

    assert world.deliver(ticket) is None

    assert len(world.sender.sent) == 1


def test_a_transient_failure_is_retried_with_the_schedules_wait(world: World) -> None:
    world.sender.default = Outcome(status=500)
    ticket = world.ingest()

    first = world.deliver(ticket)

    assert first == Retrying(ticket=TaskTicket(delivery_id=ticket.delivery_id, seq=3), wait_s=15)
    assert world.kept.state is State.RETRYING
    second = world.deliver(first.ticket)
    assert second is not None
    assert second.wait_s == 45


def test_a_delivery_whose_retries_are_used_up_is_parked(world: World) -> None:
    world.sender.default = Outcome(failure=Failure.CONNECT)
    retrying = world.deliver(world.ingest())
    while retrying is not None:
        retrying = world.deliver(retrying.ticket)

    assert len(world.sender.sent) == 1 + POLICY.retries
    assert (world.kept.state, world.kept.reason) == (State.PARKED, ParkReason.EXHAUSTED)


@pytest.mark.parametrize(("status", "reason"), [(400, ParkReason.REJECTED), (410, ParkReason.GONE)])
def test_a_permanent_answer_parks_at_once(world: World, status: int, reason: ParkReason) -> None:
    world.sender.default = Outcome(status=status)

    assert world.deliver(world.ingest()) is None

    assert (world.kept.state, world.kept.reason) == (State.PARKED, reason)


def test_what_the_ledger_keeps_of_a_failure_has_no_secrets(world: World) -> None:
    world.sender.default = Outcome(status=400)

    world.deliver(world.ingest(destination="https://user:password@example.test/hook?token=x"))

    assert world.kept.last is not None
    assert world.kept.last.destination == "https://example.test/hook"


def test_a_fault_of_our_own_parks_as_broken_by_rule_l20(world: World) -> None:
    world.sender.answers = [ZeroDivisionError("ours")]

    assert world.deliver(world.ingest()) is None

    assert (world.kept.state, world.kept.reason) == (State.PARKED, ParkReason.BROKEN)
    assert world.kept.last is not None
    assert world.kept.last.outcome.detail == "ZeroDivisionError: ours"


def test_a_store_that_fails_is_no_fault_of_the_event(world: World) -> None:
    world.sender.answers = [TransientError("Redis is away")]

    with pytest.raises(TransientError):
        world.deliver(world.ingest())

    assert world.kept.state is State.SENDING


def test_a_sender_that_may_not_send_any_more_leaves_the_delivery_to_the_reaper_by_rule_l17(world: World) -> None:
    ticket = world.ingest()
    world.sender.asks_first = True
    world.sender.on_send = lambda: world.state.deadlines.update({ticket.delivery_id: -1})

    assert world.deliver(ticket) is None

    assert world.sender.sent == []
    assert world.kept.state is State.SENDING


def test_nothing_is_sent_once_the_subscription_is_deleted_by_semantics_s19(world: World) -> None:
    ticket = world.ingest()
    world.sender.asks_first = True
    world.sender.on_send = lambda: world.store.delete("s")

    assert world.deliver(ticket) is None

    assert world.sender.sent == []


def test_a_subscription_that_is_deleted_between_claim_and_look_up_costs_no_attempt(world: World) -> None:
    class Deleting(InMemoryDeliveryLedger):
        def claim(self, ticket: TaskTicket) -> Claim | Refusal:
            claim = super().claim(ticket)
            world.store.delete("s")
            return claim if isinstance(claim, Refusal) else replace(claim, generation=world.store.generation())

    ticket = world.ingest()
    world.deliver._ledger = Deleting(world.state)

    assert world.deliver(ticket) is None

    assert world.sender.sent == []
    assert (world.kept.state, world.kept.attempts) == (State.QUEUED, 0)


def test_a_change_of_destination_counts_from_the_next_attempt(world: World) -> None:
    world.sender.answers = [Outcome(status=503)]
    retrying = world.deliver(world.ingest(destination="https://old.test/"))
    assert retrying is not None
    world.store.save(subscription("s", destination="https://new.test/"))

    world.deliver(retrying.ticket)

    assert [sent.url for sent in world.sender.sent] == ["https://old.test/", "https://new.test/"]


@given(outcome=outcomes, attempt=st.integers(1, 10), draw=st.floats(0, 1, exclude_max=True))
def test_every_outcome_has_its_decision(outcome: Outcome, attempt: int, draw: float) -> None:
    decision = decide(outcome, attempt, POLICY, draw)

    match verdict_of(outcome):
        case Verdict.DELIVERED:
            assert decision == Delivered()
        case Verdict.GONE:
            assert decision == Park(reason=ParkReason.GONE)
        case Verdict.REJECTED:
            assert decision == Park(reason=ParkReason.REJECTED)
        case Verdict.TRANSIENT if attempt > POLICY.retries:
            assert decision == Park(reason=ParkReason.EXHAUSTED)
        case Verdict.TRANSIENT:
            assert isinstance(decision, RetryAfter)
            assert decision.wait_s >= (outcome.retry_after_s or 0)
            assert decision.wait_s >= POLICY.backoff.wait_s(attempt, draw)


def test_a_shorter_wish_than_the_schedule_does_not_shorten_the_wait() -> None:
    decision = decide(Outcome(status=429, retry_after_s=1), 1, POLICY, 0.5)

    assert decision == RetryAfter(wait_s=15)


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://user:pass@example.test:8443/a/b?token=x#part", "https://example.test:8443/a/b"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("https://example.test", "https://example.test"),
    ],
)
def test_a_url_is_told_without_its_secrets(url: str, bare: str) -> None:
    assert without_secrets(url) == bare
