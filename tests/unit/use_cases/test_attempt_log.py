from collections.abc import Callable
from threading import Event

import pytest

from odim_relay.domain.decision import DELIVERED, Decision, Park, RetryAfter, Suspend
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.errors import TransientError
from odim_relay.ports import AttemptBatch
from odim_relay.use_cases import attempt_log
from odim_relay.use_cases.attempt_log import Attempted, AttemptLog, in_a_word
from tests.fakes.attempts import InMemoryAttempts
from tests.support.waiting import wait_until
from tests.unit.use_cases.conftest import Logs

SECRET_URL = "https://user:secret@s.example:8443/hook?token=secret"
OK = Outcome(status=204, duration_s=0.012, address="192.0.2.1:8443")
REFUSED = Outcome(failure=Failure.CONNECT, detail="not connected: refused", duration_s=0.001, address="192.0.2.1:8443")


class Store(InMemoryAttempts):
    """
    Remembers its batches, and may be away.
    """

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[AttemptBatch] = []
        self.is_away = False
        self.loses_replies = False

    def keep(self, batch: AttemptBatch) -> None:
        if self.is_away:
            raise TransientError("Redis is away")
        self.batches.append(batch)
        super().keep(batch)
        if self.loses_replies:
            self.loses_replies = False
            raise TransientError("the reply got lost")


def made(number: int = 1, outcome: Outcome = OK, decision: Decision = DELIVERED, **members: object) -> Attempted:
    fields = {
        "subscription_id": "s",
        "delivery_id": "d",
        "attempt": number,
        "ended_at_s": 1_000.0 + number,
        "destination": SECRET_URL,
        "outcome": outcome,
        "decision": decision,
        "recorded_at_ms": (1_000_000,),
    }
    return Attempted(**fields | members)  # type: ignore[arg-type]


def failed(number: int = 1, **members: object) -> Attempted:
    return made(number, REFUSED, RetryAfter(wait_s=15), **members)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def log(store: Store, monkeypatch: pytest.MonkeyPatch) -> AttemptLog:
    """
    Told by hand: its own thread would do so at times of its own.
    """
    log = AttemptLog(store=store, attempts=3)
    monkeypatch.setattr(log, "_start", lambda: None)
    return log


def test_an_attempt_is_told_without_secrets(log: AttemptLog, store: Store) -> None:
    log.note(failed(2))

    assert log.tell()

    (record,) = store.of_delivery("d")
    assert [record] == store.of_subscription("s")
    assert record.destination == "https://s.example:8443/hook"
    assert "secret" not in repr(record)
    assert (record.attempt, record.ended_at_ms, record.status, record.failure) == (2, 1_002_000, None, "connect")
    assert (record.duration_ms, record.address, record.decision) == (1, "192.0.2.1:8443", "retry")
    assert record.event_count == 1


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (DELIVERED, "delivered"),
        (RetryAfter(wait_s=1), "retry"),
        (Park(reason=ParkReason.EXHAUSTED), "parked:exhausted"),
        (Suspend(), "suspended"),
    ],
)
def test_a_decision_is_told_in_a_word(decision: Decision, words: str) -> None:
    assert in_a_word(decision) == words


def test_what_succeeds_at_once_is_told_of_its_subscription_alone(log: AttemptLog, store: Store) -> None:
    log.note(made())
    log.tell()

    assert store.of_delivery("d") == []
    assert len(store.of_subscription("s")) == 1


def test_a_success_after_failures_ends_the_deliverys_history(log: AttemptLog, store: Store) -> None:
    log.note(failed(1))
    log.tell()
    log.note(made(2))
    log.tell()

    assert [one.decision for one in store.of_delivery("d")] == ["delivered", "retry"]


def test_a_success_is_in_the_history_though_another_worker_tells_of_the_failure_later(
    log: AttemptLog, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.note(made(2))
    log.tell()
    other = AttemptLog(store=store, attempts=3)
    monkeypatch.setattr(other, "_start", lambda: None)
    store.number = 0  # it counts its own batches
    other.note(failed(1))
    other.tell()

    assert [one.decision for one in store.of_delivery("d")] == ["delivered", "retry"]


def test_of_a_success_with_passengers_those_alone_that_failed_before_have_it(log: AttemptLog, store: Store) -> None:
    log.note(failed(1, delivery_id="failed before"))
    log.note(made(2, passenger_ids=("failed before", "new")))
    log.tell()

    assert [one.decision for one in store.of_delivery("d")] == ["delivered"]
    assert [one.decision for one in store.of_delivery("failed before")] == ["delivered", "retry"]
    assert store.of_delivery("new") == []
    assert [one.decision for one in store.of_subscription("s")] == ["delivered", "retry"]


def test_passengers_have_it_in_their_histories_too(log: AttemptLog, store: Store) -> None:
    log.note(failed(1, passenger_ids=("p", "q")))
    log.note(made(1, delivery_id="p", passenger_ids=("r",)))
    log.tell()

    assert [one.delivery_id for one in store.of_delivery("q")] == ["d"]
    assert store.of_delivery("q")[0].event_count == 3
    assert store.of_delivery("r") == []  # it never failed
    assert [one.event_count for one in store.of_subscription("s")] == [3, 2]


def test_of_many_attempts_each_subscription_has_its_newest(log: AttemptLog, store: Store) -> None:
    for number in range(1, 6):
        log.note(made(number, subscription_id="busy", delivery_id=f"d{number}", attempt=1))
    log.note(made(6, subscription_id="quiet"))
    log.tell()

    assert [one.ended_at_ms for one in store.of_subscription("busy")] == [1_005_000, 1_004_000, 1_003_000]
    assert len(store.of_subscription("quiet")) == 1


@pytest.mark.parametrize(("make", "count"), [(made, 200), (failed, 1_000)])
def test_of_very_many_subscriptions_each_has_its_newest_alone(
    log: AttemptLog, store: Store, make: Callable[..., Attempted], count: int
) -> None:
    for number in range(count):
        for _ in range(2):
            log.note(make(number, subscription_id=f"s{number}", attempt=1))
    log.tell()

    assert {len(store.of_subscription(f"s{number}")) for number in range(count)} == {1}


def test_of_more_subscriptions_than_that_the_newest_successes_are_told_and_every_failure(
    log: AttemptLog, store: Store
) -> None:
    log.note(failed(0, subscription_id="failing"))
    for number in range(1_000):
        log.note(made(number, subscription_id=f"s{number}", attempt=1))
    log.tell()

    told = {number for number in range(1_000) if store.of_subscription(f"s{number}")}
    assert told == set(range(700, 1_000))
    assert store.of_subscription("failing")
    assert store.sums["attempts:delivered:2xx"] == 1_000


def test_what_is_told_at_once_is_bounded(log: AttemptLog, store: Store) -> None:
    for number in range(1, 301):
        log.note(failed(number, passenger_ids=tuple(f"p{number}-{place}" for place in range(9))))
    log.tell()

    assert len(store.batches) > 1
    assert [batch.number for batch in store.batches] == list(range(1, len(store.batches) + 1))
    assert all(sum(1 + len(one.delivery_ids) for one in batch.attempts) <= 510 for batch in store.batches)
    assert sum(bool(batch.sums) for batch in store.batches) == 1


def test_sums_are_of_all_attempts_and_latencies_of_all_that_was_delivered(log: AttemptLog, store: Store) -> None:
    log.note(made(1, recorded_at_ms=(1_000_900, 0, 941_000), passenger_ids=("p", "q")))
    log.note(failed(2))
    log.note(made(3, Outcome(status=404, duration_s=61), RetryAfter(wait_s=1)))
    log.tell()

    assert store.sums == {
        "attempts:delivered:2xx": 1,
        "attempts:transient:none": 1,
        "attempts:transient:4xx": 1,
        "attempt_failures:connect": 1,
        "attempt_duration:0.005": 1,
        "attempt_duration:0.025": 1,
        "attempt_duration:+Inf": 1,
        "attempt_duration:sum_ms": 12 + 1 + 61_000,
        "delivery_latency:0.1": 1,
        "delivery_latency:60": 1,
        "delivery_latency:sum_ms": 100 + 60_000,
    }


def test_an_event_is_not_delivered_before_it_was_recorded(log: AttemptLog, store: Store) -> None:
    log.note(made(1, recorded_at_ms=(2_000_000,)))
    log.tell()

    assert store.sums["delivery_latency:0.05"] == 1
    assert store.sums["delivery_latency:sum_ms"] == 0


def test_a_fault_of_our_own_is_remembered_and_not_measured(log: AttemptLog, store: Store) -> None:
    log.note(made(1, Outcome(detail="ValueError: x"), Park(reason=ParkReason.BROKEN), destination=""))
    log.tell()

    assert store.of_delivery("d")[0].decision == "parked:broken"
    assert not store.sums


def test_while_the_store_is_away_sums_wait_and_the_last_attempts_too(log: AttemptLog, store: Store, logs: Logs) -> None:
    store.is_away = True
    for round_ in range(3):
        log.note(failed(round_ + 1))
        assert not log.tell()
    store.is_away = False

    assert log.tell()

    assert store.sums["attempts:transient:none"] == 3
    assert [one.attempt for one in store.of_delivery("d")] == [3, 2, 1]
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["attempts.not_told"]


def test_what_waits_for_the_store_is_bounded_and_its_sums_are_exact(log: AttemptLog, store: Store) -> None:
    store.is_away = True
    for number in range(30_000):
        log.note(failed(number))
        if number % 1_000 == 0:
            log.tell()
    store.is_away = False

    log.tell()

    assert store.sums["attempts:transient:none"] == 30_000
    told = sum(len(batch.attempts) for batch in store.batches)
    assert told <= attempt_log._MOST_REMEMBERED + 1_001
    assert store.of_subscription("s")[0].attempt == 29_999


def test_a_reply_that_got_lost_counts_nothing_twice(log: AttemptLog, store: Store) -> None:
    store.loses_replies = True
    log.note(failed(1))

    assert not log.tell()
    log.note(failed(2))
    assert log.tell()

    assert store.sums["attempts:transient:none"] == 2
    assert [one.attempt for one in store.of_delivery("d")] == [2, 1]


def test_notes_that_nobody_sums_up_are_bounded(log: AttemptLog) -> None:
    for number in range(attempt_log._MOST_NOTED + 10):
        log.note(made(number))

    assert len(log._noted) < 20


def test_its_own_thread_tells_the_rest_at_the_end() -> None:
    store = Store()
    log = AttemptLog(store=store, attempts=3)
    log.note(made())

    log.close()

    assert store.sums["attempts:delivered:2xx"] == 1


def test_who_never_noted_anything_closes_without_a_word(log: AttemptLog, store: Store) -> None:
    log.close()

    assert store.batches == []


def test_a_fault_of_our_own_ends_nothing(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    class BrokenStore(Store):
        def __init__(self) -> None:
            super().__init__()
            self.told = Event()
            self.act: Callable[[], None] = self._break

        def _break(self) -> None:
            self.act = self.told.set
            raise ValueError("a fault")

        def keep(self, batch: AttemptBatch) -> None:
            self.act()
            super().keep(batch)

    monkeypatch.setattr(attempt_log, "_INTERVAL_S", 0.01)
    store = BrokenStore()
    log = AttemptLog(store=store, attempts=3)
    log.note(made(1))
    wait_until(lambda: logs, timeout_s=10, what="the first fault")
    log.note(made(2))

    assert store.told.wait(10)
    log.close()
    assert [line["event"] for line in logs] == ["attempts.lost"]
    assert [one.attempt for one in store.of_subscription("s")] == [2]
