"""
Traces in memory.
"""

from dataclasses import dataclass, field

from odim_relay.domain.outcome import Outcome
from odim_relay.ports import Claim, Record, TopicPartition


@dataclass(kw_only=True)
class InMemoryRecordSpan:
    """
    `RecordSpan`. Its `traceparent` tells what it is, and a child of what.
    """

    traceparent: str
    ended: list[tuple[int, str]] = field(default_factory=list)

    def end(self, *, event_count: int, problem: str = "") -> None:
        self.ended.append((event_count, problem))


@dataclass(kw_only=True)
class InMemoryAttemptSpan:
    """
    `AttemptSpan`, the same way.
    """

    traceparent: str
    ended: list[tuple[Outcome, str]] = field(default_factory=list)

    def end(self, outcome: Outcome, decision: str) -> None:
        self.ended.append((outcome, decision))


@dataclass(kw_only=True)
class InMemoryTracer:
    """
    `Tracer`.
    """

    records: list[InMemoryRecordSpan] = field(default_factory=list)
    attempts: list[InMemoryAttemptSpan] = field(default_factory=list)

    def record(self, partition: TopicPartition, record: Record) -> InMemoryRecordSpan:
        name = f"{record.traceparent}/record {partition.partition}/{record.offset}"
        self.records.append(InMemoryRecordSpan(traceparent=name))
        return self.records[-1]

    def attempt(self, claim: Claim, destination: str) -> InMemoryAttemptSpan:
        assert destination
        self.attempts.append(InMemoryAttemptSpan(traceparent=f"{claim.traceparent}/attempt {claim.attempt}"))
        return self.attempts[-1]

    def close(self) -> None:
        pass
