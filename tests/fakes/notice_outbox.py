"""
Changes that are to be told, in memory.
"""

from collections.abc import Sequence

from odim_relay.domain.notices import Change
from tests.fakes.ledger_state import LedgerState


class InMemoryNoticeOutbox:
    """
    `NoticeOutbox`. A spell lasts until a test clears `state.told_lately`.
    """

    def __init__(self, state: LedgerState) -> None:
        self.state = state
        self.logged_number = 0

    def pending(self) -> Sequence[Change]:
        return [self.state.untold[number] for number in sorted(self.state.untold)]

    def logged(self) -> int:
        return self.logged_number

    def note_logged(self, number: int) -> None:
        self.logged_number = max(self.logged_number, number)

    def told_lately(self, topics: Sequence[str]) -> Sequence[int]:
        return [self.state.told_lately[topic] for topic in topics]

    def forget(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.state.untold.pop(number, None)
