"""
The clock of Redis's host jumps by an hour: work may be done early, late or twice, and none is lost (L1, L6, L21).
"""

from collections.abc import Iterator

import pytest

from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.ports import Claim, Position, Refusal, TaskTicket
from tests.fakes.samples import LAST, PARTITION, START, batch, subscription
from tests.support.ledger_view import PREFIX
from tests.support.moved_clock import ScriptsWithClock
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

HOUR_S = 3_600
LEASE_S = LedgerRules().lease_ms / 1000


class Ledger:
    """
    One subscription's, with a clock to be moved.
    """

    def __init__(self, scripts: ScriptsWithClock) -> None:
        self.clock = scripts
        self.deliveries = RedisDeliveryLedger(scripts)
        self._intake = RedisIngestLedger(scripts)
        self._store = RedisSubscriptionStore(scripts)
        self._store.save(subscription())
        self._at = START
        assert self._intake.set_position(PARTITION, None, START)

    def take_in(self) -> TaskTicket:
        made = batch("subscription", believed=self._at, generation=self._store.generation())
        tickets = self._intake.ingest(made)
        self._at = Position(topic_epoch=self._at.topic_epoch, offset=self._at.offset + 1)
        assert tickets
        return tickets[0]

    def claim(self, ticket: TaskTicket) -> Claim:
        claim = self.deliveries.claim(ticket)
        assert isinstance(claim, Claim)
        return claim

    def reap(self) -> list[TaskTicket]:
        aftermath, _ = self.deliveries.reap(queue_is_empty=False)
        return list(aftermath.tickets)

    def is_empty(self) -> bool:
        return not self.clock.client.exists(f"{PREFIX}deadlines", f"{PREFIX}dead-letters")


@pytest.fixture
def ledger(ledger_server: RedisServer) -> Iterator[Ledger]:
    ledger_server.empty()
    with ledger_server.client() as client:
        yield Ledger(ScriptsWithClock(client, PREFIX))


def test_after_a_jump_forward_what_is_under_way_is_queued_again_and_whichever_ends_first_counts(ledger: Ledger) -> None:
    claim = ledger.claim(ledger.take_in())
    ledger.clock.move(HOUR_S)

    (again,) = ledger.reap()
    ledger.deliveries.complete(claim)

    assert isinstance(ledger.deliveries.claim(again), Refusal)
    assert ledger.is_empty()


def test_after_a_jump_forward_retries_are_due_at_once(ledger: Ledger) -> None:
    ledger.deliveries.retry(ledger.claim(ledger.take_in()), 600, LAST)
    assert not ledger.reap()
    ledger.clock.move(HOUR_S)

    (again,) = ledger.reap()

    ledger.deliveries.complete(ledger.claim(again))
    assert ledger.is_empty()


def test_after_a_jump_back_new_events_go_on_and_what_a_dead_worker_held_waits_for_the_clock(ledger: Ledger) -> None:
    ledger.claim(ledger.take_in())  # by a worker that is killed then
    ledger.clock.move(-HOUR_S)

    ledger.deliveries.complete(ledger.claim(ledger.take_in()))
    assert not ledger.reap()
    ledger.clock.move(HOUR_S + LEASE_S + 1)

    (again,) = ledger.reap()
    ledger.deliveries.complete(ledger.claim(again))
    assert ledger.is_empty()
