"""
An event's way as spans, each a child of the one before it.
"""

from dataclasses import replace

import pytest

from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.errors import TransientError
from odim_relay.ports import Record
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import Ingest
from odim_relay.use_cases.untraced import Untraced
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState
from tests.fakes.relay import InMemoryRelay
from tests.fakes.samples import PARTITION, START, decode, subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.fakes.tracer import InMemoryTracer

ONE = subscription("s")


class Intake:
    def __init__(self, tracer: InMemoryTracer | Untraced) -> None:
        self.state = LedgerState(now_ms=lambda: 0)
        self.store = InMemorySubscriptionStore(self.state)
        self.ledger = InMemoryIngestLedger(self.state)
        self.matchers = MatcherDirectory(
            self.store, InMemoryEventServiceStore(self.state), InMemoryInventoryStore(self.state)
        )
        self.ingest = Ingest(
            ledger=self.ledger, matchers=self.matchers, decoders={PARTITION.topic: decode}, tracer=tracer
        )
        self.ledger.set_position(PARTITION, None, START)
        self.store.save(ONE)
        self.matchers.refresh()

    def take(self, *values: str) -> None:
        records = [Record(offset=at, value=value.encode(), traceparent=f"of {at}") for at, value in enumerate(values)]
        for _ in self.ingest.take(PARTITION, START, records):
            pass

    @property
    def kept(self) -> list[str]:
        return [body.traceparent for body in self.state.bodies.values()]


def test_events_are_kept_with_the_span_that_took_their_record_in() -> None:
    tracer = InMemoryTracer()
    intake = Intake(tracer)

    intake.take("A|A", "?", "-", "A")

    assert intake.kept == ["of 0/record 0/0"] * 2 + ["of 3/record 0/3"]
    assert [span.ended for span in tracer.records] == [[(2, "")], [(0, "unreadable")], [(0, "")], [(1, "")]]


def test_what_was_not_written_has_no_span_that_ended() -> None:
    tracer = InMemoryTracer()
    intake = Intake(tracer)
    intake.store.save(subscription("another"))  # the first write is refused: it was matched without that one

    intake.take("A")

    assert [span.ended for span in tracer.records] == [[], [(1, "")]]
    assert intake.kept == ["of 0/record 0/0"]


def test_where_nobody_traces_events_are_kept_with_what_their_record_brought() -> None:
    intake = Intake(Untraced())

    intake.take("A", "A")

    assert intake.kept == ["of 0", "of 1"]


@pytest.fixture
def traced() -> InMemoryRelay:
    return InMemoryRelay(tracer=InMemoryTracer())


def test_each_attempt_is_a_span_of_its_own_whose_name_goes_with_its_request(traced: InMemoryRelay) -> None:
    traced.sender.answers = [Outcome(failure=Failure.CONNECT), Outcome(status=204)]
    (ticket,) = traced.ingest(ONE)
    traced.kept_body.traceparent = "of the record"
    retry = traced.deliver(ticket)
    assert retry is not None
    traced.deliver(retry)

    told = [dict(request.headers)["traceparent"] for request in traced.sender.sent]

    assert told == ["of the record/attempt 1", "of the record/attempt 2"]
    assert isinstance(traced.tracer, InMemoryTracer)
    assert [span.ended for span in traced.tracer.attempts] == [
        [(Outcome(failure=Failure.CONNECT), "retry")],
        [(Outcome(status=204), "delivered")],
    ]


def test_what_was_not_sent_has_no_span_that_ended(traced: InMemoryRelay) -> None:
    traced.sender.asks_first = True
    (ticket,) = traced.ingest(ONE)
    traced.sender.on_send = lambda: traced.state.deadlines.update({ticket.delivery_id: -1})

    traced.deliver(ticket)

    assert isinstance(traced.tracer, InMemoryTracer)
    assert [span.ended for span in traced.tracer.attempts] == [[]]


def test_a_store_that_fails_after_the_request_leaves_the_span_told(traced: InMemoryRelay) -> None:
    class Failing(type(traced.ledger)):  # type: ignore[misc]
        def complete(self, *_: object, **__: object) -> None:
            raise TransientError("Redis is away")

    traced.deliver = traced.delivering_over(Failing(traced.state))
    (ticket,) = traced.ingest(replace(ONE, context="c"))

    with pytest.raises(TransientError):
        traced.deliver(ticket)

    assert isinstance(traced.tracer, InMemoryTracer)
    assert [len(span.ended) for span in traced.tracer.attempts] == [1]


def test_an_attempt_that_met_a_fault_of_our_own_is_told(traced: InMemoryRelay) -> None:
    def break_down() -> None:
        raise ValueError("no such thing")

    (ticket,) = traced.ingest(ONE)
    traced.sender.on_send = break_down

    traced.deliver(ticket)

    assert isinstance(traced.tracer, InMemoryTracer)
    assert [span.ended for span in traced.tracer.attempts] == [
        [(Outcome(detail="ValueError: no such thing"), "parked:broken")]
    ]
