"""
Delivery tasks, as Celery carries them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTicket:
    """
    What a task message carries; it can be claimed once.

    Attributes:
        wait_s: the countdown with which it is to be published.
        subscription_id: for people who look at tasks; empty where it is not known.
    """

    delivery_id: str
    seq: int
    wait_s: float = 0.0
    subscription_id: str = field(default="", compare=False)

    def in_words(self) -> dict[str, str]:
        """
        Describe the task's arguments to whoever looks at tasks (Flower, `celery events`), by Celery's names for that.
        """
        return {
            "argsrepr": f"delivery {self.delivery_id}, seq {self.seq}",
            "kwargsrepr": f"subscription {self.subscription_id}" if self.subscription_id else "",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """
    A change that people want to hear of, and that stands in the outbox: `breaker_opened`, `breaker_closed` of a
    destination's id; `suspended_<reason>`, `resumed`, `terminated`, `buffer_exceeded_<rule>` of a subscription's.
    """

    name: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """
    What a change of the ledger leaves to its caller.

    Attributes:
        retry: the failed delivery's own ticket, for Celery to count down to.
        tickets: to be published; the reaper does it later when the caller cannot.
        notices: somebody is to be called to tell them; the schedule does it later when the caller cannot.
    """

    retry: TaskTicket | None = None
    tickets: Sequence[TaskTicket] = ()
    notices: Sequence[Notice] = ()


class Publisher(Protocol):
    """
    Hands tasks to Celery. Threads may share it.
    """

    def publish(self, tickets: Iterable[TaskTicket]) -> None:
        """
        Publish one delivery task per ticket. After a `TransientError` some may have been published: publish all again.
        """
        ...

    def call_to_tell(self) -> None:
        """
        Have somebody tell what stands in the outbox.
        """
        ...

    def queue_depth(self) -> int:
        """
        Count the delivery tasks that wait in the broker.
        """
        ...
