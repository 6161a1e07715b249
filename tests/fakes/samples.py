"""
Small events, records, subscriptions and batches for tests.
"""

from odim_relay.domain.event import WHOLE, Event, EventFormat, EventRecord
from odim_relay.domain.identity import delivery_id
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.formats import Decoded, Ignored, Undecodable
from odim_relay.ports import (
    IngestBatch,
    LastAttempt,
    NewDelivery,
    NewEvent,
    Position,
    QuarantineEntry,
    TopicPartition,
)

PARTITION = TopicPartition(topic="events", partition=0)
START = Position(topic_epoch="epoch", offset=0)
DESTINATION = "https://example.test/hook"
LAST = LastAttempt(outcome=Outcome(status=503, detail="busy"), destination=DESTINATION)


def subscription(
    id_: str = "subscription", *wanted: str, destination: str = DESTINATION, context: str | None = None
) -> Subscription:
    """
    One that wants the registries named, or everything.
    """
    return Subscription(
        subscription_id=id_, destination=destination, filters=Filters(registry_prefixes=wanted), context=context
    )


def decode(value: bytes) -> Decoded:
    """
    Events are divided by bars; each letter of one is an EventRecord of that registry. `?...` cannot be decoded, `-` is
    ignored, and `!` kills who decodes it.
    """
    text = value.decode()
    if text.startswith("!"):
        raise MemoryError("killed")
    if text.startswith("?"):
        return Undecodable(reason="unreadable", detail="it says so")
    if text == "-":
        return Ignored(kind="said_so")
    return tuple(
        Event(
            format=EventFormat.EVENT,
            payload=f"{text}#{index}".encode(),
            records=tuple(EventRecord(message_id=f"{letter}.Any", registry=letter) for letter in letters),
        )
        for index, letters in enumerate(text.split("|"))
    )


def batch(
    *subscription_ids: str,
    believed: Position = START,
    reached: Position | None = None,
    generation: int = 0,
    partition: TopicPartition = PARTITION,
    event_id: str = "",
    quarantine: tuple[QuarantineEntry, ...] = (),
) -> IngestBatch:
    """
    One record with one event for these subscriptions.
    """
    name = event_id or f"event-{partition.partition}-{believed.offset}"
    deliveries = [
        NewDelivery(delivery_id=delivery_id(name, id_), subscription_id=id_, event_index=0, shape=WHOLE)
        for id_ in subscription_ids
    ]
    event = NewEvent(event_id=name, payload=f"payload of {name}".encode(), record="events/0/0", recorded_at_ms=1_000)
    return IngestBatch(
        partition=partition,
        believed=believed,
        reached=reached or Position(topic_epoch=believed.topic_epoch, offset=believed.offset + 1),
        generation=generation,
        events=[event] if deliveries else [],
        deliveries=deliveries,
        quarantine=quarantine,
        record_count=1,
        event_count=1,
        unmatched_count=int(not deliveries),
    )


def quarantined(name: str, value: bytes = b"?") -> QuarantineEntry:
    return QuarantineEntry(
        entry_id=name, record="events/0/0", recorded_at_ms=1_000, reason="unreadable", detail="", value=value
    )
