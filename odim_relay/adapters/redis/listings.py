"""
What is in the ledger, for people: read in bounded steps, changes nothing.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from operator import attrgetter
from typing import Any, TypeAlias

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.adapters.redis.rules import LETTER_VERSION, LIVE
from odim_relay.domain.delivery import State
from odim_relay.ports import Backlog, DeliveryRecord, Index, LedgerSizes, Position, TopicPartition

_STEP = 500

_Rank: TypeAlias = tuple[str, str, str]
"""
A sorted set, and from which score to which: its letters in the order of their numbers.
"""


class RedisDeliveryListing:
    """
    `DeliveryListing` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._client = scripts.client
        self._prefix = scripts.prefix

    def parked(self, subscription_ids: Iterable[str] | None = None) -> Iterator[DeliveryRecord]:
        """
        See `DeliveryListing.parked`.
        """
        for subscription_id in self._all_subscriptions() if subscription_ids is None else subscription_ids:
            yield from merge(*map(self._walk, _ranks(subscription_id)), key=attrgetter("number"))

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

    def backlogs(self, subscription_ids: Iterable[str] | None = None) -> Sequence[Backlog]:
        """
        See `DeliveryListing.backlogs`.
        """
        ids = self._with_parked() if subscription_ids is None else sorted(set(subscription_ids))
        found: list[Backlog] = []
        for start in range(0, len(ids), _STEP):
            found += self._backlogs(ids[start : start + _STEP])
        return found

    def _backlogs(self, ids: Sequence[str]) -> Iterator[Backlog]:
        replies = iter(self._scripts.run("heads", *ids))
        for id_ in ids:
            counts, letter = next(replies), next(replies)
            first = _first(*letter) if letter else None
            oldest_at_ms = 0 if first is None else first.recorded_at_ms or first.parked_at_ms
            last = {} if first is None else first.last
            pairs = zip(map(text, counts[::2]), map(int, counts[1::2]), strict=True)
            for reason, count in sorted(pairs):
                yield Backlog(subscription_id=id_, reason=reason, count=count, oldest_at_ms=oldest_at_ms, last=last)

    def _with_parked(self) -> list[str]:
        with translated("listing backlogs"):
            ids: Any = self._client.zrange(self._key(keys.BACKLOGS), 0, -1)
        return sorted(map(text, ids))

    def _all_subscriptions(self) -> list[str]:
        with translated("listing subscriptions"):
            pipe = self._client.pipeline(transaction=True)
            pipe.hkeys(self._key(keys.SUBSCRIPTIONS))
            pipe.zrange(self._key(keys.DELETED), 0, -1)
            living, deleted = pipe.execute()
        return sorted({text(id_) for id_ in (*living, *deleted)})

    def _walk(self, rank: _Rank) -> Iterator[DeliveryRecord]:
        index, after, last = rank
        while True:
            with translated("listing parked deliveries"):
                # By score, not by rank: numbers are unique, and ranks shift when others leave.
                page: Any = self._client.zrangebyscore(
                    self._key(index), after, last, start=0, num=_STEP, withscores=True
                )
                if not page:
                    return
            # One that left between the two calls is not told.
            yield from self._letters([text(id_) for id_, _ in page]).values()
            after = f"({page[-1][1]:.0f}"

    def _letters(self, ids: Sequence[str]) -> dict[str, DeliveryRecord]:
        """
        Those of them that are parked, in this order.
        """
        if not ids:
            return {}
        with translated("reading dead letters"):
            documents = self._client.hmget(self._key(keys.DEAD_LETTERS), list(ids))
        found = [
            (id_, json.loads(document)) for id_, document in zip(ids, documents, strict=True) if document is not None
        ]
        return {record.delivery_id: record for record in self._with_records(found)}

    def _with_records(self, found: Sequence[tuple[str, dict[str, Any]]]) -> list[DeliveryRecord]:
        """
        Join each delivery with what its event's body tells of the Kafka record.
        """
        with translated("reading what events came from"):
            pipe = self._client.pipeline(transaction=False)
            for _, fields in found:
                pipe.hmget(self._key(keys.body(fields.get("event", ""))), ["record", "recorded_at_ms"])
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
        self._rules = scripts.rules

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

    def parked_counts(self) -> Mapping[str, int]:
        """
        See `LedgerFigures.parked_counts`.
        """
        totals: Counter[str] = Counter()
        with translated("counting what is parked"):
            ids: Any = self._client.zrange(self._prefix + keys.BACKLOGS, 0, -1)
            for start in range(0, len(ids), _STEP):
                pipe = self._client.pipeline(transaction=False)
                for id_ in ids[start : start + _STEP]:
                    pipe.hgetall(self._prefix + keys.parked_counts(text(id_)))
                for counts in pipe.execute():
                    totals.update({text(reason): int(count) for reason, count in counts.items()})
        return dict(totals)

    def active_count(self) -> int:
        """
        See `LedgerFigures.active_count`.
        """
        with translated("counting deliveries"):
            return int(self._client.zcard(self._prefix + keys.DEADLINES))

    def measures(self) -> Mapping[str, int]:
        """
        See `LedgerFigures.measures`.
        """
        with translated("reading what was measured"):
            fields: Any = self._client.hgetall(self._prefix + keys.MEASURES)
        return {text(name): int(value) for name, value in fields.items()}

    def sizes(self) -> LedgerSizes:
        """
        See `LedgerFigures.sizes`.
        """
        with translated("reading how much is kept"):
            pipe = self._client.pipeline(transaction=False)
            pipe.get(self._prefix + keys.BYTES)
            pipe.zcard(self._prefix + keys.DEADLINES)
            pipe.hlen(self._prefix + keys.DEAD_LETTERS)
            pipe.hlen(self._prefix + keys.QUARANTINE)
            pipe.get(self._prefix + keys.QUARANTINE_BYTES)
            pipe.exists(self._prefix + keys.turn("beat"))
            payloads, active, letters, quarantined, quarantine_bytes, beat = pipe.execute()
        return LedgerSizes(
            held_bytes=int(payloads or 0) + self._rules.overhead_bytes * (active + letters),
            max_bytes=self._rules.max_bytes,
            quarantine_count=quarantined,
            quarantine_bytes=int(quarantine_bytes or 0),
            has_beat=bool(beat),
        )


def _partition(name: str) -> TopicPartition:
    topic, _, number = name.rpartition(":")
    return TopicPartition(topic=topic, partition=int(number))


def _ranks(subscription_id: str) -> tuple[_Rank, ...]:
    ready = keys.parked(subscription_id)
    others = (keys.delayed(subscription_id), keys.by_hand(subscription_id))
    ahead = ((ready, "-inf", f"(-{LIVE}"), (ready, f"-{LIVE}", "(0"))
    return *ahead, (ready, "0", "+inf"), *((index, "-inf", "+inf") for index in others)


def _first(id_: bytes, document: bytes, record: bytes, recorded_at_ms: bytes) -> DeliveryRecord:
    return _delivery(text(id_), json.loads(document), text(record), int(recorded_at_ms or 0))


def _delivery(delivery_id: str, fields: Mapping[str, Any], record: str, recorded_at_ms: int) -> DeliveryRecord:
    version = int(fields.get("version", 1))
    if version > LETTER_VERSION:
        return _newer(delivery_id, fields)
    state = State(fields["state"])
    # A due time of an earlier retry stays in the record while it is queued or sent again.
    due = fields.get("due_ms") if state in {State.RETRYING, State.PARKED} else None
    return DeliveryRecord(
        delivery_id=delivery_id,
        subscription_id=fields["subscription"],
        event_id=fields["event"],
        state=state,
        attempts=int(fields.get("attempts", 0)),
        number=int(fields.get("number", 0)),
        due_at_ms=None if due in {None, ""} else int(due),
        record=record or fields.get("record", ""),
        recorded_at_ms=recorded_at_ms,
        reason=fields.get("reason"),
        index=Index(fields["index"]) if "index" in fields else None,
        parked_at_ms=int(fields.get("parked_at_ms", 0)),
        is_replay=fields.get("replay") == "1",
        exhausted_count=int(fields.get("replays", 0)),
        last=json.loads(fields["last"]) if fields.get("last") else {},
    )


def _newer(delivery_id: str, fields: Mapping[str, Any]) -> DeliveryRecord:
    """
    What can be told of a letter whose form nobody here knows.
    """
    numbers = {
        name: int(value) for name in ("number", "parked_at_ms") if str(value := fields.get(name, "")).isdecimal()
    }
    return DeliveryRecord(
        delivery_id=delivery_id,
        subscription_id=str(fields.get("subscription", "")),
        event_id=str(fields.get("event", "")),
        state=State.PARKED,
        attempts=0,
        number=numbers.get("number", 0),
        reason=str(fields.get("reason", "")) or None,
        parked_at_ms=numbers.get("parked_at_ms", 0),
        is_newer=True,
    )
