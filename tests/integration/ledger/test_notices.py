"""
Changes that people want to hear of stand in the outbox from the operation on that makes them, each once.
"""

from collections.abc import Sequence

import pytest

from odim_relay.adapters.redis.announcing import RedisAnnouncingLedger
from odim_relay.adapters.redis.outbox import RedisNoticeOutbox
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.event import WHOLE
from odim_relay.domain.notices import Change
from odim_relay.domain.subscription import RetryPolicy
from odim_relay.errors import TransientError
from odim_relay.ports import (
    IngestBatch,
    NewDelivery,
    NewEvent,
    Position,
    QuarantineEntry,
    SuspendedBy,
    Telling,
    TellRefusal,
)
from tests.fakes.samples import PARTITION, START
from tests.integration.ledger.bench import Bench

pytestmark = pytest.mark.server

EVENT = NewEvent(event_id="told", payload=b"told", record="", recorded_at_ms=1_000)
TO_R = NewDelivery(delivery_id="to-r", subscription_id="r", event_index=0, shape=WHOLE)


def outbox(bench: Bench) -> RedisNoticeOutbox:
    return RedisNoticeOutbox(bench.scripts)


def changes(bench: Bench) -> list[tuple[str, str, str]]:
    return [(str(one.kind), one.subject, one.detail) for one in outbox(bench).pending()]


def quarantine(bench: Bench, *offsets: int) -> list[str]:
    """
    Records that come one by one; tells how many there were each time that it was a change.
    """
    before = {one.number for one in outbox(bench).pending()}
    for offset in offsets:
        position = bench.ingest.position(PARTITION) or START
        if position == START:
            bench.ingest.set_position(PARTITION, None, START)
        entry = QuarantineEntry(
            entry_id=f"q{offset}", record=f"t/0/{offset}", recorded_at_ms=1, reason="r", detail="", value=b"{"
        )
        written = bench.ingest.ingest(
            IngestBatch(
                partition=PARTITION,
                believed=position,
                reached=Position(topic_epoch=position.topic_epoch, offset=position.offset + 1),
                generation=bench.store.generation(),
                events=(),
                deliveries=(),
                quarantine=[entry],
                record_count=1,
            )
        )
        assert written == []
    return [one.detail for one in outbox(bench).pending() if one.number not in before]


def suspended(bench: Bench, *ids: str) -> Sequence[Change]:
    for id_ in ids:
        bench.subscribe(id_)
        bench.backlog.suspend(id_, SuspendedBy.HAND)
    return outbox(bench).pending()


def test_a_breaker_that_opens_and_closes_is_two_changes(bench: Bench) -> None:
    bench = bench.under(breaker_failures=2)
    destination = bench.subscribe()
    tickets = bench.fill(4)
    late = bench.claim(tickets[3])
    for ticket in tickets[:3]:
        if bench.breaker(destination)["state"] == "closed":
            bench.fail(ticket)
    assert changes(bench) == [("breaker_opened", destination, "")]

    bench.deliveries.complete(late)
    bench.move(30)
    (probe, *_) = bench.replay()
    bench.fail(probe)
    bench.move(61)
    (probe, *_) = bench.replay()
    bench.succeed(probe)

    assert changes(bench) == [("breaker_opened", destination, ""), ("breaker_closed", destination, "")]
    first, second = outbox(bench).pending()
    assert second.noted_at_ms - first.noted_at_ms == 91_000
    assert second.number == first.number + 1


def test_what_its_policy_does_to_a_subscription_is_a_change(bench: Bench) -> None:
    for policy, kind, detail in (
        (RetryPolicy.SUSPEND, "suspended", "attempts_used_up"),
        (RetryPolicy.TERMINATE, "terminated", ""),
    ):
        strict = bench.under(retries=0, failure_spacing_ms=1)
        strict.subscribe(kind, retry_policy=policy)
        (ticket,) = strict.fill(1, subscription_id=kind)
        strict.fail(ticket)
        assert changes(bench)[-1] == (kind, kind, detail)
        bench.client.flushall()


def test_what_leaves_unsent_is_a_change_until_its_subscriber_is_told(bench: Bench) -> None:
    bench.subscribe()
    bench.backlog.suspend("s", SuspendedBy.HAND)
    bench.under(quota_count=1).fill(5)
    assert changes(bench)[1:] == [("buffer_exceeded", "s", "over_quota")]

    resumed = bench.backlog.resume("s", None)
    assert resumed is not None
    (ticket,) = resumed.aftermath.tickets
    claim = bench.claim(ticket)
    assert claim.lost_count == 4
    bench.deliveries.told(claim)
    bench.deliveries.complete(claim)
    bench.backlog.suspend("s", SuspendedBy.HAND)
    bench.fill(2)
    bench.move(bench.rules.retention_ms / 1000 + 1)
    bench.backlog.expire(0)

    assert [one for one in changes(bench) if one[0] == "buffer_exceeded"] == [
        ("buffer_exceeded", "s", "over_quota"),
        ("buffer_exceeded", "s", "expired"),
    ]


def test_what_a_person_discards_is_none(bench: Bench) -> None:
    bench.subscribe()
    (ticket,) = bench.fill(1)
    bench.park([ticket], ParkReason.REJECTED)
    bench.backlog.discard([ticket.delivery_id])

    assert changes(bench) == []


def test_a_quarantine_that_grows_is_a_change_each_time_that_it_is_twice_as_large(bench: Bench) -> None:
    assert quarantine(bench, *range(20)) == ["1", "2", "4", "8", "16"]
    assert quarantine(bench, 19) == [], "the same record once more"


def test_a_quarantine_that_was_emptied_or_quiet_is_a_change_when_the_next_one_comes(bench: Bench) -> None:
    quarantine(bench, *range(5))
    bench.scripts.run("discard_quarantined", *[f"q{number}" for number in range(3)])
    assert quarantine(bench, 5) == []
    assert quarantine(bench, 6) == ["4"], "twice the two that were left"
    bench.move(bench.rules.quiet_ms / 1000 - 1)
    assert quarantine(bench, 7) == []
    bench.move(bench.rules.quiet_ms / 1000)
    assert quarantine(bench, 8) == ["6"]
    bench.scripts.run("discard_quarantined", *[f"q{number}" for number in range(9)])
    assert quarantine(bench, 9) == ["1"]


def test_of_very_many_the_oldest_leave_counted(bench: Bench) -> None:
    suspended(bench.under(notices_most=3), *"abcde")

    assert [subject for _, subject, _ in changes(bench)] == ["c", "d", "e"]
    assert bench.client.zcard("bench:notices:order") == 3
    assert bench.database.counters["discarded:notices_over_quota"] == 2


def test_a_change_that_the_ledger_has_no_room_to_tell_stays(bench: Bench) -> None:
    bench.subscribe("r")
    (change,) = suspended(bench, "a")
    bench.fill(1)
    full = RedisAnnouncingLedger(bench.under(max_bytes=0, backlog_bytes=0).scripts)

    with pytest.raises(TransientError):
        full.tell(EVENT, [TO_R], bench.store.generation(), Telling(change=change))

    assert list(outbox(bench).pending()) == [change]


def test_a_spell_begins_with_the_first_that_is_told_and_ends_by_itself(bench: Bench) -> None:
    bench.subscribe("r")
    announcing = RedisAnnouncingLedger(bench.scripts)
    (change,) = suspended(bench, "a")
    announcing.tell(EVENT, [TO_R], bench.store.generation(), Telling(change=change))
    key = f"bench:notices:told:{change.topic}"
    assert 0 < bench.client.pttl(key) <= 600_000
    bench.client.pexpire(key, 1_000)
    bench.backlog.resume("a", None)
    (other,) = outbox(bench).pending()

    announcing.tell(EVENT, [], bench.store.generation(), Telling(change=other))

    assert list(outbox(bench).told_lately([change.topic])) == [2]
    assert bench.client.pttl(key) <= 1_000
    assert announcing.tell(EVENT, [TO_R], bench.store.generation(), Telling(change=other)) is TellRefusal.TOLD
