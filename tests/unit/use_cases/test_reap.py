import pytest

from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, Notice, TaskTicket
from odim_relay.use_cases.reap import Reap
from tests.fakes.publisher import InMemoryPublisher
from tests.unit.use_cases.conftest import Logs


def tickets(*names: str) -> list[TaskTicket]:
    return [TaskTicket(delivery_id=name, seq=1) for name in names]


class Lapsed:
    """
    A ledger with so much to reap, step by step; without an end when `endless`.
    """

    def __init__(self, *steps: list[TaskTicket], endless: bool = False, notices: tuple[Notice, ...] = ()) -> None:
        self.steps = list(steps)
        self.endless = endless
        self.notices = notices
        self.saw_empty: list[bool] = []

    def reap(self, *, queue_is_empty: bool) -> tuple[Aftermath, bool]:
        self.saw_empty.append(queue_is_empty)
        if self.endless:
            return Aftermath(tickets=tickets("again")), True
        found = self.steps.pop(0) if self.steps else []
        return Aftermath(tickets=found, notices=self.notices), bool(self.steps)


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


def test_a_broker_that_is_away_is_told_before_anything_is_handled() -> None:
    publisher, ledger = InMemoryPublisher(), Lapsed(tickets("a"))
    publisher.is_down = True

    with pytest.raises(TransientError):
        Reap(ledger=ledger, publisher=publisher)()

    assert ledger.steps == [tickets("a")]


def test_a_broker_that_goes_away_leaves_the_rest_to_the_next_run() -> None:
    class GoingAway(InMemoryPublisher):
        def queue_depth(self) -> int:
            self.is_down = bool(self.queue)
            return super().queue_depth()

    ledger = Lapsed(tickets("a"), tickets("b"))

    with pytest.raises(TransientError):
        Reap(ledger=ledger, publisher=GoingAway())()

    assert ledger.steps == [tickets("b")]


def test_how_much_was_reaped_is_told_and_somebody_is_called_to_tell_what_changed(logs: Logs) -> None:
    ledger = Lapsed(tickets("a"), notices=(Notice(name="breaker_closed", subject="d"),))

    publisher = InMemoryPublisher()

    Reap(ledger=ledger, publisher=publisher)()

    assert publisher.call_count == 1
    assert [line["event"] for line in logs] == ["deliveries.reaped"]
    assert logs[-1]["count"] == 1
