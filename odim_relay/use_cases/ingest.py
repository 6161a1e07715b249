"""
From Kafka records to deliveries in the ledger and tasks in the broker.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from odim_relay.domain.event import Event, Shape
from odim_relay.domain.identity import event_id
from odim_relay.formats import Decoder, Ignored, Undecodable
from odim_relay.formats.placing import Placed, place
from odim_relay.ports import (
    IngestBatch,
    IngestLedger,
    NewDelivery,
    NewEvent,
    Position,
    QuarantineEntry,
    Record,
    RecordSpan,
    TaskTicket,
    TopicPartition,
    Tracer,
)
from odim_relay.telemetry import logger
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.new_deliveries import new_deliveries

log = logger(__name__)

MOST_DELIVERIES = 500
"""
Deliveries that one script writes (L8), and the further parts of the last one's event.
"""
MOST_BYTES = 8 * 1024 * 1024
"""
Payload that one script writes; a single larger record still goes, alone.
"""
_CURSOR_WIDTH = 6


class PositionMovedError(Exception):
    """
    Another bridge took the partition in: nothing was written; go on from `position`.
    """

    def __init__(self, position: Position | None) -> None:
        super().__init__(position)
        self.position = position


_Matches: TypeAlias = list[tuple[Placed, Sequence[tuple[str, Shape]]]]


@dataclass(slots=True)
class _Draft:
    """
    A batch in the making.
    """

    events: list[NewEvent] = field(default_factory=list)
    deliveries: list[NewDelivery] = field(default_factory=list)
    quarantine: list[QuarantineEntry] = field(default_factory=list)
    size: int = 0
    record_count: int = 0
    event_count: int = 0
    unmatched_count: int = 0
    unknown_source_count: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    spans: list[tuple[RecordSpan, int, str]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.deliveries) >= MOST_DELIVERIES or self.size >= MOST_BYTES

    def add_events(self, events: Sequence[NewEvent]) -> None:
        self.events += events
        self.size += sum(len(event.payload) for event in events)


class Ingest:
    """
    Takes records in, exactly once each as far as the ledger goes (L3, L9). For one thread.
    """

    def __init__(
        self, *, ledger: IngestLedger, matchers: MatcherDirectory, decoders: Mapping[str, Decoder], tracer: Tracer
    ) -> None:
        """
        Args:
            decoders: by topic.
        """
        self._tracer = tracer
        self._ledger = ledger
        self._matchers = matchers
        self._decoders = decoders
        self._last_match: tuple[tuple[TopicPartition, int, int], _Matches] | None = None

    def take(
        self, partition: TopicPartition, position: Position, records: Sequence[Record], *, parse: bool = True
    ) -> Iterator[tuple[Position, Sequence[TaskTicket]]]:
        """
        Write the deliveries of `records` and the position behind them, in steps.

        Args:
            position: where the ledger stands, as the caller believes; records below it are passed over.
            records: ascending by offset.
            parse: False quarantines them unread: reading one of them killed the bridge (L16).

        Yields:
            after each write the position reached and the tickets to publish.

        Raises:
            PositionMovedError: the ledger stands elsewhere.
            TransientError: the ledger cannot be reached. The step under way may have been written: go on from the
                position yielded last, and PositionMovedError will tell.
        """
        start = 0
        while True:
            while start < len(records) and records[start].offset < position.offset:
                start += 1
            if start == len(records):
                return
            draft = _Draft()
            batch = self._fill(draft, partition, position, records, start, parse=parse)
            written = self._ledger.ingest(batch)
            if written is None:
                stands = self._ledger.position(partition)
                if stands != position:
                    raise PositionMovedError(stands)
                # So it was the subscriptions: match again with those that count now (L9).
                self._matchers.refresh()
                continue
            for span, event_count, problem in draft.spans:
                span.end(event_count=event_count, problem=problem)
            position = batch.reached
            yield position, written

    def _fill(
        self,
        draft: _Draft,
        partition: TopicPartition,
        position: Position,
        records: Sequence[Record],
        start: int,
        *,
        parse: bool,
    ) -> IngestBatch:
        reached = position
        for index in range(start, len(records)):
            record = records[index]
            after = position.cursor if record.offset == position.offset else ""
            stopped_at = self._add(draft, partition, position.topic_epoch, record, after, parse=parse)
            if stopped_at:
                reached = Position(topic_epoch=position.topic_epoch, offset=record.offset, cursor=stopped_at)
                break
            reached = Position(topic_epoch=position.topic_epoch, offset=record.offset + 1)
            if draft.is_full:
                break
        return IngestBatch(
            partition=partition,
            believed=position,
            reached=reached,
            generation=self._matchers.generation,
            events=draft.events,
            deliveries=draft.deliveries,
            quarantine=draft.quarantine,
            record_count=draft.record_count,
            event_count=draft.event_count,
            unmatched_count=draft.unmatched_count,
            unknown_source_count=draft.unknown_source_count,
            ignored=draft.ignored,
        )

    def _add(
        self, draft: _Draft, partition: TopicPartition, topic_epoch: str, record: Record, after: str, *, parse: bool
    ) -> str:
        """
        Add a record's deliveries that come behind the cursor `after`.

        Returns:
            the cursor of the last one added when the draft was full before the record's end, else empty.
        """
        span = self._tracer.record(partition, record)
        decoded = self._decoders[partition.topic](record.value) if parse else _UNPARSED
        if not after:
            draft.record_count += 1
        match decoded:
            case Undecodable():
                draft.quarantine.append(_quarantined(partition, topic_epoch, record, decoded))
                draft.size += len(record.value)
                draft.spans.append((span, 0, decoded.reason))
                return ""
            case Ignored():
                draft.ignored[decoded.kind] += 1
                draft.spans.append((span, 0, ""))
                return ""
            case events:
                draft.spans.append((span, len(events), ""))
                if span.traceparent != record.traceparent:
                    record = replace(record, traceparent=span.traceparent)
                return self._add_events(draft, partition, topic_epoch, record, after, events)

    def _add_events(
        self,
        draft: _Draft,
        partition: TopicPartition,
        topic_epoch: str,
        record: Record,
        after: str,
        events: Sequence[Event],
    ) -> str:
        matched = self._match(partition, record, events)
        if not after:
            draft.event_count += len(events)
            draft.unknown_source_count += sum(placed.is_of_unknown_source for placed, _ in matched)
        added = ""
        # Since the last delivery: where the draft ends there, they are met again.
        unmatched_count, unwanted = 0, list[NewEvent]()
        keeps_journal = self._matchers.settings.keeps_journal
        seen_before = int(after[:_CURSOR_WIDTH]) if after else -1
        for index, (placed, matches) in enumerate(matched):
            event, is_new = placed.event, index > seen_before
            if not matches and is_new:
                unmatched_count += 1
                if keeps_journal:
                    unwanted.append(_new_event(topic_epoch, partition, record, index, event, is_journaled=True))
            new: NewEvent | None = None
            for subscription_id, shape in matches:
                cursor = f"{index:0{_CURSOR_WIDTH}}/{subscription_id}"
                if cursor <= after:
                    continue
                if draft.is_full:
                    return added or after
                if new is None:
                    is_journaled = keeps_journal and is_new
                    new = _new_event(topic_epoch, partition, record, index, event, is_journaled=is_journaled)
                    draft.add_events([*unwanted, new])
                    unwanted.clear()
                # All parts of an event at once: who was sent one by this batch needs the others by the same rules.
                draft.deliveries += new_deliveries(
                    event,
                    event_id=new.event_id,
                    event_index=len(draft.events) - 1,
                    subscription_id=subscription_id,
                    shape=shape,
                )
                draft.unmatched_count += unmatched_count
                unmatched_count = 0
                added = cursor
        draft.unmatched_count += unmatched_count
        draft.add_events(unwanted)
        return ""

    def _match(self, partition: TopicPartition, record: Record, events: Sequence[Event]) -> _Matches:
        # A record for very many subscriptions is written in several batches: it is placed and matched for the first of
        # them only. Of one generation, the inventory is one too.
        key = (partition, record.offset, self._matchers.generation)
        if self._last_match is None or self._last_match[0] != key:
            matcher, inventory = self._matchers.matcher, self._matchers.inventory
            placed = [place(event, inventory) for event in events]
            self._last_match = (key, [(one, matcher.match(one.event, inventory)) for one in placed])
        return self._last_match[1]


_UNPARSED = Undecodable(
    reason="unparsed", detail="the bridge died each time it read this record or the ones around it; kept unread"
)


def _new_event(
    topic_epoch: str, partition: TopicPartition, record: Record, index: int, event: Event, *, is_journaled: bool
) -> NewEvent:
    return NewEvent(
        event_id=event_id(topic_epoch, partition.topic, partition.partition, record.offset, index),
        payload=event.payload,
        record=f"{partition.topic}/{partition.partition}/{record.offset}",
        recorded_at_ms=record.recorded_at_ms,
        is_journaled=is_journaled,
        traceparent=record.traceparent,
    )


def _quarantined(partition: TopicPartition, topic_epoch: str, record: Record, decoded: Undecodable) -> QuarantineEntry:
    place = f"{partition.topic}/{partition.partition}/{record.offset}"
    log.warning("record.quarantined", record=place, reason=decoded.reason, detail=decoded.detail)
    return QuarantineEntry(
        entry_id=f"{topic_epoch}/{place}",
        record=place,
        recorded_at_ms=record.recorded_at_ms,
        reason=decoded.reason,
        detail=decoded.detail,
        value=record.value,
    )
