"""
What is parked: quota and retention (L15), what people do with it, and what no rule foresees.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.subscription import Mode
from odim_relay.errors import TransientError
from odim_relay.ports import Claim, SuspendedBy, TaskTicket
from tests.fakes.samples import PARTITION, START, batch
from tests.integration.ledger.bench import PREFIX, Bench, last

pytestmark = pytest.mark.server

RETENTION_S = 604_800.0


def collect(bench: Bench, count: int, subscription_id: str = "s", payload: bytes = b"payload") -> None:
    """
    Take in events for a subscription that is suspended.
    """
    bench.subscribe(subscription_id)
    bench.backlog.suspend(subscription_id, SuspendedBy.HAND)
    assert bench.fill(count, subscription_id=subscription_id, payload=payload) == []


def rejected(bench: Bench, count: int = 1) -> list[str]:
    """
    Deliveries that only a person sends again.
    """
    tickets = bench.fill(count)
    bench.park(tickets, ParkReason.REJECTED)
    return [ticket.delivery_id for ticket in tickets]


def test_l15_over_its_count_the_oldest_of_a_subscription_leave(bench: Bench) -> None:
    bench = bench.under(quota_count=3)

    collect(bench, 5)

    assert list(bench.database.under("parked:")["s"]) == ["d-0-00002", "d-0-00003", "d-0-00004"]
    assert bench.database.counters["deliveries:over_quota"] == 2
    assert bench.database.flows["s"]["lost"] == "2"


def test_l15_over_its_bytes_the_oldest_of_a_subscription_leave(bench: Bench) -> None:
    bench = bench.under(quota_bytes=5_000, overhead_bytes=1_000)

    collect(bench, 4, payload=b"x" * 1_000)

    assert list(bench.database.under("parked:")["s"]) == ["d-0-00002", "d-0-00003"]


def test_l15_of_all_its_indexes_the_oldest_leaves(bench: Bench) -> None:
    bench = bench.under(quota_count=2)
    (poison,) = rejected(bench)
    bench.fail(bench.fill(1)[0], wait_s=5_000)
    bench.backlog.suspend("s", SuspendedBy.HAND)

    bench.fill(1)

    assert poison not in bench.database.everything
    assert len(bench.database.letters_of("s")) == 2


def test_l15_what_an_outage_parks_keeps_the_quota_too(bench: Bench) -> None:
    bench = bench.under(quota_count=2, breaker_failures=1)
    first, *others = bench.fill(5)
    bench.fail(first)
    for ticket in others:
        bench.refusal(ticket)

    assert list(bench.database.under("parked:")["s"]) == ["d-0-00003", "d-0-00004"]


def test_l15_the_subscriber_is_told_once_of_what_it_lost(bench: Bench) -> None:
    bench = bench.under(quota_count=3)
    collect(bench, 5)
    resumed = bench.backlog.resume("s", None)
    assert resumed is not None
    claim = bench.claim(resumed.aftermath.tickets[0])
    assert claim.lost_count == 2
    bench.client.hincrby(f"{PREFIX}flow:s", "lost", 1)  # one more meanwhile

    bench.deliveries.told(claim)

    assert bench.database.flows["s"]["lost"] == "1"
    (ticket, *_) = bench.deliveries.complete(claim).tickets
    assert bench.claim(ticket).lost_count == 1
    bench.deliveries.told(claim)
    assert "lost" not in bench.database.flows["s"]


def test_l15_one_sender_at_a_time_tells_of_what_was_lost_and_its_failure_hands_that_on(bench: Bench) -> None:
    bench = bench.under(quota_count=3)
    collect(bench, 5)
    resumed = bench.backlog.resume("s", None)
    assert resumed is not None
    bench.client.hdel(f"{PREFIX}flow:s", "allowance")  # as if it had recovered long ago
    first, second, third = (*resumed.aftermath.tickets, *bench.backlog.wake("s").tickets)

    claims = [bench.claim(first), bench.claim(second)]
    assert [claim.lost_count for claim in claims] == [2, 0]
    bench.deliveries.retry(claims[0], 15, last())

    assert bench.claim(third).lost_count == 2


def test_l15_over_what_all_may_hold_the_oldest_of_the_largest_leave(bench: Bench) -> None:
    collect(bench, 2, "small")
    collect(bench, 5, "large")
    bench = bench.under(backlog_bytes=6_000)

    bench.fill(1, subscription_id="healthy")

    assert bench.states("small") == {"suspended": 2}
    assert list(bench.database.under("parked:")["large"]) == [f"d-0-0000{at}" for at in (4, 5, 6)]
    assert bench.states("healthy") == {"QUEUED": 1}


def test_l15_a_full_ledger_takes_nothing_in_and_forgets_nothing(bench: Bench) -> None:
    bench.fill(5)
    before = bench.database.content

    with pytest.raises(TransientError, match="LEDGER__MAX_BYTES"):
        bench.under(max_bytes=4_000, backlog_bytes=4_000).fill(1)

    assert bench.database.content == before
    assert bench.ingest.position(PARTITION) is not None


def test_s10_what_is_parked_is_kept_for_its_retention_and_then_counted(bench: Bench) -> None:
    collect(bench, 2)
    rejected_ones = bench.under()
    rejected_ones.subscribe("other")
    rejected_ones.park(bench.fill(1, subscription_id="other"), ParkReason.REJECTED)
    bench.move(RETENTION_S / 2)
    bench.fill(1)
    bench.move(RETENTION_S / 2 - 1)
    assert bench.backlog.expire(0)[1] == 0
    bench.move(1)

    cursor, expired, _ = bench.backlog.expire(0)

    assert (cursor, expired) == (0, 3)
    assert bench.states() == {"suspended": 1}
    assert bench.database.counters["deliveries:expired"] == 3
    assert bench.database.flows["s"]["lost"] == "2"
    assert bench.backlog.expire(0)[1] == 0


def test_s10_what_is_too_old_when_its_turn_comes_does_not_go(bench: Bench) -> None:
    bench = bench.under(window=1)
    (first,) = bench.fill(2)
    claim = bench.claim(first)
    bench.move(RETENTION_S)
    bench.store.update("s", lambda it: it)

    assert not bench.deliveries.complete(claim).tickets
    assert bench.database.everything == {}
    assert bench.database.counters["deliveries:expired"] == 1


def test_l32_an_ordered_head_that_expires_or_is_discarded_lets_the_next_go(bench: Bench) -> None:
    bench.subscribe(mode=Mode.ORDERED)
    (first,) = bench.fill(1)
    bench.fail(first, wait_s=RETENTION_S + 50)
    bench.move(100)
    second, third = bench.fill(2), None
    assert second == []
    bench.move(RETENTION_S - 100)

    _, _, aftermath = bench.backlog.expire(0)

    assert [it.delivery_id for it in aftermath.tickets] == ["d-0-00001"]
    bench.fail(aftermath.tickets[0], wait_s=5_000)
    count, aftermath = bench.backlog.discard(["d-0-00001"])
    assert (count, [it.delivery_id for it in aftermath.tickets]) == (1, ["d-0-00002"])
    assert third is None


def test_a_person_sends_again_what_was_rejected_at_once(bench: Bench) -> None:
    bench.subscribe()
    (id_,) = rejected(bench)
    assert bench.replay() == bench.reap() == []

    released, aftermath = bench.backlog.release([id_])

    assert released == 1
    claim = bench.claim(aftermath.tickets[0])
    assert (claim.delivery_id, claim.is_replay, claim.attempt) == (id_, True, 2)


def test_a_person_sends_before_its_time_what_waits_for_one(bench: Bench) -> None:
    bench.subscribe()
    (ticket,) = bench.fill(1)
    bench.fail(ticket, wait_s=86_400)

    assert len(bench.backlog.release([ticket.delivery_id])[1].tickets) == 1


def test_a_person_does_not_wait_for_the_next_probe(bench: Bench) -> None:
    bench = bench.under(breaker_failures=1)
    bench.subscribe()
    failing, other = bench.fill(2)
    bench.fail(failing)
    bench.refusal(other)
    assert bench.replay() == []

    assert len(bench.backlog.release([other.delivery_id])[1].tickets) == 1


def test_l28_two_people_who_replay_the_same_send_each_once(bench: Bench) -> None:
    bench.subscribe()
    ids = rejected(bench, 60)

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(bench.under().backlog.release, ids[at : at + 20]) for at in (0, 0, 20, 20, 40, 40)]
        done = [run.result(30) for run in runs]

    assert sum(count for count, _ in done) == 60
    assert sorted(ticket.delivery_id for _, it in done for ticket in it.tickets) == ids
    assert bench.database.counters["released_by_hand"] == 60


def test_l28_what_is_not_parked_is_neither_replayed_nor_discarded(bench: Bench) -> None:
    (queued,) = bench.fill(1)

    for do in (bench.backlog.release, bench.backlog.discard):
        count, aftermath = do([queued.delivery_id, "none"])
        assert (count, list(aftermath.tickets)) == (0, [])
    assert bench.states() == {"QUEUED": 1}


def test_l28_what_waits_for_its_turn_already_is_not_counted_as_released(bench: Bench) -> None:
    bench.under(window=1).fill(3)

    assert bench.under(window=1).backlog.release(["d-0-00001"])[0] == 0


def test_discarding_twice_discards_once(bench: Bench) -> None:
    ids = rejected(bench, 3)

    assert [bench.backlog.discard(ids[:2])[0] for _ in range(2)] == [2, 0]

    assert bench.database.counters["deliveries:discarded"] == 2
    assert bench.database.everything.keys() == {ids[2]}


def test_what_is_parked_for_a_deleted_subscription_is_not_replayed(bench: Bench) -> None:
    ids = rejected(bench, 2)
    bench.store.delete("s")

    assert bench.backlog.release(ids)[0] == 0
    assert bench.backlog.discard(ids[:1])[0] == 1
    bench.reap()
    assert bench.database.everything == {}


def test_l4_a_deleted_subscription_is_not_looked_after(bench: Bench) -> None:
    bench = bench.under(window=1)
    bench.fill(3)
    bench.store.delete("s")

    assert bench.database.get("due", {}) == {}
    assert bench.database.under("waiting:") == {}


def test_a_parking_is_counted_once_however_often_it_is_looked_at(bench: Bench) -> None:
    bench.subscribe()
    (ticket,) = bench.fill(1)
    bench.deliveries.park(bench.claim(ticket), ParkReason.EXHAUSTED, last())
    bench.backlog.suspend("s", SuspendedBy.HAND)
    bench.move(3_600)

    bench.reap()

    assert bench.states() == {"exhausted": 1}
    assert bench.database.counters["dead_letters:exhausted"] == 1


def test_a_body_that_is_missing_keeps_its_delivery_where_a_person_sees_it(bench: Bench) -> None:
    bench.subscribe()
    (ticket,) = bench.fill(1)
    bench.client.delete(f"{PREFIX}body:e-0-00000")
    bench.refusal(ticket)

    (again,) = bench.backlog.release([ticket.delivery_id])[1].tickets
    assert bench.refusal(again) == "body_missing"

    letter = json.loads(bench.client.hget(f"{PREFIX}dead-letters", ticket.delivery_id) or "")
    assert (letter["reason"], letter["index"]) == ("broken", "by_hand")
    assert "missing" in letter["last"]


def newer(bench: Bench, id_: str) -> bytes:
    """
    Make a letter one that a newer version wrote.
    """
    key = f"{PREFIX}dead-letters"
    document = json.dumps({**json.loads(bench.client.hget(key, id_) or ""), "version": 2, "more": "1"}).encode()
    bench.client.hset(key, id_, document)
    return document


def test_a_letter_of_a_newer_version_is_kept_as_it_is_and_set_aside(bench: Bench) -> None:
    collect(bench, 3)
    document = newer(bench, "d-0-00000")

    resumed = bench.backlog.resume("s", None)

    assert resumed is not None
    assert [it.delivery_id for it in resumed.aftermath.tickets] == ["d-0-00001"], "the others go on"
    assert bench.client.zrange(f"{PREFIX}by-hand:s", 0, -1) == [b"d-0-00000"]
    assert bench.backlog.release(["d-0-00000"])[0] == 0
    assert bench.backlog.discard(["d-0-00000"])[0] == 0
    bench.move(2 * RETENTION_S)
    bench.backlog.expire(0)
    assert bench.client.hget(f"{PREFIX}dead-letters", "d-0-00000") == document
    assert bench.client.hget(f"{PREFIX}body:e-0-00000", "payload") == b"payload"


def test_a_letter_of_a_newer_version_is_set_aside_when_its_time_comes(bench: Bench) -> None:
    bench.subscribe()
    (ticket,) = bench.fill(1)
    bench.fail(ticket, wait_s=5_000)
    document = newer(bench, ticket.delivery_id)
    bench.move(5_000)

    assert bench.reap() == []

    assert bench.client.zrange(f"{PREFIX}by-hand:s", 0, -1) == [ticket.delivery_id.encode()]
    assert bench.client.zcard(f"{PREFIX}deadlines") == 0
    assert bench.client.hget(f"{PREFIX}dead-letters", ticket.delivery_id) == document


def test_l15_a_letter_of_a_newer_version_does_not_keep_the_quota_from_the_others(bench: Bench) -> None:
    collect(bench, 3)
    newer(bench, "d-0-00000")

    bench.under(quota_count=3).fill(2)

    assert bench.client.hlen(f"{PREFIX}dead-letters") == 3
    assert bench.client.hexists(f"{PREFIX}dead-letters", "d-0-00000")


def test_s10_a_letter_of_a_newer_version_does_not_keep_those_behind_it_from_expiring(bench: Bench) -> None:
    bench.subscribe()
    first, _ = rejected(bench, 2)
    newer(bench, first)
    bench.move(RETENTION_S)

    assert bench.backlog.expire(0)[1] == 1
    assert bench.client.hkeys(f"{PREFIX}dead-letters") == [first.encode()]


def test_l6_a_clock_that_jumps_back_loses_nothing(bench: Bench) -> None:
    bench = bench.under(breaker_failures=2, drain_failures=2, window=3)
    bench.subscribe()
    sending, queued, retrying = bench.fill(6)
    claim = bench.claim(sending)
    bench.fail(retrying)
    bench.move(-3_600)
    bench.deliveries.complete(claim)
    bench.fail(queued)
    tickets = bench.fill(2)
    for _ in range(400):
        if not bench.database.everything:
            break
        bench.move(60)
        tickets += [*bench.reap(queue_is_empty=True), *bench.replay()]
        while tickets:
            reply = bench.deliveries.claim(tickets.pop(0))
            if isinstance(reply, Claim):
                tickets += bench.deliveries.complete(reply).tickets

    assert bench.database.everything == {}
    assert bench.database.counters["deliveries:delivered"] == 8


def test_l6_a_clock_that_jumps_ahead_loses_nothing(bench: Bench) -> None:
    bench.subscribe()
    sending, _queued = bench.fill(2)
    claim = bench.claim(sending)
    bench.move(86_400)

    assert not bench.deliveries.holds(claim)
    assert len(bench.reap(queue_is_empty=True)) == 2


# --- parked at once, by the batch ---


def test_l14_what_is_to_be_parked_at_once_is_under_way_for_nobody_and_does_not_hold_others_up(bench: Bench) -> None:
    for id_ in ("a", "b"):
        bench.subscribe(id_)
    bench.ingest.set_position(PARTITION, None, START)
    one = batch("a", "b", generation=bench.store.generation())
    first, second = one.deliveries

    tickets = bench.ingest.ingest(replace(one, deliveries=[replace(first, parked_as="imported"), second]))

    assert tickets == [TaskTicket(delivery_id=second.delivery_id, seq=1)]
    letter = bench.fields(first.delivery_id)
    assert (letter["reason"], letter["index"], letter["attempts"]) == ("imported", "ready", "0")
    assert bench.database.get("due", {}).keys() == {"a"}
    (ticket,) = bench.replay()
    assert bench.claim(ticket).attempt == 1


def test_l14_what_comes_while_it_waits_goes_behind_it(bench: Bench) -> None:
    bench.subscribe("a")
    bench.ingest.set_position(PARTITION, None, START)
    one = batch("a", generation=bench.store.generation())
    (imported,) = one.deliveries
    bench.ingest.ingest(replace(one, deliveries=[replace(imported, parked_as="imported")]))
    later = bench.batch("a", 1, one.reached, b"{}", PARTITION)

    tickets = bench.ingest.ingest(later)

    assert tickets is not None
    assert [ticket.delivery_id for ticket in tickets] == [imported.delivery_id, later.deliveries[0].delivery_id]


def test_l15_what_is_to_be_parked_at_once_counts_for_its_subscriptions_quota(bench: Bench) -> None:
    few = bench.under(quota_count=3)
    few.subscribe("a")
    few.ingest.set_position(PARTITION, None, START)
    new = few.batch("a", 5, START, b"{}", PARTITION)

    few.ingest.ingest(replace(new, deliveries=[replace(one, parked_as="imported") for one in new.deliveries]))

    assert bench.database.counters["deliveries:over_quota"] == 2
    assert len(bench.database.dead_letters) == 3
