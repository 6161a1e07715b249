"""
Where nobody traces: what a record brings is passed on, as it is.
"""

from odim_relay.domain.outcome import Outcome
from odim_relay.ports import Claim, Record, TopicPartition


class _PassedOn:
    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent


class _Record(_PassedOn):
    __slots__ = ()

    def end(self, *, event_count: int, problem: str = "") -> None:
        """
        Tell nobody.
        """


class _Attempt(_PassedOn):
    __slots__ = ()

    def end(self, outcome: Outcome, decision: str) -> None:
        """
        Tell nobody.
        """


class Untraced:
    """
    A `Tracer` that traces nothing.
    """

    def record(self, partition: TopicPartition, record: Record) -> _Record:  # noqa: ARG002 - the port's
        """
        See `Tracer.record`.
        """
        return _Record(record.traceparent)

    def attempt(self, claim: Claim, destination: str) -> _Attempt:  # noqa: ARG002 - the port's
        """
        See `Tracer.attempt`.
        """
        return _Attempt(claim.traceparent)

    def close(self) -> None:
        """
        See `Tracer.close`.
        """
