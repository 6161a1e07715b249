"""
What `dead-letters replay` and `discard` do to a ledger, also when they are killed, or two do it at once.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.cli.main import main
from odim_relay.domain.delivery import ParkReason
from odim_relay.ports import Claim, Refusal, SuspendedBy, TaskTicket
from tests.integration.operator.filled import BUSY, Filled
from tests.support.processes import LocalProcess, free_port
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def told(result: Result) -> dict[str, Any]:
    return dict(json.loads(ok(result)))


def queue_depth(redis_server: RedisServer) -> int:
    with redis_server.client(1) as broker:
        return int(broker.llen("deliveries"))


def everything(filled: Filled) -> dict[bytes, Any]:
    """
    All keys with their content.
    """
    readers = {b"hash": "HGETALL", b"zset": "ZRANGE", b"set": "SMEMBERS", b"string": "GET"}
    found: dict[bytes, Any] = {}
    for key in filled.client.scan_iter(f"{filled.prefix}*"):
        kind = filled.client.execute_command("TYPE", key)
        arguments = (0, -1, "WITHSCORES") if kind == b"zset" else ()
        found[key] = filled.client.execute_command(readers[kind], key, *arguments)
    return found


def test_a_replay_lets_dead_letters_take_their_turn_and_counts_each_once(
    cli: CliRunner, filled: Filled, redis_server: RedisServer
) -> None:
    filled.subscribe("s1", "s2")
    filled.fill("s1", 30)
    filled.fill("s2", 2)
    done = told(cli.invoke(main, ["dead-letters", "replay", "--subscription", "s1", "--yes", "--json"]))
    assert done == {
        "dry_run": False,
        "matched": 30,
        "replayed": 30,
        "counts": [{"subscription": "s1", "reason": "rejected", "count": 30}],
        "waiting_already": 0,
        "waiting_for_resume": {},
        "of_deleted_subscriptions": 0,
        "of_a_newer_version": 0,
        "published": True,
    }
    assert queue_depth(redis_server) == 4, "as many as can be in flight: a quarter of 16 slots"
    assert filled.counter("released_by_hand") == 30
    again = ok(cli.invoke(main, ["dead-letters", "replay", "--subscription", "s1"]))
    assert "26 deliveries wait for their turn already" in again
    assert filled.counter("released_by_hand") == 30
    assert filled.letter("s2-00000")["reason"] == "rejected"


@pytest.mark.parametrize("verb", ["replay", "discard"])
def test_a_dry_run_counts_and_changes_nothing(cli: CliRunner, filled: Filled, verb: str) -> None:
    filled.subscribe("s1", "s2")
    filled.fill("s1", 3)
    filled.fill("s2", 2)
    before = everything(filled)
    counted = told(cli.invoke(main, ["dead-letters", verb, "--dry-run", "--json"]))
    assert counted["matched"] == 5
    assert counted["counts"] == [
        {"subscription": "s1", "reason": "rejected", "count": 3},
        {"subscription": "s2", "reason": "rejected", "count": 2},
    ]
    assert f"5 deliveries would be {verb}ed" in ok(cli.invoke(main, ["dead-letters", verb, "--dry-run"]))
    assert everything(filled) == before


def test_more_than_one_is_asked_about_and_only_a_yes_counts(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1")
    filled.fill("s1", 3)
    for answer in ("n\n", ""):
        refused = cli.invoke(main, ["dead-letters", "discard"], input=answer)
        assert (refused.exit_code, filled.counter("deliveries:discarded")) == (1, 0)
        assert "Discard 3 deliveries?" in refused.stderr
        assert "nothing was done" in refused.stderr
    assert "1 delivery discarded" in ok(cli.invoke(main, ["dead-letters", "discard", "--id", "s1-00000"]))
    assert "2 deliveries discarded" in ok(cli.invoke(main, ["dead-letters", "discard"], input="y\n"))
    assert filled.counter("deliveries:discarded") == 3
    assert not filled.client.exists(f"{filled.prefix}dead-letters")


def test_a_limit_goes_on_where_the_last_one_ended(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1")
    filled.fill("s1", 5)
    filled.backlog.suspend("s1", SuspendedBy.HAND)
    counts = [
        told(cli.invoke(main, ["dead-letters", "replay", "--limit", "2", "--yes", "--json"]))["replayed"]
        for _ in range(4)
    ]
    assert counts == [2, 2, 1, 0]


def test_what_waits_for_a_resume_is_said_and_goes_after_it(
    cli: CliRunner, filled: Filled, redis_server: RedisServer
) -> None:
    filled.subscribe("s1")
    filled.fill("s1", 2)
    filled.backlog.suspend("s1", SuspendedBy.HAND)
    filled.ingest(("late", "s1"))
    said = ok(cli.invoke(main, ["dead-letters", "replay", "--yes"]))
    assert "2 deliveries replayed" in said
    assert "3 deliveries are of a suspended subscription" in said
    assert "odim-relay subscriptions resume s1" in said
    assert queue_depth(redis_server) == 0
    assert "Resumed: 3 deliveries are parked" in ok(cli.invoke(main, ["subscriptions", "resume", "s1"]))
    assert queue_depth(redis_server) == 1  # a slow start


def test_what_nothing_can_be_done_to_is_kept_and_said(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1", "s2")
    filled.fill("s1", 1)
    filled.fill("s2", 1)
    newer = json.dumps(filled.letter("s1-00000") | {"version": 99, "reason": "odd", "state": "ODD", "index": "odd"})
    filled.client.hset(f"{filled.prefix}dead-letters", "s1-00000", newer)
    filled.store.delete("s2")
    said = ok(cli.invoke(main, ["dead-letters", "replay"]))
    assert "1 delivery was parked by a newer version of odim-relay: kept as it is" in said
    assert "1 delivery is of a deleted subscription" in said
    shown = told(cli.invoke(main, ["dead-letters", "show", "s1-00000", "--json"]))
    assert (shown["newer_version"], shown["reason"]) == (True, "odd")
    assert "odd" in ok(cli.invoke(main, ["dead-letters", "list"]))
    ok(cli.invoke(main, ["dead-letters", "discard", "--subscription", "s1"]))
    assert filled.client.hget(f"{filled.prefix}dead-letters", "s1-00000") == newer.encode()


def test_a_filter_that_matches_nothing_is_no_failure(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1")
    filled.fill("s1", 1)
    for filter_ in (
        ["--subscription", "nobody"],
        ["--destination", "http://nobody/"],
        ["--id", "x"],
        ["--since", "0s"],
    ):
        for verb in ("replay", "discard"):
            assert f"Nothing to {verb}" in ok(cli.invoke(main, ["dead-letters", verb, *filter_]))


def test_without_the_broker_letters_are_released_and_the_reaper_is_named(
    cli: CliRunner, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODIM_RELAY_BROKER__URL", f"redis://127.0.0.1:{free_port()}/0")
    filled.subscribe("s1")
    filled.fill("s1", 2)
    said = ok(cli.invoke(main, ["dead-letters", "replay", "--yes"]))
    assert "2 deliveries replayed" in said
    assert "The broker cannot be reached: the reaper" in said


def test_a_letter_is_released_once_and_for_a_living_subscription_only(filled: Filled) -> None:
    filled.subscribe("s1", "s2")
    names = filled.fill("s1", 3)
    orphans = filled.fill("s2", 2)
    filled.backlog.suspend("s1", SuspendedBy.HAND)
    assert [filled.backlog.release(names)[0] for _ in range(2)] == [3, 0]
    filled.store.delete("s2")
    assert filled.backlog.release(orphans)[0] == 0
    assert filled.counter("released_by_hand") == 3


def test_a_person_sends_at_once_what_an_open_breaker_holds(cli: CliRunner, filled: Filled) -> None:
    strict = Scripts(filled.client, filled.prefix, LedgerRules(breaker_failures=1, probe_ms=3_600_000))
    filled.subscribe("s1")
    (ticket,) = filled.ingest(("d1", "s1"))
    RedisDeliveryLedger(strict).park(filled.claim(ticket), ParkReason.EXHAUSTED, BUSY)
    filled.ingest(("d2", "s1"))
    shown = told(cli.invoke(main, ["deliveries", "show", "d2", "--json"]))
    assert (shown["reason"], shown["index"], shown["breaker"]["state"]) == ("breaker_open", "ready", "open")
    said = ok(cli.invoke(main, ["dead-letters", "replay", "--id", "d2"]))
    assert "1 delivery waits for its turn already" in said
    assert told(cli.invoke(main, ["deliveries", "show", "d2", "--json"]))["breaker"]["state"] == "half_open"


# --- killed, and two at once ---


class Sending:
    """
    Completes what is queued, as workers would, and counts how often each delivery was sent.
    """

    def __init__(self, filled: Filled) -> None:
        self.filled = filled
        self.sent: Counter[str] = Counter()

    def drain(self) -> None:
        """
        Until nothing is queued; tasks that a killed process never published are found as the reaper finds them.
        """
        while tickets := self._queued():
            for ticket in tickets:
                claim = self.filled.ledger.claim(ticket)
                if isinstance(claim, Refusal):
                    continue
                assert isinstance(claim, Claim)
                self.sent[claim.delivery_id] += 1
                self.filled.ledger.complete(claim)

    def _queued(self) -> list[TaskTicket]:
        keys = list(self.filled.client.scan_iter(f"{self.filled.prefix}delivery:*", count=5_000))
        pipe = self.filled.client.pipeline(transaction=False)
        for key in keys:
            pipe.hmget(key, "state", "seq")
        return [
            TaskTicket(delivery_id=key.decode().rpartition(":")[2], seq=int(seq))
            for key, (state, seq) in zip(keys, pipe.execute(), strict=True)
            if state == b"QUEUED"
        ]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "odim_relay", "dead-letters", *arguments]


def test_a_replay_that_is_killed_in_the_middle_covers_everything_when_started_again(
    cli: CliRunner, filled: Filled, tmp_path: Path
) -> None:
    filled.subscribe("s1", "s2")
    names = filled.fill("s1", 1_500) + filled.fill("s2", 500)
    sending = Sending(filled)
    process = LocalProcess("replay", command("replay", "--yes", "--rate", "800"), tmp_path / "killed")
    process.launch()
    try:
        wait_until(lambda: filled.counter("released_by_hand") >= 600, timeout_s=60, what="600 letters")
    finally:
        process.kill()
    released = filled.counter("released_by_hand")
    assert released < 2_000
    sending.drain()
    assert len(sending.sent) == released
    again = told(cli.invoke(main, ["dead-letters", "replay", "--yes", "--json"]))
    assert again["replayed"] == 2_000 - released
    sending.drain()
    assert sending.sent == Counter(names)
    assert filled.counter("deliveries:delivered") == filled.counter("released_by_hand") == 2_000
    assert not filled.client.exists(f"{filled.prefix}dead-letters")


def operator(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=os.environ, cwd=folder
    )


def test_of_two_operators_at_once_each_letter_is_replayed_by_one(
    cli: CliRunner, filled: Filled, tmp_path: Path
) -> None:
    filled.subscribe("s1")
    names = filled.fill("s1", 1_000)
    slow = operator(tmp_path, "replay", "--yes", "--json", "--rate", "100")
    wait_until(lambda: filled.counter("released_by_hand") > 0, timeout_s=60, what="the first operator to begin")
    # The first has read on already: it comes to letters that the second has released.
    second = told(cli.invoke(main, ["dead-letters", "replay", "--yes", "--json"]))["replayed"]
    first = json.loads(slow.communicate(timeout=60)[0])["replayed"]
    assert min(first, second) > 0
    assert first + second == 1_000
    sending = Sending(filled)
    sending.drain()
    assert sending.sent == Counter(names)


def test_of_two_operators_at_once_each_letter_is_discarded_by_one(
    cli: CliRunner, filled: Filled, tmp_path: Path
) -> None:
    assert cli
    filled.subscribe("s1")
    filled.fill("s1", 1_000)
    operators = [operator(tmp_path, "discard", "--yes", "--json") for _ in range(2)]
    assert sum(json.loads(one.communicate(timeout=60)[0])["discarded"] for one in operators) == 1_000
    assert filled.counter("deliveries:discarded") == 1_000
