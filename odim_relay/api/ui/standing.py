"""
How everything stands, read for all who look at it at once: with ten thousand subscriptions that is work.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Generic, NoReturn, TypeVar

from odim_relay import bootstrap
from odim_relay.api import store_answers
from odim_relay.api.recent import Recent
from odim_relay.api.ui.listing import Row, row_of
from odim_relay.domain.sample import Sample
from odim_relay.errors import TransientError
from odim_relay.use_cases.sample import read_sample
from odim_relay.use_cases.status import read_subscriptions

_OF_ONE_PROCESS = 30
_OLDEST_SHOWN_S = 4.0
_GIVE_UP_AFTER_S = 15.0

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

    While it is read anew, whoever asks gets the last answer, unless that is too old to be shown.
    """

    def __init__(self, read: Callable[[], T], *, max_age_s: float, patience_s: float = 0.3) -> None:
        """
        Args:
            max_age_s: an answer that is older is asked for anew.
            patience_s: so long a caller waits for that.
        """
        self._recent: Recent[_Answer[T]] = Recent(lambda: _Answer.of(read), max_age_s=max_age_s, patience_s=patience_s)

    def __call__(self) -> T:
        """
        The answer.

        Raises:
            TransientError: the store cannot be reached, or does not answer in time.
        """
        give_up_at_s = time.monotonic() + _GIVE_UP_AFTER_S
        while time.monotonic() < give_up_at_s:
            found = self._recent()
            if found is not None and time.monotonic() - found.at_s <= _OLDEST_SHOWN_S:
                return found.value()
        raise TransientError(f"there was no answer within {_GIVE_UP_AFTER_S:g} s")


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    at_s: float
    value: Callable[[], T]

    @classmethod
    def of(cls, read: Callable[[], T]) -> "_Answer[T]":
        try:
            found = read()
        except Exception as exc:  # noqa: BLE001 - raised again for whoever asks
            return cls(time.monotonic(), partial(_fail, exc))
        return cls(time.monotonic(), lambda: found)


def _fail(exc: Exception) -> NoReturn:
    raise exc


def _read_standing() -> Standing:
    figures, flows = bootstrap.ledger_figures(), bootstrap.flow_listing()
    directory = bootstrap.subscription_directory()
    found = directory.everything(bootstrap.subscription_store().generation())
    ordered = sorted(found, key=lambda one: (one.created_at_s, one.subscription_id))
    statuses = read_subscriptions(ordered, bootstrap.delivery_listing().backlogs(), flows, figures.now_ms())
    rows = [row_of(status, status.subscription) for status in statuses if status.subscription is not None]
    sample = read_sample(figures, flows, queue_depth=store_answers.queue_depth(), lag=store_answers.kafka_lag())
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
standing: Shared[Standing] = Shared(_read_standing, max_age_s=1.0)


def recent_samples(count: int) -> Sequence[Sample]:
    """
    The last of the samples that all share, oldest first.

    Raises:
        TransientError: Redis cannot be reached.
    """
    return _samples(count)()


@cache
def _samples(count: int) -> Shared[Sequence[Sample]]:
    return Shared(lambda: bootstrap.sample_store().last(count), max_age_s=3.0)


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
