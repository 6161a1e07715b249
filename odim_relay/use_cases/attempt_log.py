"""
What attempts came to: noted at once, told to the store every second by a thread of its own.

It is an observation. An attempt neither waits for it nor fails with it, and what a killed process had not told is lost.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread

from odim_relay.domain.decision import Decision, Delivered, Park, RetryAfter, Suspend
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.measures import DURATION, LATENCY, attempt_fields, bucket_field, sum_field
from odim_relay.domain.outcome import Outcome, Verdict, verdict_of
from odim_relay.errors import TransientError
from odim_relay.ports import AttemptBatch, AttemptRecord, AttemptStore, KeptAttempt
from odim_relay.telemetry import logger

log = logger(__name__)

_INTERVAL_S = 1.0
_LAST_WITHIN_S = 3.0
_MOST_NOTED = 10_000
"""
Notes that wait to be summed up; more are summed up by whoever brings them.
"""
_MOST_REMEMBERED = 5_000
"""
Attempts that wait to be told, of one process; the oldest leave. More than it makes in a second.
"""
_MOST_FAILURES, _MOST_SUCCESSES = 1_000, 100
"""
Attempts told of at once, for all subscriptions together, as long as each has its newest: each that is told costs about
as much as a tenth of a delivery.
"""
_MOST_NEWEST = 300
"""
Successes told of at once, where more subscriptions than that had one: the newest.
"""
_MOST_ENTRIES = 500
"""
Histories that one batch writes to.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """
    An attempt that ended.

    Attributes:
        ended_at_s: seconds since the epoch.
        passenger_ids: deliveries that went in its request.
        recorded_at_ms: Kafka's timestamps, of the delivery and its passengers; 0 where there was none.
    """

    subscription_id: str
    delivery_id: str
    attempt: int
    ended_at_s: float
    destination: str
    outcome: Outcome
    decision: Decision
    passenger_ids: tuple[str, ...] = ()
    recorded_at_ms: tuple[int, ...] = ()


class AttemptLog:
    """
    Threads share one instance. Its own thread begins with the first note.
    """

    def __init__(self, *, store: AttemptStore, attempts: int) -> None:
        """
        Args:
            attempts: in a history, at most.
        """
        self._store = store
        self._attempts = attempts
        self._noted: deque[Attempted] = deque()
        self._lock = Lock()
        self._sums: Counter[str] = Counter()
        self._remembered: deque[Attempted] = deque(maxlen=_MOST_REMEMBERED)
        self._untold: deque[AttemptBatch] = deque()
        self._number = 0
        self._is_failing = False
        self._closing = Event()
        self._thread: Thread | None = None

    def note(self, attempted: Attempted) -> None:
        """
        Take note of an attempt. Reaches no store, and raises nothing.
        """
        self._noted.append(attempted)  # atomic; all else is done later
        if self._thread is None:
            self._start()
        if len(self._noted) >= _MOST_NOTED:
            self._sum_up()

    def close(self) -> None:
        """
        Tell the rest, if that can be done within a few seconds. What is noted after it is lost.
        """
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_LAST_WITHIN_S)

    def tell(self) -> bool:
        """
        Tell the store what was noted. For one thread, or one after the other. False when the store does not take it for
        now: the sums wait for the next time, and so do the last attempts.
        """
        self._sum_up()
        try:
            while self._untold or self._make_batches():
                self._store.keep(self._untold[0])
                self._untold.popleft()
        except TransientError as exc:
            if not self._is_failing:
                log.warning("attempts.not_told", detail=str(exc))
            self._is_failing = True
            return False
        self._is_failing = False
        return True

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="attempt-log", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._closing.wait(_INTERVAL_S)
            try:
                self.tell()
            except Exception:
                # A fault of our own: what made it is gone, later attempts are told.
                log.exception("attempts.lost", count=len(self._untold))
                self._untold.clear()

    def _sum_up(self) -> None:
        with self._lock:
            sums = self._sums
            while self._noted:
                attempted = self._noted.popleft()
                _measure(attempted, sums)
                self._remembered.append(attempted)

    def _make_batches(self) -> bool:
        """
        Make batches of what was summed up; tells whether there was anything. Not while some are untold: then it is the
        bounded sums and attempts that wait.
        """
        with self._lock:
            sums, self._sums = dict(self._sums), Counter()
            remembered = list(self._remembered)
            self._remembered.clear()
        if not remembered and not sums:
            return False
        for chunk in _chunks(list(_kept(remembered, self._attempts))):
            self._number += 1
            self._untold.append(AttemptBatch(number=self._number, attempts=chunk, sums=sums))
            sums = {}
        return True


def _measure(attempted: Attempted, sums: Counter[str]) -> None:
    outcome = attempted.outcome
    if outcome.status is None and outcome.failure is None:
        return  # a fault of our own: who knows whether anything was sent
    for field in attempt_fields(outcome):
        sums[field] += 1
    sums[bucket_field(DURATION, outcome.duration_s)] += 1
    sums[sum_field(DURATION)] += round(outcome.duration_s * 1000)
    if verdict_of(outcome) is not Verdict.DELIVERED:
        return
    for recorded_at_ms in attempted.recorded_at_ms:
        if recorded_at_ms:
            # Clocks of several hosts: an event is not delivered before it was recorded.
            latency_ms = max(round(attempted.ended_at_s * 1000) - recorded_at_ms, 0)
            sums[bucket_field(LATENCY, latency_ms / 1000)] += 1
            sums[sum_field(LATENCY)] += latency_ms


def _kept(remembered: Sequence[Attempted], most: int) -> Iterator[KeptAttempt]:
    """
    What is told of, oldest first: each subscription's newest, and whatever belongs into a delivery's history.
    """
    failures, successes = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for place, attempted in enumerate(remembered):
        kind = successes if isinstance(attempted.decision, Delivered) else failures
        kind[attempted.subscription_id].append(place)
    newest = {
        *_newest(failures, most, _MOST_FAILURES),
        *sorted(_newest(successes, most, _MOST_SUCCESSES))[-_MOST_NEWEST:],
    }
    for place, attempted in enumerate(remembered):
        is_delivered = isinstance(attempted.decision, Delivered)
        # What succeeds at once has no history.
        own_id = () if is_delivered and attempted.attempt == 1 else (attempted.delivery_id,)
        # Of passengers it is not known here whether they ever failed.
        in_doubt = attempted.passenger_ids if is_delivered else ()
        ids = own_id if in_doubt else (*own_id, *attempted.passenger_ids)
        if ids or place in newest:
            yield KeptAttempt(record=_record(attempted), for_subscription=place in newest, delivery_ids=ids)
        if in_doubt:
            yield KeptAttempt(
                record=_record(attempted), for_subscription=False, delivery_ids=in_doubt, only_if_known=True
            )


def _newest(places: Mapping[str, Sequence[int]], most: int, most_of_all: int) -> Iterator[int]:
    """
    Of each subscription the newest, fewer where there are many.
    """
    if sum(map(len, places.values())) > most_of_all:
        most = min(most, max(most_of_all // len(places), 1))
    for of_one in places.values():
        yield from of_one[-most:]


def _chunks(attempts: Sequence[KeptAttempt]) -> Iterator[Sequence[KeptAttempt]]:
    """
    At least one, which may be empty: it has the sums.
    """
    rest = iter(attempts)
    chunk: list[KeptAttempt] = []
    entries = 0
    for attempt in rest:
        chunk.append(attempt)
        entries += 1 + len(attempt.delivery_ids)
        if entries >= _MOST_ENTRIES:
            yield chunk
            chunk, entries = [], 0
    if chunk or not attempts:
        yield chunk


def _record(attempted: Attempted) -> AttemptRecord:
    outcome = attempted.outcome
    return AttemptRecord(
        subscription_id=attempted.subscription_id,
        delivery_id=attempted.delivery_id,
        attempt=attempted.attempt,
        ended_at_ms=round(attempted.ended_at_s * 1000),
        status=outcome.status,
        failure=outcome.failure or "",
        detail=outcome.detail,
        duration_ms=round(outcome.duration_s * 1000),
        destination=without_secrets(attempted.destination),
        address=outcome.address,
        decision=in_a_word(attempted.decision),
        event_count=1 + len(attempted.passenger_ids),
    )


def in_a_word(decision: Decision) -> str:
    """
    A decision, as `AttemptRecord` has it.
    """
    match decision:
        case Delivered():
            return "delivered"
        case RetryAfter():
            return "retry"
        case Park(reason=reason):
            return f"parked:{reason}"
        case Suspend():
            return "suspended"
