"""
Kafka: records in, records out, and who reads them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from odim_relay.domain.topic_epoch import TopicOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPartition:
    """
    A Kafka partition.
    """

    topic: str
    partition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """
    A Kafka record.

    Attributes:
        recorded_at_ms: Kafka's timestamp, milliseconds since the epoch; 0 when it has none.
        traceparent: of its headers, as `domain.trace_context` lets it pass; empty without.
    """

    offset: int
    value: bytes
    recorded_at_ms: int = 0
    traceparent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """
    What the consumer group has committed for a partition.

    Attributes:
        metadata: the birth id of the ledger that stood behind it (L12).
    """

    offset: int
    metadata: str


class RecordSource(Protocol):
    """
    What is asked of Kafka beside its records.
    """

    def committed(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, Commit]:
        """
        Read what the group has committed; partitions without are left out.
        """
        ...

    def bounds(self, partition: TopicPartition) -> tuple[int, int]:
        """
        Read the offsets of a partition's first record and of the one after its last.
        """
        ...

    def partitions(self) -> Sequence[TopicPartition]:
        """
        List the partitions of all topics; a topic that does not exist has none.
        """
        ...

    def origin(self, topic: str) -> TopicOrigin:
        """
        Ask which incarnation of the topic the broker has.
        """
        ...


class RecordSink(Protocol):
    """
    Writes records to Kafka, for `odim-relay publish`.
    """

    def prepare(self, topic: str) -> None:
        """
        Make sure that the topic can be written to; brokers that make topics on first use make it now.

        Raises:
            PermanentError: there is no such topic, or it is not for us.
        """
        ...

    def send(self, topic: str, *, key: bytes, value: bytes, told: Callable[[str | None], None]) -> None:
        """
        Hand a record over; waits while too many are on their way. Records of one key keep their order.

        Args:
            told: is called once, in here or in `flush`: with None when Kafka has acknowledged the record, else with
                what went wrong.
        """
        ...

    def flush(self) -> None:
        """
        Wait until each record was told of.
        """
        ...


class ConsumerGroup(Protocol):
    """
    The group of the bridges, seen from outside.
    """

    def member_count(self) -> int:
        """
        Count the bridges that are in the group.

        Raises:
            PermanentError: this Kafka does not tell.
        """
        ...

    def reading(self) -> set[TopicPartition]:
        """
        Tell which partitions are assigned to a bridge.

        Raises:
            PermanentError: this Kafka does not tell.
        """
        ...

    def commit(self, offsets: Mapping[TopicPartition, int], metadata: str) -> None:
        """
        Commit for the group, which must have no members.
        """
        ...

    def offsets_at(self, partitions: Iterable[TopicPartition], time_ms: int) -> Mapping[TopicPartition, int | None]:
        """
        Find the first record of each partition at or after `time_ms`; None where there is none yet.
        """
        ...
