import pytest

from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, TaskTicket
from odim_relay.use_cases.expire import Expire
from tests.fakes.backlog_ledger import InMemoryBacklogLedger
from tests.fakes.ledger_state import LedgerState
from tests.fakes.publisher import InMemoryPublisher
from tests.unit.use_cases.conftest import Logs


class Aging(InMemoryBacklogLedger):
    """
    Each walk has as many steps as a row has figures: how many expire in each. After the last row nothing does.
    """

    def __init__(self, *rows: list[int], is_endless: bool = False) -> None:
        super().__init__(LedgerState(now_ms=lambda: 0))
        self.rows = list(rows)
        self.is_endless = is_endless
        self.asked: list[int] = []

    def expire(self, cursor: int) -> tuple[int, int, Aftermath]:
        self.asked.append(cursor)
        if self.is_endless:
            return 0, 1, Aftermath()
        row = self.rows[0] if self.rows else [0]
        gone = row[cursor]
        following = (cursor + 1) % len(row)
        if following == 0 and self.rows:
            self.rows.pop(0)
        return following, gone, Aftermath(tickets=[TaskTicket(delivery_id=f"after {gone}", seq=1)] if gone else [])


def test_all_backlogs_are_walked_with_the_cursor_that_was_given() -> None:
    ledger = Aging([0, 0, 0])

    assert Expire(ledger=ledger, publisher=InMemoryPublisher())() == 0

    assert ledger.asked == [0, 1, 2]


def test_they_are_walked_again_while_something_left_and_what_that_lets_go_is_published(logs: Logs) -> None:
    ledger, publisher = Aging([100, 0], [0, 7]), InMemoryPublisher()

    assert Expire(ledger=ledger, publisher=publisher)() == 107

    assert ledger.asked == [0, 1, 0, 1, 0]
    assert [ticket.delivery_id for ticket in publisher.queue] == ["after 100", "after 7"]
    assert logs == [{"event": "deliveries.expired", "count": 107, "log_level": "warning"}]


def test_nothing_is_told_when_nothing_left(logs: Logs) -> None:
    Expire(ledger=Aging(), publisher=InMemoryPublisher())()

    assert logs == []


def test_a_run_ends_also_when_there_is_always_more_by_rule_l8() -> None:
    assert Expire(ledger=Aging(is_endless=True), publisher=InMemoryPublisher())() == 2_000


def test_a_broker_that_is_away_stops_nothing() -> None:
    publisher = InMemoryPublisher()
    publisher.is_down = True

    assert Expire(ledger=Aging([1, 1]), publisher=publisher)() == 2


def test_a_ledger_that_is_away_is_told() -> None:
    class Away(Aging):
        def expire(self, cursor: int) -> tuple[int, int, Aftermath]:
            raise TransientError(f"Redis is away at {cursor}")

    with pytest.raises(TransientError):
        Expire(ledger=Away(), publisher=InMemoryPublisher())()
