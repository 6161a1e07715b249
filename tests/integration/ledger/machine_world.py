"""
The world of the machine: a ledger, a broker, workers and time. What can happen in it, the other modules say.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, TypeVar

import pytest
import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from odim_relay.adapters.redis import delivery_ledger
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.domain.delivery import State
from odim_relay.ports import Claim, Position, TaskTicket
from odim_relay.use_cases import ingest as ingest_use_case
from odim_relay.use_cases.directory import SubscriptionDirectory
from tests.integration.ledger.history import EPOCH, FIRST_OFFSET, PARTITION, History
from tests.integration.ledger.invariants import check_invariants
from tests.integration.ledger.twin import PREFIX, Twin, same_content

T = TypeVar("T")

MOST_DELIVERIES = 3
COUNTDOWNS = 2
REAP_MOST = 4

picks = st.integers(min_value=0, max_value=1_000_000)
publishing = st.sampled_from(["once", "once", "once", "twice", "never"])


@contextmanager
def small_limits() -> Iterator[None]:
    """
    Limits so small that a short run meets them.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest_use_case, "MOST_DELIVERIES", MOST_DELIVERIES)
        patch.setattr(delivery_ledger, "_COUNTDOWNS_PER_DESTINATION", COUNTDOWNS)
        patch.setattr(delivery_ledger, "REAP_MOST", REAP_MOST)
        yield


class World(RuleBasedStateMachine):
    """
    `client` is of a Redis that is this machine's alone.
    """

    client: ClassVar[redis.Redis]
    new_scripts: ClassVar[type[Scripts]] = Scripts

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.twin = Twin(self.client, self.new_scripts(self.client, PREFIX), countdowns=COUNTDOWNS, reap_most=REAP_MOST)
        self.history = History()
        self.before = self.twin.read()
        self.start = Position(topic_epoch=EPOCH, offset=FIRST_OFFSET)
        assert self.twin.set_position(PARTITION, None, self.start)
        self.broker: list[TaskTicket] = []
        self.seen: list[TaskTicket] = []
        self.working: list[Claim] = []
        self.directory = SubscriptionDirectory(self.twin)

    # --- judgement ---

    @invariant()
    def everything_is_as_it_must_be(self) -> None:
        database = self.before = self.twin.read()
        check_invariants(database)
        same_content(database, self.twin.state)
        self.history.check(database, self.twin.state.subscriptions)

    # --- the broker ---

    def publish(self, tickets: list[TaskTicket], how: str = "once") -> None:
        self.seen += tickets
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

    @precondition(lambda self: self.before.deadlines)
    @rule(pick=picks)
    def time_passes_for_one(self, pick: int) -> None:
        self.lapse([one_of(sorted(self.before.deadlines), pick)])

    @precondition(lambda self: self.before.deadlines)
    @rule()
    def time_passes_for_all(self) -> None:
        self.lapse(sorted(self.before.deadlines))

    def lapse(self, ids: list[str]) -> None:
        self.twin.lapse(ids)
        self.history.excused.update(id_ for id_ in ids if self.before.everything[id_]["state"] == State.SENDING)

    @rule(queue_is_empty=st.booleans(), often=st.sampled_from([1, 1, 2]), publish=publishing)
    def the_reaper_comes(self, queue_is_empty: bool, often: int, publish: str) -> None:
        reaped: list[TaskTicket] = []
        for _ in range(often):
            reaped += self.twin.reap(queue_is_empty=queue_is_empty)[0]
        self.publish(reaped, publish)


def one_of(items: list[T], pick: int) -> T:
    return items[pick % len(items)]
