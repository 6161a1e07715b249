"""
The ledger in memory, as the bridge writes it.
"""

from collections.abc import Sequence
from uuid import uuid4

from odim_relay.domain.delivery import ParkReason
from odim_relay.ports import IngestBatch, NewDelivery, NewEvent, Position, TaskTicket, TopicEpoch, TopicPartition
from tests.fakes.journal import InMemoryJournal
from tests.fakes.ledger_state import PATIENCE_MS, Body, Kept, LedgerState


class InMemoryIngestLedger:
    """
    `IngestLedger`.
    """

    def __init__(
        self,
        state: LedgerState,
        *,
        patience_ms: int = PATIENCE_MS,
        quarantine_max_bytes: int = 1_000_000,
        journal: InMemoryJournal | None = None,
    ) -> None:
        self.state = state
        self.journal = journal or InMemoryJournal(state=state)
        self._patience_ms = patience_ms
        self._quarantine_max_bytes = quarantine_max_bytes

    def ingest(self, batch: IngestBatch) -> Sequence[TaskTicket] | None:
        state = self.state
        if state.positions.get(batch.partition) != batch.believed or state.generation != batch.generation:
            return None
        tickets = self.write(batch.events, batch.deliveries)
        self._quarantine(batch)
        state.positions[batch.partition] = batch.reached
        state.starts.pop(batch.partition, None)
        state.count("records_ingested", batch.record_count)
        state.count("events_ingested", batch.event_count)
        state.count("events_unmatched", batch.unmatched_count)
        state.count("events_unknown_source", batch.unknown_source_count)
        for kind, count in batch.ignored.items():
            state.count("records_ignored", count)
            state.count(f"records_ignored:{kind}", count)
        return tickets

    def write(self, events: Sequence[NewEvent], deliveries: Sequence[NewDelivery]) -> list[TaskTicket]:
        for event in events:
            if event.is_journaled:
                self.journal.keep(event)
        state, tickets = self.state, []
        first = state.tickets + 1
        state.tickets += len(deliveries)
        for number, new in enumerate(deliveries, first):
            if new.delivery_id in state.deliveries:
                continue
            event = events[new.event_index]
            body = state.bodies.setdefault(
                event.event_id,
                Body(
                    payload=event.payload,
                    record=event.record,
                    recorded_at_ms=event.recorded_at_ms,
                    traceparent=event.traceparent,
                ),
            )
            body.needed_by.add(new.delivery_id)
            kept = state.deliveries[new.delivery_id] = Kept(
                delivery_id=new.delivery_id,
                subscription_id=new.subscription_id,
                event_id=event.event_id,
                shape=new.shape,
                number=number,
                ticket=number,
                patience_ms=self._patience_ms,
                taken_ms=state.now_ms(),
            )
            state.count("deliveries_created")
            if new.parked_as or state.is_held(new.subscription_id):
                kept.seq = 0
                state.park(kept, ParkReason(new.parked_as or ParkReason.SUSPENDED), None)
                continue
            state.deadlines[new.delivery_id] = state.now_ms() + self._patience_ms
            tickets.append(TaskTicket(delivery_id=new.delivery_id, subscription_id=new.subscription_id, seq=1))
        return tickets

    def _quarantine(self, batch: IngestBatch) -> None:
        entries = self.state.quarantine
        for entry in batch.quarantine:
            self.state.count("records_quarantined", int(entry.entry_id not in entries))
            entries[entry.entry_id] = entry
        while batch.quarantine and sum(len(entry.value) for entry in entries.values()) > self._quarantine_max_bytes:
            del entries[next(iter(entries))]
            self.state.count("discarded:quarantine_over_quota")

    def position(self, partition: TopicPartition) -> Position | None:
        return self.state.positions.get(partition)

    def set_position(self, partition: TopicPartition, believed: Position | None, position: Position) -> bool:
        if self.state.positions.get(partition) != believed:
            return False
        self.state.positions[partition] = position
        return True

    def birth(self) -> str:
        self.state.birth = self.state.birth or str(uuid4())
        return self.state.birth

    def is_born(self) -> bool:
        return bool(self.state.birth)

    def topic_epoch(self, topic: str) -> TopicEpoch | None:
        return self.state.topics.get(topic)

    def set_topic_epoch(self, topic: str, believed: str, epoch: TopicEpoch) -> TopicEpoch:
        stands = self.state.topics.get(topic)
        if (stands.topic_epoch if stands else "") == believed:
            self.state.topics[topic] = epoch
        return self.state.topics[topic]

    def count_start(self, partition: TopicPartition, offset: int) -> int:
        known, count = self.state.starts.get(partition, (offset, 0))
        count = count + 1 if known == offset else 1
        self.state.starts[partition] = (offset, count)
        return count
