"""
Celery's queue in memory.
"""

from collections.abc import Iterable

from odim_relay.errors import TransientError
from odim_relay.ports import TaskTicket


class InMemoryPublisher:
    """
    `Publisher`. While `is_down`, it publishes half of what it is given and raises, as a broker does that dies.
    """

    def __init__(self) -> None:
        self.queue: list[TaskTicket] = []
        self.is_down = False
        self.call_count = 0

    def publish(self, tickets: Iterable[TaskTicket]) -> None:
        given = list(tickets)
        if self.is_down:
            self.queue += given[: len(given) // 2]
            raise TransientError("the broker is down")
        self.queue += given

    def call_to_tell(self) -> None:
        if self.is_down:
            raise TransientError("the broker is down")
        self.call_count += 1

    def queue_depth(self) -> int:
        if self.is_down:
            raise TransientError("the broker is down")
        return len(self.queue)
