"""
What is in the ledger, for people: read in bounded steps, changes nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.domain.delivery import ParkReason, State
from odim_relay.ports import Backlog, DeliveryRecord, Position, TopicPartition

_STEP = 500


class RedisDeliveryListing:
    """
    `DeliveryListing` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._client = scripts.client
        self._prefix = scripts.prefix

    def parked(self, subscription_ids: Iterable[str] | None = None) -> Iterator[DeliveryRecord]:
        """
        See `DeliveryListing.parked`.
        """
        for subscription_id in self._all_subscriptions() if subscription_ids is None else subscription_ids:
            for index in (keys.parked(subscription_id), keys.by_hand(subscription_id)):
                yield from self._walk(index)

    def delivery(self, delivery_id: str) -> DeliveryRecord | None:
        """
        See `DeliveryListing.delivery`.
        """
        with translated("reading a delivery"):
            pipe = self._client.pipeline(transaction=True)
            pipe.hgetall(self._key(keys.delivery(delivery_id)))
            pipe.hget(self._key(keys.DEAD_LETTERS), delivery_id)
            fields, document = pipe.execute()
        if document is not None:
            found = json.loads(document)
        elif fields:
            found = {text(name): text(value) for name, value in fields.items()}
        else:
            return None
        return self._with_records([(delivery_id, found)])[0]

    def payload(self, event_id: str) -> bytes | None:
        """
        See `DeliveryListing.payload`.
        """
        with translated("reading an event"):
            return self._client.hget(self._key(keys.body(event_id)), "payload")  # type: ignore[return-value]

    def backlogs(self) -> Sequence[Backlog]:
        """
        See `DeliveryListing.backlogs`.
        """
        groups: dict[tuple[str, str], tuple[int, int, dict[str, Any]]] = {}
        for document in self._documents():
            group = (document["subscription"], document["reason"])
            count, oldest, first = groups.get(group, (0, int(document["number"]), document))
            if int(document["number"]) < oldest:
                oldest, first = int(document["number"]), document
            groups[group] = (count + 1, oldest, first)
        ordered = sorted(groups.items())
        firsts = self._with_records([("", first) for _, (_, _, first) in ordered])
        return [
            Backlog(
                subscription_id=subscription_id,
                reason=ParkReason(reason),
                count=count,
                oldest_at_ms=first.recorded_at_ms or first.parked_at_ms,
            )
            for ((subscription_id, reason), (count, _, _)), first in zip(ordered, firsts, strict=True)
        ]

    def _all_subscriptions(self) -> list[str]:
        with translated("listing subscriptions"):
            pipe = self._client.pipeline(transaction=True)
            pipe.hkeys(self._key(keys.SUBSCRIPTIONS))
            pipe.zrange(self._key(keys.DELETED), 0, -1)
            living, deleted = pipe.execute()
        return sorted({text(id_) for id_ in (*living, *deleted)})

    def _walk(self, index: str) -> Iterator[DeliveryRecord]:
        after = "-inf"
        while True:
            with translated("listing parked deliveries"):
                # By score, not by rank: numbers are unique, and ranks shift when others leave.
                page: Any = self._client.zrangebyscore(
                    self._key(index), after, "+inf", start=0, num=_STEP, withscores=True
                )
                if not page:
                    return
                documents = self._client.hmget(self._key(keys.DEAD_LETTERS), [id_ for id_, _ in page])
            # One that left between the two calls has no document any more.
            found = [
                (text(id_), json.loads(document))
                for (id_, _), document in zip(page, documents, strict=True)
                if document is not None
            ]
            yield from self._with_records(found)
            after = f"({page[-1][1]:.0f}"

    def _documents(self) -> Iterator[dict[str, Any]]:
        cursor = 0
        while True:
            with translated("counting dead letters"):
                reply: Any = self._client.hscan(self._key(keys.DEAD_LETTERS), cursor, count=_STEP)
            cursor, page = reply
            for document in page.values():
                yield json.loads(document)
            if not cursor:
                return

    def _with_records(self, found: Sequence[tuple[str, dict[str, Any]]]) -> list[DeliveryRecord]:
        """
        Join each delivery with what its event's body tells of the Kafka record.
        """
        with translated("reading what events came from"):
            pipe = self._client.pipeline(transaction=False)
            for _, fields in found:
                pipe.hmget(self._key(keys.body(fields["event"])), ["record", "recorded_at_ms"])
            origins = pipe.execute()
        return [
            _delivery(delivery_id, fields, text(record), int(recorded_at_ms or 0))
            for (delivery_id, fields), (record, recorded_at_ms) in zip(found, origins, strict=True)
        ]

    def _key(self, name: str) -> str:
        return self._prefix + name


class RedisLedgerFigures:
    """
    `LedgerFigures` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._client = scripts.client
        self._prefix = scripts.prefix

    def now_ms(self) -> int:
        """
        See `LedgerFigures.now_ms`.
        """
        with translated("reading the clock"):
            seconds, microseconds = self._client.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    def counters(self) -> Mapping[str, int]:
        """
        See `LedgerFigures.counters`.
        """
        with translated("reading the counters"):
            fields: Any = self._client.hgetall(self._prefix + keys.COUNTERS)
        return {text(name): int(value) for name, value in sorted(fields.items())}

    def positions(self) -> Mapping[TopicPartition, Position]:
        """
        See `LedgerFigures.positions`.
        """
        with translated("reading the positions"):
            names = sorted(text(name) for name in self._client.smembers(self._prefix + keys.PARTITIONS))
            pipe = self._client.pipeline(transaction=False)
            for name in names:
                pipe.hmget(f"{self._prefix}{keys.POSITION}{name}", ["topic_epoch", "offset", "cursor"])
            stored = pipe.execute()
        return {
            _partition(name): Position(topic_epoch=text(epoch), offset=int(offset), cursor=text(cursor))
            for name, (epoch, offset, cursor) in zip(names, stored, strict=True)
            if offset is not None
        }

    def active_count(self) -> int:
        """
        See `LedgerFigures.active_count`.
        """
        with translated("counting deliveries"):
            return int(self._client.zcard(self._prefix + keys.DEADLINES))


def _partition(name: str) -> TopicPartition:
    topic, _, number = name.rpartition(":")
    return TopicPartition(topic=topic, partition=int(number))


def _delivery(delivery_id: str, fields: Mapping[str, Any], record: str, recorded_at_ms: int) -> DeliveryRecord:
    state = State(fields["state"])
    reason = fields.get("reason")
    # A due time of an earlier retry stays in the record while it is queued or sent again.
    due = fields.get("due_ms") if state in {State.RETRYING, State.PARKED} else None
    return DeliveryRecord(
        delivery_id=delivery_id,
        subscription_id=fields["subscription"],
        event_id=fields["event"],
        state=state,
        attempts=int(fields.get("attempts", 0)),
        due_at_ms=None if due in {None, ""} else int(due),
        record=record or fields.get("record", ""),
        recorded_at_ms=recorded_at_ms,
        reason=None if reason is None else ParkReason(reason),
        parked_at_ms=int(fields.get("parked_at_ms", 0)),
        last=json.loads(fields["last"]) if fields.get("last") else {},
    )
