from collections.abc import Sequence

import pytest

from odim_relay.errors import TransientError
from odim_relay.ports import TaskTicket
from odim_relay.use_cases.reap import Reap
from tests.fakes.publisher import InMemoryPublisher


def tickets(*names: str) -> list[TaskTicket]:
    return [TaskTicket(delivery_id=name, seq=1) for name in names]


class Lapsed:
    """
    A ledger with so much to reap, step by step; without an end when `endless`.
    """

    def __init__(self, *steps: list[TaskTicket], endless: bool = False) -> None:
        self.steps = list(steps)
        self.endless = endless
        self.saw_empty: list[bool] = []

    def reap(self, *, queue_is_empty: bool) -> tuple[Sequence[TaskTicket], bool]:
        self.saw_empty.append(queue_is_empty)
        if self.endless:
            return tickets("again"), True
        return (self.steps.pop(0) if self.steps else []), bool(self.steps)


def test_what_lapsed_is_published_step_by_step() -> None:
    publisher = InMemoryPublisher()

    assert Reap(ledger=Lapsed(tickets("a", "b"), [], tickets("c")), publisher=publisher)() == 3

    assert publisher.queue == tickets("a", "b", "c")


def test_the_ledger_is_told_whether_the_queue_is_empty_at_each_step_by_rule_l27() -> None:
    ledger = Lapsed(tickets("a"), tickets("b"))

    Reap(ledger=ledger, publisher=InMemoryPublisher())()

    assert ledger.saw_empty == [True, False]


def test_a_run_ends_also_when_there_is_always_more_by_rule_l8() -> None:
    assert Reap(ledger=Lapsed(endless=True), publisher=InMemoryPublisher())() == 200


def test_a_broker_that_is_away_is_told() -> None:
    publisher = InMemoryPublisher()
    publisher.is_down = True

    with pytest.raises(TransientError):
        Reap(ledger=Lapsed(tickets("a")), publisher=publisher)()
