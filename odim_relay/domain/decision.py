"""
What becomes of a delivery after an attempt.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from odim_relay.domain.backoff import Backoff
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.event_service import EventServiceSettings
from odim_relay.domain.outcome import Outcome, Verdict, verdict_of
from odim_relay.domain.subscription import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """
    How often and when a failed delivery is tried again (ledger rule L24).

    Attributes:
        retries: after the first attempt.
    """

    retries: int
    backoff: Backoff

    def wait_s(self, policy: RetryPolicy, retry: int, draw: float) -> float:
        """
        The wait before retry number `retry` (from 1): only `RetryForeverWithBackoff` has growing ones.
        """
        return self.backoff.wait_s(retry if policy is RetryPolicy.FOREVER_WITH_BACKOFF else 1, draw)

    def under(self, said: EventServiceSettings) -> "Schedule":
        """
        The schedule with what the EventService sets otherwise; a longest interval that is shorter gives way.
        """
        backoff, interval_s = self.backoff, said.retry_interval_s
        if interval_s is not None:
            longest_s = max(backoff.max_interval_s, interval_s)
            backoff = replace(backoff, interval_s=interval_s, max_interval_s=longest_s)
        return Schedule(retries=self.retries if said.retry_attempts is None else said.retry_attempts, backoff=backoff)


@dataclass(frozen=True, slots=True)
class Delivered:
    """
    The destination answered 2xx.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAfter:
    """
    Try again after a wait, in seconds.
    """

    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """
    Keep it, without a task.
    """

    reason: ParkReason


@dataclass(frozen=True, slots=True)
class Suspend:
    """
    Keep it, and suspend its subscription: its destination says that it is gone.
    """


Decision: TypeAlias = Delivered | RetryAfter | Park | Suspend

DELIVERED = Delivered()


def decide(outcome: Outcome, attempt: int, schedule: Schedule, policy: RetryPolicy, draw: float) -> Decision:
    """
    Decide what becomes of a delivery after `attempt` (from 1) ended with `outcome`.

    A destination's own `Retry-After` wins over the schedule when it is longer.

    Args:
        draw: a random number in [0, 1), for the jitter.
    """
    match verdict_of(outcome):
        case Verdict.DELIVERED:
            return DELIVERED
        case Verdict.GONE:
            return Suspend()
        case Verdict.REJECTED:
            return Park(reason=ParkReason.REJECTED)
        case Verdict.TRANSIENT:
            if attempt > schedule.retries:
                return Park(reason=ParkReason.EXHAUSTED)
            return RetryAfter(wait_s=max(schedule.wait_s(policy, attempt, draw), outcome.retry_after_s or 0.0))
