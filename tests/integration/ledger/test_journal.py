"""
The journal through what Redis can lose, and what it costs.
"""

import pytest

from odim_relay.adapters.redis.announcing import RedisAnnouncingLedger
from odim_relay.ports import NewEvent
from tests.integration.ledger.bench import PREFIX, Bench

pytestmark = pytest.mark.server


def tell(bench: Bench, name: str, size: int = 10) -> str:
    """
    Returns the id of its entry.
    """
    event = NewEvent(event_id=name, payload=b"x" * size, record="", recorded_at_ms=1_000, is_journaled=True)
    assert RedisAnnouncingLedger(bench.scripts).announce(event, (), bench.store.generation()) is not None
    return bench.journal.end()


def test_s15_what_redis_lost_with_its_last_writes_is_not_taken_for_complete(bench: Bench) -> None:
    bench.say(keeps_journal=True)
    kept = tell(bench, "kept")
    saved = {key: bench.client.dump(key) for key in bench.client.keys(f"{PREFIX}*")}
    bench.move(1)
    lost = tell(bench, "lost")

    for key, dump in saved.items():
        bench.client.restore(key, 0, dump or b"", replace=True)
    bench.move(1)
    again = tell(bench, "again")

    assert [entry.event_id for entry in bench.journal.read(kept, 9)] == ["again"]
    assert bench.journal.has_all_after(kept)
    assert bench.journal.has_all_after(again)
    assert not bench.journal.has_all_after(lost)


def test_ids_rise_also_when_the_clock_goes_back(bench: Bench) -> None:
    bench.say(keeps_journal=True)
    first = tell(bench, "a")
    bench.move(-60)
    second = tell(bench, "b")
    third = tell(bench, "c")

    assert [it.event_id for it in bench.journal.read(first, 9)] == ["b", "c"]
    assert (second.partition("-")[0], third.partition("-")[0]) == (first.partition("-")[0],) * 2
    assert bench.journal.has_all_after(first)


def test_the_healthy_path_costs_nothing_more_while_it_is_not_kept(bench: Bench) -> None:
    bench.subscribe("a")
    without = bench.work_of(lambda: bench.fill(5, subscription_id="a"))

    bench.say(retry_attempts=1)

    assert bench.work_of(lambda: bench.fill(5, subscription_id="a")).commands <= without.commands
    assert bench.database.get("journal", {}) == {}


def test_a_smaller_quota_is_worked_off_by_what_comes(bench: Bench) -> None:
    bench.say(keeps_journal=True)
    for number in range(20):
        tell(bench, f"{number}", 1_000)
    smaller = bench.under(journal_bytes=5_000, admit_most=10)

    tell(smaller, "x")
    assert len(bench.journal.read("0-0", 99)) == 11
    tell(smaller, "y")
    assert [entry.event_id for entry in bench.journal.read("0-0", 99)] == ["16", "17", "18", "19", "x", "y"]


def test_that_something_left_is_known_of_whoever_is_behind_it(bench: Bench) -> None:
    bench.say(keeps_journal=True)
    start = bench.journal.end()
    first = tell(bench, "first", 1_000)
    assert bench.journal.has_all_after(start)

    smaller = bench.under(journal_bytes=1_500)
    tell(smaller, "second", 1_000)

    assert [entry.event_id for entry in bench.journal.read("0-0", 9)] == ["second"]
    assert not bench.journal.has_all_after(start)
    assert bench.journal.has_all_after(first)
