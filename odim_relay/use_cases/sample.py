"""
Samples are taken, for plots over time.
"""

from collections.abc import Callable

from odim_relay.domain.delivery import DEAD_LETTER_REASONS
from odim_relay.domain.measures import ATTEMPTS, LATENCY, histogram
from odim_relay.domain.outcome import Verdict
from odim_relay.domain.sample import Sample
from odim_relay.errors import TransientError
from odim_relay.ports import FlowListing, LedgerFigures, SampleStore
from odim_relay.telemetry import logger

log = logger(__name__)

_REST_S = 60.0
"""
So long nobody asks what did not answer: asking Kafka takes seconds while it is away.
"""


class TakeSample:
    """
    The work of the sample task; safe to run twice at once (L28). For one thread.
    """

    def __init__(
        self,
        *,
        store: SampleStore,
        figures: LedgerFigures,
        flows: FlowListing,
        queue_depth: Callable[[], int],
        lag: Callable[[], int],
        monotonic_s: Callable[[], float],
    ) -> None:
        """
        Args:
            queue_depth, lag: ask the broker and Kafka; may raise `TransientError`.
            monotonic_s: gives seconds since some moment.
        """
        self._store = store
        self._figures = figures
        self._flows = flows
        self._queue_depth = queue_depth
        self._lag = lag
        self._monotonic_s = monotonic_s
        self._rests_until_s: dict[str, float] = {}

    def __call__(self) -> Sample:
        """
        Take one and keep it. Of the broker and Kafka it tells nothing while they are away.

        Raises:
            TransientError: Redis cannot be reached; nothing was kept.
        """
        sample = read_sample(
            self._figures,
            self._flows,
            queue_depth=self._asked("broker", self._queue_depth),
            lag=self._asked("kafka", self._lag),
        )
        self._store.add(sample)
        log.debug("sample.taken", queue_depth=sample.queue_depth, lag=sample.lag)
        return sample

    def _asked(self, store: str, ask: Callable[[], int]) -> int | None:
        now_s = self._monotonic_s()
        if now_s < self._rests_until_s.get(store, now_s):
            return None
        try:
            return ask()
        except TransientError as exc:
            self._rests_until_s[store] = now_s + _REST_S
            log.debug("sample.incomplete", store=store, detail=str(exc))
            return None


def read_sample(figures: LedgerFigures, flows: FlowListing, *, queue_depth: int | None, lag: int | None) -> Sample:
    """
    How everything stands now.

    Raises:
        TransientError: Redis cannot be reached.
    """
    counters, measured = figures.counters(), figures.measures()
    parked = figures.parked_counts()
    dead_letter_count = sum(count for reason, count in parked.items() if reason in DEAD_LETTER_REASONS)
    return Sample(
        at_ms=figures.now_ms(),
        ingested_count=counters.get("events_ingested", 0),
        delivered_count=counters.get("deliveries:delivered", 0),
        failed_count=sum(count for name, count in measured.items() if _is_failure(name)),
        latency_counts=tuple(count for _, count in histogram(LATENCY, measured)[0]),
        active_count=figures.active_count(),
        waiting_count=sum(parked.values()) - dead_letter_count,
        dead_letter_count=dead_letter_count,
        worker_count=flows.workforce().worker_count,
        queue_depth=queue_depth,
        lag=lag,
    )


def _is_failure(name: str) -> bool:
    return name.startswith(f"{ATTEMPTS}:") and not name.startswith(f"{ATTEMPTS}:{Verdict.DELIVERED}:")
