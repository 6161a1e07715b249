"""
How everything stands, read for all who look at it at once: with ten thousand subscriptions that is work.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from odim_relay import bootstrap
from odim_relay.api.recent import Recent
from odim_relay.api.ui.listing import Row, row_of
from odim_relay.domain.sample import Sample
from odim_relay.errors import OdimRelayError, TransientError
from odim_relay.use_cases.readiness import Unreachable
from odim_relay.use_cases.sample import read_sample
from odim_relay.use_cases.status import PartitionStatus, partition_status, read_subscriptions

_OF_ONE_PROCESS = 30
_PATIENCE_S = 0.25
"""
A page waits no longer for what may hang; what is not known yet is told the next time.
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    All of it, at one moment.

    Attributes:
        rows: of the subscriptions that exist, oldest first.
        sample: the same in figures.
        is_enabled: the EventService sends.
        has_beat: somebody sends the schedule.
    """

    rows: Sequence[Row]
    sample: Sample
    is_enabled: bool
    quarantined_count: int
    slot_count: int
    has_beat: bool


class Shared(Generic[T]):
    """
    What is read once for all who ask within a moment. Threads share it.
    """

    def __init__(self, read: Callable[[], T], *, max_age_s: float, patience_s: float) -> None:
        """
        Args:
            patience_s: so long a caller waits for an answer that is newer than `max_age_s`; then it gets the last one.
        """
        self._recent: Recent[T | OdimRelayError] = Recent(
            lambda: _answer(read), max_age_s=max_age_s, patience_s=patience_s
        )

    def __call__(self) -> T:
        """
        The answer.

        Raises:
            TransientError: the store cannot be reached, or has not answered yet.
        """
        found = self._recent()
        if found is None:
            raise TransientError("there is no answer yet")
        if isinstance(found, OdimRelayError):
            raise found
        return found


def _answer(read: Callable[[], T]) -> T | OdimRelayError:
    try:
        return read()
    except OdimRelayError as exc:
        return exc


def _read_standing() -> Standing:
    figures, flows = bootstrap.ledger_figures(), bootstrap.flow_listing()
    directory = bootstrap.subscription_directory()
    found = directory.everything(bootstrap.subscription_store().generation())
    ordered = sorted(found, key=lambda one: (one.created_at_s, one.subscription_id))
    statuses = read_subscriptions(ordered, bootstrap.delivery_listing().backlogs(), flows, figures.now_ms())
    rows = [row_of(status, status.subscription) for status in statuses if status.subscription is not None]
    sample = read_sample(figures, flows, queue_depth=queue_depth(), lag=kafka_lag())
    _own_samples.append(sample)
    return Standing(
        rows=rows,
        sample=sample,
        is_enabled=directory.settings.is_enabled,
        quarantined_count=figures.sizes().quarantine_count,
        has_beat=figures.sizes().has_beat,
        slot_count=flows.workforce().slot_count,
    )


_own_samples: deque[Sample] = deque(maxlen=_OF_ONE_PROCESS)
standing: Shared[Standing] = Shared(_read_standing, max_age_s=1.0, patience_s=15.0)
"""
Waits for an answer rather than show an old one: what was just done is to be seen.
"""


def _ask_partitions() -> list[PartitionStatus]:
    with closing(bootstrap.kafka_source()) as source:
        return partition_status(source, bootstrap.ledger_figures().positions())


partitions: Recent[list[PartitionStatus]] = Recent(_ask_partitions, max_age_s=3.0, patience_s=_PATIENCE_S)
queue_depth: Recent[int] = Recent(lambda: bootstrap.publisher().queue_depth(), max_age_s=1.0, patience_s=_PATIENCE_S)
unreachable: Recent[list[Unreachable]] = Recent(bootstrap.readiness, max_age_s=3.0, patience_s=_PATIENCE_S)


def kafka_lag() -> int | None:
    """
    Records that Kafka holds and that were not taken in; None while it does not answer.
    """
    found = partitions()
    return None if found is None else sum(row.lag for row in found)


def recent_samples(count: int) -> Sequence[Sample]:
    """
    The last of the samples that all share, oldest first.

    Raises:
        TransientError: Redis cannot be reached.
    """
    return _samples(count)()


@cache
def _samples(count: int) -> Shared[Sequence[Sample]]:
    return Shared(lambda: bootstrap.sample_store().last(count), max_age_s=3.0, patience_s=5.0)


def earlier_sample(now: Sample, least_s: float = 8.0, most_s: float = 75.0) -> Sample | None:
    """
    A sample to compare with, of some seconds ago: one that all share, or where none was taken one of this process.

    Raises:
        TransientError: Redis cannot be reached.
    """
    known = [*_own_samples, *recent_samples(12)]
    ages = {(now.at_ms - one.at_ms) / 1000: one for one in known}
    fitting = {age_s: one for age_s, one in ages.items() if 0 < age_s <= most_s}
    if not fitting:
        return None
    long_enough = [age_s for age_s in fitting if age_s >= least_s]
    return fitting[min(long_enough) if long_enough else max(fitting)]
