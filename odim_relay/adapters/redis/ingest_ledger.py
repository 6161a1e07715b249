"""
The ledger, as the bridge writes it.
"""

import json
from collections.abc import Mapping, Sequence
from uuid import uuid4

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.adapters.redis.replies import tickets_of
from odim_relay.adapters.redis.shape_codec import encode_shape
from odim_relay.errors import TransientError
from odim_relay.ports import (
    IngestBatch,
    NewDelivery,
    NewEvent,
    Position,
    QuarantineEntry,
    TaskTicket,
    TopicEpoch,
    TopicPartition,
)


class RedisIngestLedger:
    """
    `IngestLedger` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def ingest(self, batch: IngestBatch) -> Sequence[TaskTicket] | None:
        """
        See `IngestLedger.ingest`.
        """
        status, *rest = self._scripts.run(
            "ingest",
            _name(batch.partition),
            *_position(batch.believed),
            *_position(batch.reached),
            batch.generation,
            "",
            *content_of(batch),
        )
        if status == b"full":
            raise TransientError(
                "the ledger is full, nothing more is taken in: more memory for LEDGER__MAX_BYTES, or fewer dead letters"
            )
        return tickets_of(rest[0]) if status == b"written" else None

    def position(self, partition: TopicPartition) -> Position | None:
        """
        See `IngestLedger.position`.
        """
        with translated("reading a position"):
            epoch, offset, cursor = self._scripts.client.hmget(
                self._key(keys.position(partition.topic, partition.partition)), ["topic_epoch", "offset", "cursor"]
            )
        if epoch is None or offset is None:
            return None
        return Position(topic_epoch=text(epoch), offset=int(offset), cursor=text(cursor))

    def set_position(self, partition: TopicPartition, believed: Position | None, position: Position) -> bool:
        """
        See `IngestLedger.set_position`.
        """
        old = ("", "", "") if believed is None else _position(believed)
        return bool(self._scripts.run("set_position", _name(partition), *old, *_position(position)))

    def birth(self) -> str:
        """
        See `IngestLedger.birth`.
        """
        with translated("reading the ledger's birth"):
            self._scripts.client.set(self._key(keys.BIRTH), str(uuid4()), nx=True)
            value = self._scripts.client.get(self._key(keys.BIRTH))
        return text(value)

    def is_born(self) -> bool:
        """
        See `IngestLedger.is_born`.
        """
        with translated("looking for the ledger"):
            return bool(self._scripts.client.exists(self._key(keys.BIRTH)))

    def topic_epoch(self, topic: str) -> TopicEpoch | None:
        """
        See `IngestLedger.topic_epoch`.
        """
        with translated("reading a topic's epoch"):
            epoch, origin = self._scripts.client.hmget(self._key(keys.topic(topic)), ["topic_epoch", "origin"])
        if epoch is None:
            return None
        return TopicEpoch(topic_epoch=text(epoch), origin=text(origin))

    def set_topic_epoch(self, topic: str, believed: str, epoch: TopicEpoch) -> TopicEpoch:
        """
        See `IngestLedger.set_topic_epoch`.
        """
        stands = self._scripts.run("set_topic_epoch", topic, believed, epoch.topic_epoch, epoch.origin)
        return TopicEpoch(topic_epoch=text(stands[0]), origin=text(stands[1]))

    def count_start(self, partition: TopicPartition, offset: int) -> int:
        """
        See `IngestLedger.count_start`.
        """
        key = self._key(keys.starts(partition.topic, partition.partition))
        with translated("counting a start"):
            known = self._scripts.client.hget(key, "offset")
            if known is None or int(known) != offset:
                self._scripts.client.delete(key)
                self._scripts.client.hset(key, "offset", offset)
            return int(self._scripts.client.hincrby(key, "count", 1))

    def _key(self, name: str) -> str:
        return self._scripts.prefix + name


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}:{partition.partition}"


def _position(position: Position) -> tuple[str, int, str]:
    return position.topic_epoch, position.offset, position.cursor


def content_of(batch: IngestBatch) -> list[str | bytes | int]:
    """
    What the ingest script writes besides the position, as its arguments.
    """
    counts = (batch.record_count, batch.event_count, batch.unmatched_count, batch.unknown_source_count)
    return [*counts, *arguments_of(batch.events, batch.deliveries, batch.quarantine, batch.ignored)]


def arguments_of(
    events: Sequence[NewEvent],
    deliveries: Sequence[NewDelivery],
    quarantine: Sequence[QuarantineEntry] = (),
    ignored: Mapping[str, int] | None = None,
) -> list[str | bytes | int]:
    """
    The last of these arguments, behind the counts.
    """
    kinds = ignored or {}
    arguments: list[str | bytes | int] = [len(events), len(deliveries), len(quarantine), len(kinds)]
    for event in events:
        arguments += (event.event_id, event.payload, event.record, event.recorded_at_ms, int(event.is_journaled))
        arguments.append(event.traceparent)
    for delivery in deliveries:
        arguments += (
            delivery.delivery_id,
            delivery.subscription_id,
            delivery.event_index + 1,
            encode_shape(delivery.shape),
            delivery.parked_as,
            int(delivery.is_urgent),
        )
    for entry in quarantine:
        arguments += (entry.entry_id, _document(entry), entry.value)
    for kind, count in kinds.items():
        arguments += (kind, count)
    return arguments


def _document(entry: QuarantineEntry) -> str:
    return json.dumps(
        {
            "record": entry.record,
            "recorded_at_ms": entry.recorded_at_ms,
            "reason": entry.reason,
            "detail": entry.detail,
            "size": len(entry.value),
        }
    )
