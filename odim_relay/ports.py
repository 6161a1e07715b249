"""
What the use cases need of the world. Adapters implement these; each contract stands here, in full.

Every method may raise `TransientError` (the store cannot be reached or refuses for now); every call is safe to repeat.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.event import Shape
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Subscription
from odim_relay.domain.topic_epoch import TopicOrigin

# --- sending ---


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRequest:
    """
    One POST, ready to send.

    Attributes:
        headers: all of them but `Content-Length` and `Host`; later pairs of one name replace earlier ones.
    """

    url: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


class Sender(Protocol):
    """
    Sends one POST within one deadline.
    """

    def send(self, request: OutgoingRequest, *, may_send: Callable[[], bool], timeout_s: float) -> Outcome | None:
        """
        POST `request` and judge nothing: the outcome carries the status or the failure.

        One deadline of `timeout_s` covers DNS, connect, TLS, request and response. Redirects are not followed; at most
        16 KiB of the response is read. Whatever the destination does comes back as an `Outcome`; an exception is
        a fault of our own.

        Args:
            may_send: asked right before the first byte when connecting took longer than 3 s (ledger rule L17).

        Returns:
            None when `may_send` answered no: then no byte of the request was sent.
        """
        ...


# --- the ledger ---


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
    """

    offset: int
    value: bytes
    recorded_at_ms: int = 0


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
    """

    delivery_id: str
    subscription_id: str
    event_index: int
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """
    An event that at least one delivery of the batch needs.

    Attributes:
        record: `topic/partition/offset`, for people.
        recorded_at_ms: Kafka's timestamp of the record, milliseconds since the epoch.
    """

    event_id: str
    payload: bytes
    record: str
    recorded_at_ms: int


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
    One write of the bridge: at most 500 deliveries, all of one partition, and the partition's next position.

    Attributes:
        believed: the position that the bridge started from; the write is refused if the ledger has another.
        generation: of the subscriptions that the batch was matched with.
        record_count, event_count, unmatched_count, ignored_count: how much was taken in, for the counters.
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
    ignored_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTicket:
    """
    What a task message carries; it can be claimed once.
    """

    delivery_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """
    The right to make one attempt, until its lease ends.

    Attributes:
        lease: to be given back with the outcome.
        attempt: 1 for the first over the life of the delivery.
        generation: of the subscriptions, now: a cache that is older must be refreshed before sending.
        recorded_at_ms: Kafka's timestamp of the record, milliseconds since the epoch.
    """

    delivery_id: str
    lease: int
    subscription_id: str
    event_id: str
    payload: bytes
    shape: Shape
    attempt: int
    generation: int
    recorded_at_ms: int


class Refusal:
    """
    The task may not act: another claimed the delivery, it was delivered, or its subscription is gone.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAttempt:
    """
    What the ledger keeps of a failed attempt.

    Attributes:
        destination: where it went, without user-info and query.
    """

    outcome: Outcome
    destination: str


class DeliveryLedger(Protocol):
    """
    The truth about deliveries, for those who send them.
    """

    def claim(self, ticket: TaskTicket) -> Claim | Refusal:
        """
        Take the delivery: QUEUED or RETRYING becomes SENDING and a lease starts. A ticket is good for one claim.

        A delivery whose subscription is gone leaves the ledger here, counted as `subscription_deleted`.
        """
        ...

    def holds(self, claim: Claim) -> bool:
        """
        Tell whether the lease still runs and the subscription still exists.
        """
        ...

    def complete(self, claim: Claim) -> None:
        """
        Remove the delivery: it was answered 2xx. Does so whatever its state by then (L21); repeating it is harmless.
        """
        ...

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> TaskTicket | None:
        """
        SENDING becomes RETRYING, due after `wait_s`; parked with that due time where no countdown is to carry it (L22).

        Returns:
            the ticket for a task with this countdown; None when it was parked or the lease is not held any more.
        """
        ...

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> bool:
        """
        SENDING becomes PARKED. Returns False when the lease is not held any more; then nothing was done.
        """
        ...

    def release(self, claim: Claim) -> TaskTicket | None:
        """
        SENDING becomes QUEUED again without an attempt counted; the ticket is to be published. None when not held.
        """
        ...


class ReapLedger(Protocol):
    """
    The ledger's own repair (L23, L26, L27).
    """

    def reap(self, *, queue_is_empty: bool) -> tuple[Sequence[TaskTicket], bool]:
        """
        Handle at most 500 deliveries whose deadline lapsed.

        Returns:
            tickets to publish, and whether more deadlines have lapsed already.
        """
        ...


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
            a ticket for each delivery, in order; None when the position or the generation was not as believed.
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


class SubscriptionStore(Protocol):
    """
    Where subscriptions are kept. Each change raises the generation, to a number that it never had.
    """

    def save(self, subscription: Subscription) -> None:
        """
        Create the subscription or replace the one of its id.
        """
        ...

    def delete(self, subscription_id: str) -> bool:
        """
        Remove it; its deliveries leave as `subscription_deleted`. Returns False when there was none.
        """
        ...

    def get(self, subscription_id: str) -> Subscription | None:
        """
        Read one.
        """
        ...

    def generation(self) -> int:
        """
        Read the number of the last change.
        """
        ...

    def changes_since(self, generation: int) -> tuple[int, Sequence[Subscription], Sequence[str] | None]:
        """
        Read what changed after `generation`: the new generation, the saved, the ids of the deleted.

        Reads all, with None for the deleted, where the way from there is not known: after 0, more than 1,000 changes,
        or a change that the store lost again with its last writes. What is not among all is gone.
        """
        ...


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


# --- listings ---


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """
    What the ledger knows of one delivery. Instants are milliseconds since the epoch, by Redis's clock.

    Attributes:
        attempts: that were begun.
        due_at_ms: when a retry or a parked delivery is to be tried next; None when nothing is planned.
        record: `topic/partition/offset` of the Kafka record.
        recorded_at_ms: Kafka's timestamp of it; 0 when it has none.
        reason: why it is parked; None when it is not.
        parked_at_ms: 0 when it is not parked.
        last: how the last failed attempt ended: `status`, `failure`, `detail`, `destination`, `duration_ms`, as far
            as they apply; empty when none failed.
    """

    delivery_id: str
    subscription_id: str
    event_id: str
    state: State
    attempts: int
    due_at_ms: int | None = None
    record: str = ""
    recorded_at_ms: int = 0
    reason: ParkReason | None = None
    parked_at_ms: int = 0
    last: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """
    How many deliveries of one subscription are parked for one reason.

    Attributes:
        oldest_at_ms: Kafka's timestamp of the event of the one that was taken in first, or when that was parked where
            Kafka told none.
    """

    subscription_id: str
    reason: ParkReason
    count: int
    oldest_at_ms: int


class DeliveryListing(Protocol):
    """
    The ledger's deliveries, for people. Reads in bounded steps, so what moves meanwhile may be missed or told twice.
    """

    def parked(self, subscription_ids: Iterable[str] | None = None) -> Iterator[DeliveryRecord]:
        """
        Walk the parked deliveries of these subscriptions, or of all: by subscription, in the order they came in.
        """
        ...

    def delivery(self, delivery_id: str) -> DeliveryRecord | None:
        """
        Read one delivery, parked or not; None when it is not in the ledger: delivered, or it never was.
        """
        ...

    def payload(self, event_id: str) -> bytes | None:
        """
        Read an event's bytes; None when no delivery needs them any more.
        """
        ...

    def backlogs(self) -> Sequence[Backlog]:
        """
        Count what is parked, by subscription and reason, ordered so. Reads all of it.
        """
        ...


class LedgerFigures(Protocol):
    """
    The ledger in figures.
    """

    def now_ms(self) -> int:
        """
        Read Redis's clock, which all instants of the ledger are of (L6).
        """
        ...

    def counters(self) -> Mapping[str, int]:
        """
        Read all counters, by `name` or `name:label`.
        """
        ...

    def positions(self) -> Mapping[TopicPartition, Position]:
        """
        Read how far each partition has been taken in.
        """
        ...

    def active_count(self) -> int:
        """
        Count the deliveries that the reaper watches: queued, in sending, in a countdown, and parked with a due time.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedRecord:
    """
    A Kafka record in quarantine; `QuarantineEntry` says more.

    Attributes:
        quarantined_at_ms: by Redis's clock.
        size: of its value, in bytes.
    """

    entry_id: str
    record: str
    recorded_at_ms: int
    quarantined_at_ms: int
    reason: str
    detail: str
    size: int


class QuarantineListing(Protocol):
    """
    Records that could not be understood, for people.
    """

    def entries(self) -> Iterator[QuarantinedRecord]:
        """
        Walk them, oldest first, in bounded steps.
        """
        ...

    def entry(self, entry_id: str) -> tuple[QuarantinedRecord, bytes] | None:
        """
        Read one, with the record's bytes.
        """
        ...


# --- publishing ---


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


# --- examining ---


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """
    What the ledger's server says of itself. A configuration that it refuses to tell is None.

    Attributes:
        role: `master`, `slave`.
    """

    version: tuple[int, ...]
    is_cluster: bool
    is_behind_sentinel: bool
    role: str
    appendonly: str | None
    maxmemory_policy: str | None
    min_replicas_to_write: int | None
