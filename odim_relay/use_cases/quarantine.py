"""
Records come out of quarantine: taken in after all, or discarded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from odim_relay.domain.event import Event
from odim_relay.domain.identity import event_id
from odim_relay.formats import Decoder, Ignored, Undecodable, placing
from odim_relay.ports import (
    Action,
    Aftermath,
    IngestBatch,
    NewDelivery,
    NewEvent,
    Position,
    Publisher,
    QuarantinedRecord,
    QuarantineLedger,
    QuarantineListing,
    ReplayRefusal,
    TaskTicket,
    TopicPartition,
)
from odim_relay.use_cases.aftermath import settle
from odim_relay.use_cases.audit import NOT_KEPT, Audit
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.new_deliveries import new_deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySelection:
    """
    Which records; an empty member does not restrict, and all that are given must hold.

    Attributes:
        since_ms, until_ms: when they came into quarantine, milliseconds since the epoch; both inclusive.
    """

    entry_ids: Sequence[str] = ()
    topics: Sequence[str] = ()
    reasons: Sequence[str] = ()
    since_ms: int | None = None
    until_ms: int | None = None

    def wants(self, entry: QuarantinedRecord) -> bool:
        """
        Whether the record is one of them.
        """
        return (
            (not self.entry_ids or entry.entry_id in self.entry_ids)
            and (not self.topics or entry.record.rsplit("/", 2)[0] in self.topics)
            and (not self.reasons or entry.reason in self.reasons)
            and (self.since_ms is None or entry.quarantined_at_ms >= self.since_ms)
            and (self.until_ms is None or entry.quarantined_at_ms <= self.until_ms)
        )


def select_entries(listing: QuarantineListing, selection: EntrySelection) -> Iterator[QuarantinedRecord]:
    """
    Walk the records of the selection, oldest first; ids that are given in their own order.
    """
    if selection.entry_ids:
        found = (listing.entry(entry_id) for entry_id in dict.fromkeys(selection.entry_ids))
        entries: Iterator[QuarantinedRecord] = (one[0] for one in found if one is not None)
    else:
        entries = iter(listing.entries())
    return (entry for entry in entries if selection.wants(entry))


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """
    The record is understood and out of quarantine.

    Attributes:
        event_count: 0 for a record that is not for subscribers.
        is_published: False when the broker was away: the reaper publishes the tasks when it is back.
    """

    event_count: int
    delivery_count: int
    is_published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """
    It cannot be understood today either; nothing was changed.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """
    It is not in quarantine any more: somebody else took it out.
    """


Replayed: TypeAlias = TakenIn | Stays | NotThere


@dataclass(frozen=True, slots=True)
class _Place:
    topic_epoch: str
    partition: TopicPartition
    offset: int


class NotedQuarantine:
    """
    `QuarantineLedger` over another one; what is discarded is noted.
    """

    def __init__(self, ledger: QuarantineLedger, audit: Audit) -> None:
        self._ledger = ledger
        self._audit = audit

    def replay(self, entry_id: str, batch: IngestBatch) -> Sequence[TaskTicket] | ReplayRefusal:
        """
        See `QuarantineLedger.replay`.
        """
        return self._ledger.replay(entry_id, batch)

    def discard(self, entry_ids: Sequence[str]) -> int:
        """
        See `QuarantineLedger.discard`.
        """
        with self._audit(Action.QUARANTINE_DISCARDED, entry_ids[0] if len(entry_ids) == 1 else "") as note:
            note.count = self._ledger.discard(entry_ids)
        return note.count


class ReplayQuarantine:
    """
    Takes records in again, with today's decoders and subscriptions. May be ended anywhere, and called by several at
    once: a record's deliveries have the names that they would have had, and are written as its entry goes.
    """

    def __init__(
        self,
        *,
        ledger: QuarantineLedger,
        listing: QuarantineListing,
        matchers: MatcherDirectory,
        decoders: Mapping[str, Decoder],
        publisher: Publisher,
        audit: Audit = NOT_KEPT,
    ) -> None:
        """
        Args:
            decoders: by topic.
        """
        self._audit = audit
        self._ledger = ledger
        self._listing = listing
        self._matchers = matchers
        self._decoders = decoders
        self._publisher = publisher

    def __call__(self, entry_id: str) -> Replayed:
        """
        Take one record in.

        Raises:
            TransientError: Redis cannot be reached, or the ledger is full; the record is where it was.
        """
        with self._audit(Action.QUARANTINE_REPLAYED, entry_id) as note:
            replayed = self._replay(entry_id)
            note.count = int(isinstance(replayed, TakenIn))
        return replayed

    def _replay(self, entry_id: str) -> Replayed:
        found = self._listing.entry(entry_id)
        if found is None:
            return NotThere()
        entry, value = found
        place = _place_of(entry_id)
        if place is None:
            return Stays(reason="no_place", detail="its id does not tell topic, partition and offset")
        decoder = self._decoders.get(place.partition.topic)
        if decoder is None:
            return Stays(reason="no_decoder", detail=f"KAFKA__TOPICS does not name {place.partition.topic}")
        match decoder(value):
            case Undecodable() as still:
                return Stays(reason=still.reason, detail=still.detail)
            case Ignored() as passed_over:
                return self._take_in(entry, place, (), {passed_over.kind: 1})
            case events:
                return self._take_in(entry, place, events, {})

    def _take_in(
        self, entry: QuarantinedRecord, place: _Place, events: Sequence[Event], ignored: Mapping[str, int]
    ) -> Replayed:
        self._matchers.refresh()
        while True:
            batch = self._batch(entry, place, events, ignored)
            match self._ledger.replay(entry.entry_id, batch):
                case ReplayRefusal.ENTRY_GONE:
                    return NotThere()
                case ReplayRefusal.GENERATION:
                    self._matchers.refresh()
                case tickets:
                    is_published = settle(Aftermath(tickets=tickets), self._publisher)
                    return TakenIn(
                        event_count=len(events), delivery_count=len(batch.deliveries), is_published=is_published
                    )

    def _batch(
        self, entry: QuarantinedRecord, place: _Place, events: Sequence[Event], ignored: Mapping[str, int]
    ) -> IngestBatch:
        position = Position(topic_epoch=place.topic_epoch, offset=place.offset)
        keeps_journal = self._matchers.settings.keeps_journal
        inventory = self._matchers.inventory
        unmatched_count = unknown_source_count = 0
        wanted: list[NewEvent] = []
        deliveries: list[NewDelivery] = []
        for index, decoded in enumerate(events):
            placed = placing.place(decoded, inventory)
            event = placed.event
            matches = self._matchers.matcher.match(event, inventory)
            unknown_source_count += placed.is_of_unknown_source
            unmatched_count += not matches
            if not matches and not keeps_journal:
                continue
            name = event_id(place.topic_epoch, place.partition.topic, place.partition.partition, place.offset, index)
            for subscription_id, shape in matches:
                deliveries += new_deliveries(
                    event,
                    event_id=name,
                    event_index=len(wanted),
                    subscription_id=subscription_id,
                    shape=shape,
                )
            wanted.append(
                NewEvent(
                    event_id=name,
                    payload=event.payload,
                    record=entry.record,
                    recorded_at_ms=entry.recorded_at_ms,
                    is_journaled=keeps_journal,
                )
            )
        return IngestBatch(
            partition=place.partition,
            believed=position,
            reached=position,
            generation=self._matchers.generation,
            events=wanted,
            deliveries=deliveries,
            event_count=len(events),
            unmatched_count=unmatched_count,
            unknown_source_count=unknown_source_count,
            ignored=ignored,
        )


def _place_of(entry_id: str) -> _Place | None:
    parts = entry_id.rsplit("/", 3)
    if len(parts) != len(("epoch", "topic", "partition", "offset")) or not (
        parts[2].isdecimal() and parts[3].isdecimal()
    ):
        return None
    topic_epoch, topic, partition, offset = parts
    return _Place(topic_epoch, TopicPartition(topic=topic, partition=int(partition)), int(offset))
