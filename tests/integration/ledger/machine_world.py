"""
The world of the machine: a ledger, a broker, workers and time. What can happen in it, the other modules say.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.ports import Aftermath, Claim, Position, TaskTicket
from odim_relay.use_cases import ingest as ingest_use_case
from odim_relay.use_cases.directory import SubscriptionDirectory
from tests.integration.ledger.history import EPOCH, FIRST_OFFSET, PARTITION
from tests.integration.ledger.step_checks import tickets_of
from tests.integration.ledger.watched import WatchedLedger
from tests.support.moved_clock import ScriptsWithClock

T = TypeVar("T")

PREFIX = "machine:"
MOST_DELIVERIES = 3
LEASE_S, PROBE_S, RETENTION_S = 30.0, 60.0, 7_200.0
RULES = LedgerRules(
    lease_ms=round(LEASE_S * 1000),
    patience_ms=40_000,
    countdowns=2,
    reap_most=4,
    admit_most=8,
    window=3,
    batches=2,
    cap=2,
    slots=8,
    breaker_failures=2,
    drain_failures=2,
    probe_ms=round(PROBE_S * 1000),
    probe_max_ms=240_000,
    probe_lease_ms=100_000,
    replay_ms=30_000,
    retries=2,
    failure_spacing_ms=11_000,
    retention_ms=round(RETENTION_S * 1000),
    quota_count=6,
    quarantine_bytes=60,
    journal_bytes=2_000,
)
"""
Limits so small that a short run meets them.
"""

picks = st.integers(min_value=0, max_value=1_000_000)
publishing = st.sampled_from(["once", "once", "once", "twice", "never"])


@contextmanager
def small_batches() -> Iterator[None]:
    """
    Batches so small that a record takes several.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest_use_case, "MOST_DELIVERIES", MOST_DELIVERIES)
        yield


class World(RuleBasedStateMachine):
    """
    `scripts` are on a Redis that is this machine's alone.
    """

    scripts: ClassVar[ScriptsWithClock]

    def __init__(self) -> None:
        super().__init__()
        self.ledger = WatchedLedger(self.scripts)
        self.history = self.ledger.history
        self.start = Position(topic_epoch=EPOCH, offset=FIRST_OFFSET)
        assert self.ledger.set_position(PARTITION, None, self.start)
        self.broker: list[TaskTicket] = []
        self.given: list[TaskTicket] = []
        self.working: list[Claim] = []
        self.directory = SubscriptionDirectory(self.ledger, self.ledger.services)  # type: ignore[arg-type] # as far as it needs a store

    # --- the broker ---

    def settle(self, aftermath: Aftermath, how: str = "once") -> None:
        self.publish(tickets_of(aftermath), how)

    def publish(self, tickets: list[TaskTicket], how: str = "once") -> None:
        self.given += tickets
        self.broker += tickets * {"once": 1, "twice": 2, "never": 0}[how]

    @precondition(lambda self: self.broker)
    @rule(pick=picks)
    def the_broker_delivers_twice(self, pick: int) -> None:
        self.broker.append(one_of(self.broker, pick))

    @precondition(lambda self: self.broker)
    @rule()
    def the_broker_is_emptied(self) -> None:
        self.broker.clear()

    # --- time and repair ---

    @precondition(lambda self: self.ledger.seen.deadlines)
    @rule(pick=picks)
    def a_deadline_passes(self, pick: int) -> None:
        self.ledger.lapse([one_of(sorted(self.ledger.seen.deadlines), pick)])

    @precondition(lambda self: self.ledger.seen.deadlines)
    @rule()
    def all_deadlines_pass(self) -> None:
        self.ledger.lapse(sorted(self.ledger.seen.deadlines))

    @rule(seconds=st.sampled_from([1.0, 16.0, 16.0, LEASE_S, PROBE_S, 300.0, RETENTION_S / 2]))
    def time_passes(self, seconds: float) -> None:
        self.ledger.move(seconds)

    @rule(queue_is_empty=st.booleans(), often=st.sampled_from([1, 1, 2]), publish=publishing)
    def the_reaper_comes(self, queue_is_empty: bool, often: int, publish: str) -> None:
        for _ in range(often):
            self.settle(self.ledger.reap(queue_is_empty=queue_is_empty), publish)


def one_of(items: list[T], pick: int) -> T:
    return items[pick % len(items)]
