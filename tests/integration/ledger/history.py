"""
What happened in the world around the ledger, and what the ledger therefore owes: kept apart from it, to judge it by.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from odim_relay.domain.event import Event, EventFormat, EventRecord, Shape
from odim_relay.domain.identity import delivery_id, event_id
from odim_relay.domain.subscription import Subscription
from odim_relay.formats import Decoded, Ignored, Undecodable
from odim_relay.ports import IngestBatch, Position, Record, TaskTicket, TopicPartition
from tests.integration.ledger.database import Database

PARTITION = TopicPartition(topic="events", partition=0)
EPOCH = "epoch"
FIRST_OFFSET = 1000
UNREADABLE, NOT_FOR_SUBSCRIBERS = "?", "-"


def decode(value: bytes) -> Decoded:
    """
    The machine's format: events are divided by bars, each letter is an EventRecord of the registry of that name.
    """
    text = value.decode()
    if text.startswith(UNREADABLE):
        return Undecodable(reason="unreadable", detail="it says so")
    if text == NOT_FOR_SUBSCRIBERS:
        return Ignored(kind="said_so")
    return tuple(
        Event(
            format=EventFormat.EVENT,
            payload=f"{text}#{index}".encode(),
            records=tuple(EventRecord(message_id=f"{kind}.Any", registry=kind) for kind in kinds),
        )
        for index, kinds in enumerate(text.split("|"))
    )


class Due(NamedTuple):
    """
    A delivery that a record asks for.
    """

    offset: int
    subscription_id: str
    shape: Shape


@dataclass(slots=True)
class Timeline:
    """
    What rolls back with the ledger when its last writes are lost.

    Attributes:
        owed: delivery id -> subscription id, of every record below the ledger's position.
        completed: what the ledger was told of as answered 2xx.
        claimed: tickets that were good for a claim.
        again: offsets that a reset makes the bridge take in once more.
    """

    owed: dict[str, str] = field(default_factory=dict)
    completed: set[str] = field(default_factory=set)
    claimed: set[tuple[str, int]] = field(default_factory=set)
    again: set[int] = field(default_factory=set)
    delivered_before: int = 0
    left_before: int = 0


@dataclass(slots=True)
class History:
    """
    Attributes:
        log: offset -> text of the partition's records; offsets have gaps, as compaction leaves them.
        answered: delivery id -> 2xx it got.
        excused: what may have been sent twice, because of a lapsed lease, lost writes or a reset.
    """

    log: dict[int, str] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    answered: Counter[str] = field(default_factory=Counter)
    excused: set[str] = field(default_factory=set)

    def records_from(self, offset: int) -> list[Record]:
        return [Record(offset=at, value=text.encode()) for at, text in self.log.items() if at >= offset]

    def wrote(
        self,
        batch: IngestBatch,
        tickets: list[TaskTicket],
        subscriptions: Mapping[str, Subscription],
        before: Database,
    ) -> None:
        """
        Check a batch that the ledger accepted against the log and the subscriptions that stand (L1, L3, L9).
        """
        line = self.timeline
        due = dict(self._deliveries_between(batch.believed, batch.reached, subscriptions))
        assert {delivery.delivery_id: delivery.shape for delivery in batch.deliveries} == {
            id_: one.shape for id_, one in due.items()
        }, "what was written is not what stands between the two positions"
        assert counted(batch) == self._counts_between(batch.believed, batch.reached, subscriptions)
        created = [ticket.delivery_id for ticket in tickets]
        assert created == [it.delivery_id for it in batch.deliveries if it.delivery_id not in before.everything]
        for id_ in created:
            if id_ in line.owed:
                assert due[id_].offset in line.again, f"L9: taken in twice: {id_}"
                self._owe_again(id_)
            line.owed[id_] = due[id_].subscription_id
        line.again -= set(range(batch.believed.offset, batch.reached.offset))

    def _owe_again(self, id_: str) -> None:
        # Its record was taken in once more: the position was reset.
        line = self.timeline
        if id_ in line.completed:
            line.completed.discard(id_)
            line.delivered_before += 1
        else:
            line.left_before += 1
        self._may_come_again(id_)

    def _may_come_again(self, id_: str) -> None:
        self.timeline.claimed = {ticket for ticket in self.timeline.claimed if ticket[0] != id_}
        self.excused.add(id_)

    def _deliveries_between(
        self, believed: Position, reached: Position, subscriptions: Mapping[str, Subscription]
    ) -> Iterator[tuple[str, Due]]:
        for offset, text in self.log.items():
            if not believed.offset <= offset <= reached.offset or text[0] in {UNREADABLE, NOT_FOR_SUBSCRIBERS}:
                continue
            for index, kinds in enumerate(text.split("|")):
                for id_, subscription in sorted(subscriptions.items()):
                    wanted = tuple(
                        at for at, kind in enumerate(kinds) if kind in subscription.filters.registry_prefixes
                    )
                    cursor = f"{index:06}/{id_}"
                    is_before = offset == believed.offset and cursor <= believed.cursor
                    is_behind = offset == reached.offset and cursor > reached.cursor
                    if wanted and not is_before and not is_behind:
                        name = event_id(EPOCH, PARTITION.topic, PARTITION.partition, offset, index)
                        shape = Shape(
                            records=None if len(wanted) == len(kinds) else wanted, context=subscription.context
                        )
                        yield delivery_id(name, id_), Due(offset, id_, shape)

    def _counts_between(
        self, believed: Position, reached: Position, subscriptions: Mapping[str, Subscription]
    ) -> dict[str, int]:
        """
        Each record and each event is counted once, however many batches it takes.
        """
        wanted = {kind for subscription in subscriptions.values() for kind in subscription.filters.registry_prefixes}
        counts = dict.fromkeys(("records", "events", "unmatched", "ignored"), 0)
        for offset, text in self.log.items():
            if not believed.offset <= offset <= reached.offset:
                continue
            first = index_behind(believed.cursor) if offset == believed.offset else 0
            end = index_behind(reached.cursor) if offset == reached.offset else len(text)
            is_new = first == 0 and end > 0
            counts["records"] += is_new
            if text[0] in {UNREADABLE, NOT_FOR_SUBSCRIBERS}:
                counts["ignored"] += is_new and text == NOT_FOR_SUBSCRIBERS
                continue
            kinds = text.split("|")
            counts["events"] += is_new * len(kinds)
            counts["unmatched"] += sum(not wanted & set(one) for one in kinds[first:end])
        return counts

    def claimed(self, ticket: TaskTicket) -> None:
        """
        L5: a ticket is good for one claim.
        """
        key = (ticket.delivery_id, ticket.seq)
        assert key not in self.timeline.claimed, f"claimed twice: {ticket}"
        self.timeline.claimed.add(key)

    def answered_2xx(self, id_: str) -> None:
        """
        L2: without a fault each delivery is answered once.
        """
        self.answered[id_] += 1
        assert self.answered[id_] == 1 or id_ in self.excused, f"answered 2xx twice without a fault: {id_}"

    def completed(self, id_: str, before: Database) -> None:
        """
        L21: whatever its state was. One that had left is told of in vain.
        """
        if id_ in before.everything:
            self.timeline.completed.add(id_)

    def came_back(self, subscription_id: str, database: Database) -> None:
        """
        A deleted subscription was saved again: what left by its deletion is not owed any more.
        """
        line = self.timeline
        for id_ in [id_ for id_, owner in line.owed.items() if owner == subscription_id]:
            if id_ not in database.everything and id_ not in line.completed:
                del line.owed[id_]
                line.left_before += 1
                self._may_come_again(id_)

    def rolled_back(self, timeline: Timeline) -> None:
        # What was taken in, sent and forgotten since then is excused too: it is taken in and sent again.
        self.excused |= self.timeline.owed.keys() | timeline.owed.keys()
        self.timeline = deepcopy(timeline)

    def check(self, database: Database, subscriptions: Mapping[str, Subscription]) -> None:
        """
        L1: what is owed is in the ledger, was answered, or left by a counted rule; and nothing else is in there.
        """
        line = self.timeline
        there = database.everything.keys()
        assert there <= line.owed.keys(), f"nobody owes these: {there - line.owed.keys()}"
        back = there & line.completed
        assert not back, f"completed and still there: {back}"
        left = line.owed.keys() - there - line.completed
        lost = {id_ for id_ in left if line.owed[id_] in subscriptions}
        assert not lost, f"lost: {lost}"
        unsent = {id_ for id_ in line.completed if not self.answered[id_]}
        assert not unsent, f"completed without a 2xx: {unsent}"
        counters = database.counters
        assert counters.get("deliveries:delivered", 0) == len(line.completed) + line.delivered_before
        assert counters.get("deliveries:subscription_deleted", 0) == len(left) + line.left_before


def index_behind(cursor: str) -> int:
    """
    The index of the first event that a position has not reached.
    """
    return int(cursor.partition("/")[0]) + 1 if cursor else 0


def counted(batch: IngestBatch) -> dict[str, int]:
    return {
        "records": batch.record_count,
        "events": batch.event_count,
        "unmatched": batch.unmatched_count,
        "ignored": batch.ignored_count,
    }
