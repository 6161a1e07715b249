"""
The last attempts, as the command line shows them, and what bounds them in Redis.
"""

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from odim_relay import bootstrap
from odim_relay.adapters.redis.attempt_codec import encode_attempt
from odim_relay.adapters.redis.attempts import RedisAttemptListing, RedisAttemptStore
from odim_relay.bootstrap.stores import attempt_store
from odim_relay.cli.main import main
from odim_relay.domain.decision import DELIVERED, RetryAfter
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import AttemptBatch, AttemptRecord, KeptAttempt
from odim_relay.use_cases.attempt_log import Attempted, AttemptLog
from tests.integration.operator.filled import Filled

pytestmark = pytest.mark.server

ENDED_AT_S = 1_767_225_600.0
RETENTION_S = 60.0
REFUSED = Outcome(
    failure=Failure.CONNECT, detail="not connected: refused [red]x[/red]", duration_s=0.25, address="192.0.2.1:80"
)


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.fixture
def log(cli: CliRunner) -> AttemptLog:
    """
    As a worker's, told by hand; of events that a person can still ask for.
    """
    assert cli
    log = AttemptLog(store=attempt_store(), attempts=20)
    log._start = lambda: None  # type: ignore[method-assign]
    return log


def failed(attempt: int, delivery_id: str = "d1", **members: object) -> Attempted:
    now_ms = bootstrap.ledger_figures().now_ms()
    noted = Attempted(
        subscription_id="s1",
        delivery_id=delivery_id,
        attempt=attempt,
        ended_at_s=now_ms / 1000 + attempt,
        destination="http://user:hunter2@s1/x?key=hunter2",
        outcome=REFUSED,
        decision=RetryAfter(wait_s=1),
    )
    return replace(noted, **members)  # type: ignore[arg-type]


def test_a_delivery_is_shown_with_its_last_attempts(cli: CliRunner, filled: Filled, log: AttemptLog) -> None:
    filled.subscribe("s1")
    filled.park(filled.ingest(("d1", "s1"))[0], ParkReason.EXHAUSTED)
    log.note(failed(1, passenger_ids=("d2",)))
    log.note(failed(2))
    assert log.tell()

    for command in ("deliveries", "dead-letters"):
        shown = json.loads(ok(cli.invoke(main, [command, "show", "d1", "--json"])))
        second, first = shown["history"]
        assert (first["attempt"], first["events"], second["events"]) == (1, 2, 1)
        assert second == {
            "at": second["at"],
            "delivery": "d1",
            "attempt": 2,
            "status": None,
            "failure": "connect",
            "detail": REFUSED.detail,
            "duration_ms": 250,
            "destination": "http://s1/x",
            "address": "192.0.2.1:80",
            "decision": "retry",
            "events": 1,
        }
        table = words(ok(cli.invoke(main, [command, "show", "d1"])))
        assert "2 connect 250 ms 192.0.2.1:80 retry not connected: refused [red]x[/red]" in table
        assert "[red]x[/red]; 2 events in one request" in table
        assert "hunter2" not in table + json.dumps(shown)


def test_a_delivery_that_left_after_it_failed_is_shown_by_its_attempts(
    cli: CliRunner, filled: Filled, log: AttemptLog
) -> None:
    filled.subscribe("s1")
    log.note(failed(1))
    log.note(failed(2, outcome=Outcome(status=204), decision=DELIVERED, passenger_ids=("never failed",)))
    assert log.tell()

    shown = json.loads(ok(cli.invoke(main, ["deliveries", "show", "d1", "--json"])))
    assert (shown["id"], shown["state"]) == ("d1", "GONE")
    assert [one["decision"] for one in shown["history"]] == ["delivered", "retry"]
    assert "not in the ledger any more" in ok(cli.invoke(main, ["deliveries", "show", "d1"]))
    assert cli.invoke(main, ["deliveries", "show", "never failed"]).exit_code == 1


def test_who_went_with_another_one_is_told_with_whom(cli: CliRunner, filled: Filled, log: AttemptLog) -> None:
    filled.subscribe("s1")
    log.note(failed(1, passenger_ids=("d2",)))
    assert log.tell()

    assert "2 events in one request; went with d1" in words(ok(cli.invoke(main, ["deliveries", "show", "d2"])))


def test_a_subscription_is_shown_with_its_last_attempts_successes_too(
    cli: CliRunner, filled: Filled, log: AttemptLog
) -> None:
    filled.subscribe("s1", "s2")
    log.note(failed(1, delivery_id="d1"))
    log.note(failed(2, delivery_id="d2", outcome=Outcome(status=204, duration_s=0.001), decision=DELIVERED))
    assert log.tell()

    shown = json.loads(ok(cli.invoke(main, ["subscriptions", "show", "s1", "--json"])))
    assert [(one["delivery"], one["status"]) for one in shown["history"]] == [("d2", 204), ("d1", None)]
    table = words(ok(cli.invoke(main, ["subscriptions", "show", "s1"])))
    assert "1 d1 connect 250 ms" in table
    assert "2 d2 204 1 ms" in table
    assert json.loads(ok(cli.invoke(main, ["subscriptions", "show", "s2", "--json"])))["history"] == []


# --- what bounds it ---


def record(ended_at_ms: int, subscription_id: str = "s1") -> AttemptRecord:
    return AttemptRecord(
        subscription_id=subscription_id,
        delivery_id="d",
        attempt=1,
        ended_at_ms=ended_at_ms,
        status=500,
        duration_ms=1,
        destination="http://s1/",
        decision="retry",
    )


def store_of(filled: Filled, *, deliveries: int = 1_000, worker: str = "w") -> RedisAttemptStore:
    return RedisAttemptStore(filled.scripts, worker=worker, attempts=20, deliveries=deliveries, retention_s=RETENTION_S)


def one_each(*ids: str) -> list[KeptAttempt]:
    return [KeptAttempt(record=record(1), for_subscription=True, delivery_ids=(id_,)) for id_ in ids]


def test_every_key_of_it_ends_by_itself(filled: Filled) -> None:
    filled.subscribe("s1")
    store_of(filled).keep(AttemptBatch(number=1, attempts=one_each("d1"), sums={}))

    keys = {key.decode() for key in filled.client.scan_iter(f"{filled.prefix}attempts:*")}

    names = ("delivery:d1", "subscription:s1", "deliveries", "kept:w")
    assert keys == {f"{filled.prefix}attempts:{name}" for name in names}
    for key in keys:
        assert 0 < filled.client.pttl(key) <= (3_600 if key.endswith("kept:w") else RETENTION_S) * 1_000


def test_attempts_that_are_too_old_are_not_told_though_newer_ones_keep_their_list(filled: Filled) -> None:
    filled.subscribe("s1")
    now_ms = int(filled.client.time()[0]) * 1_000
    ended = [now_ms - 2 * 60_000, now_ms - 30_000, now_ms]
    kept = [KeptAttempt(record=record(at), for_subscription=True) for at in ended]

    store_of(filled).keep(AttemptBatch(number=1, attempts=kept, sums={}))

    told = RedisAttemptListing(filled.scripts, retention_s=RETENTION_S).of_subscription("s1")
    assert [one.ended_at_ms for one in told] == [now_ms, now_ms - 30_000]


def test_attempts_that_a_newer_version_wrote_are_passed_over(filled: Filled) -> None:
    now_ms = int(filled.client.time()[0]) * 1_000
    for text in ('[99,{"a":1}]', encode_attempt(record(now_ms))):
        filled.client.rpush(f"{filled.prefix}attempts:subscription:s1", text)

    assert len(RedisAttemptListing(filled.scripts, retention_s=RETENTION_S).of_subscription("s1")) == 1


def test_where_fewer_deliveries_may_have_a_history_the_others_leave_in_steps(filled: Filled) -> None:
    filled.subscribe("s1")
    for start in range(0, 2_500, 500):
        ids = [f"d{number:04}" for number in range(start, start + 500)]
        store_of(filled, deliveries=10_000).keep(AttemptBatch(number=1 + start, attempts=one_each(*ids), sums={}))

    left = []
    for number in range(4):
        store_of(filled, deliveries=10).keep(AttemptBatch(number=10_000 + number, attempts=[], sums={}))
        left.append(sum(1 for _ in filled.client.scan_iter(f"{filled.prefix}attempts:delivery:*", count=1_000)))

    assert left == [1_500, 500, 10, 10]
    assert filled.client.zcard(f"{filled.prefix}attempts:deliveries") == 10


def test_each_worker_counts_its_own_batches(filled: Filled) -> None:
    filled.subscribe("s1")
    for worker in ("w1", "w2"):
        store_of(filled, worker=worker).keep(AttemptBatch(number=1, attempts=[], sums={"a": 1}))

    assert filled.client.hgetall(f"{filled.prefix}measures") == {b"a": b"2"}


def test_a_deleted_subscriptions_history_goes_with_the_sweep(filled: Filled) -> None:
    filled.subscribe("s1", "s2")
    attempts = [KeptAttempt(record=record(1, id_), for_subscription=True) for id_ in ("s1", "s2")]
    store_of(filled).keep(AttemptBatch(number=1, attempts=attempts, sums={}))

    filled.store.delete("s1")
    filled.ledger.reap(queue_is_empty=True)

    assert filled.client.exists(f"{filled.prefix}attempts:subscription:s1") == 0
    assert filled.client.exists(f"{filled.prefix}attempts:subscription:s2") == 1
