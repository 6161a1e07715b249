"""
The ledger, as the bridge writes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from odim_relay.domain.event import Shape
from odim_relay.ports.records import TopicPartition
from odim_relay.ports.tasks import TaskTicket


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    How far a partition has been taken in.

    Attributes:
        topic_epoch: tells a topic from an earlier one of the same name.
        offset: of the next record to take in.
        cursor: where within that record; empty at its start, else the last delivery written, as `ingest` ordered them.
    """

    topic_epoch: str
    offset: int
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """
    A delivery to be written. `event_index` points into its batch's `events`.

    Attributes:
        parked_as: parked at once for that reason, one of those that wait, even where there is room for it: no task is
            made, and it goes as its turn comes, as everything does that waits. Empty for none: it is QUEUED, or parked
            for what hinders it.
        is_urgent: of those that wait it goes first, where its subscription is not ordered.
    """

    delivery_id: str
    subscription_id: str
    event_index: int
    shape: Shape
    parked_as: str = ""
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """
    An event that at least one delivery of the batch needs, or the journal.

    Attributes:
        record: `topic/partition/offset`, for people; empty for an event of our own.
        recorded_at_ms: Kafka's timestamp of the record, milliseconds since the epoch.
        is_journaled: it goes into the journal, as its newest entry.
        traceparent: that its deliveries belong to a trace; empty for none.
    """

    event_id: str
    payload: bytes
    record: str
    recorded_at_ms: int
    is_journaled: bool = False
    traceparent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineEntry:
    """
    A Kafka record that could not be understood, with its bytes.

    Attributes:
        entry_id: `topic_epoch/topic/partition/offset`: taking the record in again writes the same entry.
        reason: a short constant name, `not_json`.
        detail: one line for a person: what was wrong, where.
    """

    entry_id: str
    record: str
    recorded_at_ms: int
    reason: str
    detail: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestBatch:
    """
    One write of the bridge: at most 500 deliveries and the further parts of the last one's event, all of one partition,
    and the partition's next position.

    Attributes:
        believed: the position that the bridge started from; the write is refused if the ledger has another.
        generation: of the subscriptions that the batch was matched with.
        record_count, event_count, unmatched_count: how much was taken in, for the counters.
        unknown_source_count: how many of the events are of a source that is not in the inventory.
        ignored: how many of the records are not for subscribers, by their kind.
    """

    partition: TopicPartition
    believed: Position
    reached: Position
    generation: int
    events: Sequence[NewEvent] = ()
    deliveries: Sequence[NewDelivery] = ()
    quarantine: Sequence[QuarantineEntry] = ()
    record_count: int = 0
    event_count: int = 0
    unmatched_count: int = 0
    unknown_source_count: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicEpoch:
    """
    Which incarnation of a topic name is meant (L11).

    Attributes:
        topic_epoch: a uuid4.
        origin: what it was concluded from: cluster id and topic id, as far as the broker tells them.
    """

    topic_epoch: str
    origin: str


class IngestLedger(Protocol):
    """
    The ledger as the bridge writes it.
    """

    def ingest(self, batch: IngestBatch) -> Sequence[TaskTicket] | None:
        """
        Write the whole batch at once, or nothing.

        Returns:
            a ticket for each delivery that has to be published now, in order; None when the position or the generation
            was not as believed.
        """
        ...

    def position(self, partition: TopicPartition) -> Position | None:
        """
        Read how far the partition has been taken in; None when it never was.
        """
        ...

    def set_position(self, partition: TopicPartition, believed: Position | None, position: Position) -> bool:
        """
        Store a position without records. False, and nothing written, when the ledger has another than `believed`.
        """
        ...

    def is_born(self) -> bool:
        """
        Tell whether there is a ledger at all (L12).
        """
        ...

    def birth(self) -> str:
        """
        Read the ledger's birth id; the first call gives it one.
        """
        ...

    def topic_epoch(self, topic: str) -> TopicEpoch | None:
        """
        Read the topic's epoch; None when the topic was never taken in.
        """
        ...

    def set_topic_epoch(self, topic: str, believed: str, epoch: TopicEpoch) -> TopicEpoch:
        """
        Give the topic a new epoch if it still has the `believed` one (empty for none); returns what stands then.
        """
        ...

    def count_start(self, partition: TopicPartition, offset: int) -> int:
        """
        Count a start of the bridge at `offset` and return how many there were without progress (L16).
        """
        ...
