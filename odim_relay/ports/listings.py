"""
What a person may look at.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from odim_relay.domain.delivery import State
from odim_relay.ports.intake import Position
from odim_relay.ports.records import TopicPartition


class Index(StrEnum):
    """
    Where a parked delivery stands: it goes as soon as its turn comes, at a time of its own, or when a person sends it.
    """

    READY = "ready"
    DELAYED = "delayed"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """
    What the ledger knows of one delivery. Instants are milliseconds since the epoch, by Redis's clock.

    Attributes:
        attempts: that were begun.
        due_at_ms: when a retry or a parked delivery is to be tried next; None when nothing is planned.
        record: `topic/partition/offset` of the Kafka record.
        recorded_at_ms: Kafka's timestamp of it; 0 when it has none.
        number: of its ingest: what came earlier has a lower one.
        reason: why it is parked, a `ParkReason` or one of a newer version; None when it is not.
        index: None when it is not parked.
        parked_at_ms: 0 when it is not parked.
        is_newer: a newer version wrote it: it is kept as it is, and nothing sends or discards it.
        is_replay: it was parked after an attempt, and is sent or waits to be sent again.
        exhausted_count: how often it ran out of attempts.
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
    number: int = 0
    reason: str | None = None
    index: Index | None = None
    parked_at_ms: int = 0
    is_newer: bool = False
    is_replay: bool = False
    exhausted_count: int = 0
    last: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """
    How many deliveries of one subscription are parked for one reason.

    Attributes:
        reason: a `ParkReason`, or one of a newer version.
        oldest_at_ms: of all that is parked for the subscription, for whatever reason: Kafka's timestamp of the event
            that was taken in first, or when its delivery was parked where Kafka told none.
        last: how the last attempt of that one failed, as `DeliveryRecord.last`; empty when none did.
    """

    subscription_id: str
    reason: str
    count: int
    oldest_at_ms: int
    last: Mapping[str, str | int] = field(default_factory=dict)


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

    def backlogs(self, subscription_ids: Iterable[str] | None = None) -> Sequence[Backlog]:
        """
        Count what is parked, by subscription and reason, ordered so. Reads counts, never the deliveries.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSizes:
    """
    How much the ledger's server keeps, and whether the schedule is sent.

    Attributes:
        held_bytes: of payloads, and what each delivery costs beside them, about (L15).
        max_bytes: what that may come to.
        has_beat: some beat holds the turn to send the schedule.
    """

    held_bytes: int
    max_bytes: int
    quarantine_count: int
    quarantine_bytes: int
    has_beat: bool


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

    def parked_counts(self) -> Mapping[str, int]:
        """
        Count what is parked of all subscriptions, by reason: a `ParkReason`, or one of a newer version.
        """
        ...

    def active_count(self) -> int:
        """
        Count the deliveries that the reaper watches: queued, in sending, in a countdown, and parked with a due time.
        """
        ...

    def measures(self) -> Mapping[str, int]:
        """
        Read what all workers measured of attempts, by the names of `domain.measures`.
        """
        ...

    def sizes(self) -> LedgerSizes:
        """
        Read how much is kept.
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
