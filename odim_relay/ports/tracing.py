"""
Traces: the way of an event, for whoever follows it through several systems.
"""

from typing import Protocol

from odim_relay.domain.outcome import Outcome
from odim_relay.ports.deliveries import Claim
from odim_relay.ports.records import Record, TopicPartition


class RecordSpan(Protocol):
    """
    A record that is being taken in. One that never ends is told to nobody: it was not taken in, or will be again.
    """

    @property
    def traceparent(self) -> str:
        """
        What is kept with its events; empty when they belong to no trace.
        """
        ...

    def end(self, *, event_count: int, problem: str = "") -> None:
        """
        It was taken in.

        Args:
            problem: why it could not be understood; empty when it could.
        """
        ...


class AttemptSpan(Protocol):
    """
    An attempt under way. One that never ends is told to nobody: nothing was sent.
    """

    @property
    def traceparent(self) -> str:
        """
        What is sent with the request; empty for nothing.
        """
        ...

    def end(self, outcome: Outcome, decision: str) -> None:
        """
        It ended.

        Args:
            decision: as `AttemptRecord` has it.
        """
        ...


class Tracer(Protocol):
    """
    Begins spans. Threads share one. Nothing here waits, and nothing raises.
    """

    def record(self, partition: TopicPartition, record: Record) -> RecordSpan:
        """
        Begin to take a record in, as a child of what its `traceparent` says.
        """
        ...

    def attempt(self, claim: Claim, destination: str) -> AttemptSpan:
        """
        Begin an attempt, as a child of what is kept with the event; linked with those of its passengers.

        Args:
            destination: told without user-info and query.
        """
        ...

    def close(self) -> None:
        """
        Tell what was not told yet, if that can be done within a few seconds.
        """
        ...
