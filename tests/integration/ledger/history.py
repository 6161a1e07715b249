"""
What happened in the world around the ledger, and what the ledger therefore owes: kept apart from it, to judge it by.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from odim_relay.domain.delivery import State
from odim_relay.domain.event import Event, EventFormat, EventRecord, Shape
from odim_relay.domain.identity import delivery_id, event_id
from odim_relay.domain.subscription import Mode, Subscription
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
            records=tuple(
                EventRecord(message_id=f"{kind}.Any", registry=kind, severity="Critical" if kind == "C" else "")
                for kind in kinds
            ),
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
        taken: deliveries that were ever created.
        claimed: tickets that were good for a claim.
        again: offsets that a reset makes the bridge take in once more.
        ordered_from: subscription id -> the first ingest number that is sent in order.
    """

    taken: set[str] = field(default_factory=set)
    claimed: set[tuple[str, int]] = field(default_factory=set)
    again: set[int] = field(default_factory=set)
    ordered_from: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class History:
    """
    Attributes:
        log: offset -> text of the partition's records; offsets have gaps, as compaction leaves them.
        answered: delivery id -> 2xx it got.
        excused: what may have been sent twice, because of a lapsed lease, lost writes or a reset.
        out_of_turn: what may be sent later than its turn: a person sends it, or it left, or writes were lost.
        newest: subscription id -> the highest number of what was answered in its turn.
    """

    log: dict[int, str] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    answered: Counter[str] = field(default_factory=Counter)
    excused: set[str] = field(default_factory=set)
    out_of_turn: set[str] = field(default_factory=set)
    newest: Counter[str] = field(default_factory=Counter)

    def records_from(self, offset: int) -> list[Record]:
        return [
            # Some belong to a trace, some do not.
            Record(offset=at, value=text.encode(), traceparent=f"trace of {at}" if at % 2 else "")
            for at, text in self.log.items()
            if at >= offset
        ]

    def wrote(
        self,
        batch: IngestBatch,
        subscriptions: Mapping[str, Subscription],
        created: AbstractSet[str],
        *,
        keeps_journal: bool,
    ) -> None:
        """
        Check a batch that the ledger accepted against the log and the subscriptions that stand (L1, L3, L9).

        Args:
            created: those of its deliveries that the ledger had not.
        """
        line = self.timeline
        due = dict(self._deliveries_between(batch.believed, batch.reached, subscriptions))
        assert {delivery.delivery_id: delivery.shape for delivery in batch.deliveries} == {
            id_: one.shape for id_, one in due.items()
        }, "what was written is not what stands between the two positions"
        assert counted(batch) == self._counts_between(batch.believed, batch.reached, subscriptions)
        journaled = [event.event_id for event in batch.events if event.is_journaled]
        assert journaled == (self._events_between(batch.believed, batch.reached) if keeps_journal else [])
        for id_ in created & line.taken:
            assert due[id_].offset in line.again, f"L9: taken in twice: {id_}"
            line.claimed = {ticket for ticket in line.claimed if ticket[0] != id_}
            self.excused.add(id_)
            self.out_of_turn.add(id_)
        line.taken |= created
        line.again -= set(range(batch.believed.offset, batch.reached.offset))

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

    def _events_between(self, believed: Position, reached: Position) -> list[str]:
        """
        The names of all events, wanted or not, each in one batch only.
        """
        found = []
        for offset, text in self.log.items():
            if not believed.offset <= offset <= reached.offset or text[0] in {UNREADABLE, NOT_FOR_SUBSCRIBERS}:
                continue
            first = index_behind(believed.cursor) if offset == believed.offset else 0
            end = index_behind(reached.cursor) if offset == reached.offset else len(text.split("|"))
            found += [event_id(EPOCH, PARTITION.topic, PARTITION.partition, offset, at) for at in range(first, end)]
        return found

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

    def answered_2xx(self, id_: str, database: Database) -> None:
        """
        L2: without a fault each delivery is answered once. L33: those of an ordered subscription in their order.
        """
        self.answered[id_] += 1
        assert self.answered[id_] == 1 or id_ in self.excused, f"answered 2xx twice without a fault: {id_}"
        delivery = database.everything.get(id_)
        if delivery is None or self.answered[id_] > 1 or id_ in self.out_of_turn:
            return
        owner, number = delivery["subscription"], int(delivery["number"])
        if number >= self.timeline.ordered_from.get(owner, sys.maxsize):
            assert number > self.newest[owner], f"L33: {number} of {owner} was answered after {self.newest[owner]}"
            self.newest[owner] = number

    def saved(self, subscription: Subscription, database: Database, *, was_ordered: bool) -> None:
        """
        From when on a subscription is sent in order.
        """
        if subscription.mode is not Mode.ORDERED:
            self.timeline.ordered_from.pop(subscription.subscription_id, None)
        elif not was_ordered:
            self.timeline.ordered_from[subscription.subscription_id] = int(database.get("tickets", "0")) + 1

    def saw(self, before: Database, after: Database, now_ms: int) -> None:
        """
        Keep who may be sent twice or late from here on.
        """
        self.excused |= {
            id_
            for id_, delivery in after.deliveries.items()
            if delivery["state"] == State.SENDING and after.deadlines[id_] <= now_ms
        }
        self.out_of_turn |= before.everything.keys() - after.everything.keys()
        self.out_of_turn |= {id_ for id_, letter in after.dead_letters.items() if letter["index"] == "by_hand"}
        self.check_order(after)

    def check_order(self, database: Database) -> None:
        """
        L33: of an ordered subscription one is under way, with its passengers.
        """
        under_way: Counter[str] = Counter()
        for delivery in database.deliveries.values():
            owner = delivery["subscription"]
            first = self.timeline.ordered_from.get(owner, sys.maxsize)
            leads = "leader" not in delivery
            under_way[owner] += leads and owner in database.subscriptions and int(delivery["number"]) >= first
        assert all(count <= 1 for count in under_way.values()), f"L33: more than one under way: {under_way}"

    def rolled_back(self, timeline: Timeline) -> None:
        # What was taken in, sent and forgotten since then is excused: it is taken in and sent again.
        self.excused |= self.timeline.taken | timeline.taken
        self.out_of_turn |= self.timeline.taken | timeline.taken
        self.newest.clear()
        self.timeline = deepcopy(timeline)


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
        "ignored": sum(batch.ignored.values()),
    }
