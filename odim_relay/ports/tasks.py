"""
Delivery tasks, as Celery carries them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTicket:
    """
    What a task message carries; it can be claimed once.
    """

    delivery_id: str
    seq: int


class Publisher(Protocol):
    """
    Hands delivery tasks to Celery.
    """

    def publish(self, tickets: Iterable[TaskTicket]) -> None:
        """
        Publish one delivery task per ticket. After a `TransientError` some may have been published: publish all again.
        """
        ...

    def queue_depth(self) -> int:
        """
        Count the delivery tasks that wait in the broker.
        """
        ...
