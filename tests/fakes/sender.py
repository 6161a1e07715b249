"""
Destinations in memory.
"""

from collections.abc import Callable

from odim_relay.domain.outcome import Outcome
from odim_relay.ports import OutgoingRequest


class InMemorySender:
    """
    `Sender`. Answers what `answers` says, a default otherwise; keeps what was sent, and within which deadlines.
    """

    def __init__(self, default: Outcome | None = None) -> None:
        self.default = default or Outcome(status=204)
        self.answers: list[Outcome | Exception] = []
        self.sent: list[OutgoingRequest] = []
        self.timeouts: list[float] = []
        self.asks_first = False
        self.on_send: Callable[[], object] = lambda: None

    def send(self, request: OutgoingRequest, *, may_send: Callable[[], bool], timeout_s: float) -> Outcome | None:
        assert timeout_s > 0
        self.on_send()
        if self.asks_first and not may_send():
            return None
        self.sent.append(request)
        self.timeouts.append(timeout_s)
        answer = self.answers.pop(0) if self.answers else self.default
        if isinstance(answer, Exception):
            raise answer
        return answer
