"""
One attempt of one delivery: claim, send, tell the ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

from odim_relay.domain.backoff import Backoff
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome, Verdict, verdict_of
from odim_relay.domain.subscription import Mode, RetryPolicy, Subscription
from odim_relay.errors import TransientError
from odim_relay.formats.notices import buffer_exceeded
from odim_relay.formats.shaping import shape_body
from odim_relay.ports import (
    Aftermath,
    Claim,
    DeliveryLedger,
    LastAttempt,
    OutgoingRequest,
    Publisher,
    Refusal,
    Sender,
    TaskTicket,
)
from odim_relay.telemetry import logger
from odim_relay.use_cases.aftermath import settle
from odim_relay.use_cases.directory import SubscriptionDirectory

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """
    How often and when a failed delivery is tried again.

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


def decide(outcome: Outcome, attempt: int, schedule: Schedule, policy: RetryPolicy, draw: float) -> Decision:
    """
    Decide what becomes of a delivery after `attempt` (from 1) ended with `outcome`.

    A destination's own `Retry-After` wins over the schedule when it is longer.

    Args:
        draw: a random number in [0, 1), for the jitter.
    """
    match verdict_of(outcome):
        case Verdict.DELIVERED:
            return Delivered()
        case Verdict.GONE:
            return Suspend()
        case Verdict.REJECTED:
            return Park(reason=ParkReason.REJECTED)
        case Verdict.TRANSIENT:
            if attempt > schedule.retries:
                return Park(reason=ParkReason.EXHAUSTED)
            return RetryAfter(wait_s=max(schedule.wait_s(policy, attempt, draw), outcome.retry_after_s or 0.0))


_FAST_S = 1.0
_KNOWN = Outcome(status=200)
_RUN_MOST = 50
_RUN_S = 5.0


class Deliver:
    """
    The work of the delivery task. Threads share one instance.
    """

    def __init__(
        self,
        *,
        ledger: DeliveryLedger,
        directory: SubscriptionDirectory,
        sender: Sender,
        publisher: Publisher,
        schedule: Schedule,
        timeout_s: float,
        draw: Callable[[], float],
        now_s: Callable[[], float],
    ) -> None:
        """
        Args:
            draw: gives random numbers in [0, 1).
            now_s: gives the time, seconds since the epoch.
        """
        self._ledger = ledger
        self._directory = directory
        self._sender = sender
        self._publisher = publisher
        self._schedule = schedule
        self._timeout_s = timeout_s
        self._fixed_headers = (
            ("Content-Type", "application/json"),
            ("OData-Version", "4.0"),
        )
        self._draw = draw
        self._now_s = now_s

    def __call__(self, ticket: TaskTicket) -> TaskTicket | None:
        """
        Make one attempt, if the ticket is still good. Of an ordered subscription also what that lets go next, up to 50
        or for 5 s (L33): its deliveries go one by one, and each would else wait for its own task.

        Returns:
            what Celery is to count down to; None when there is nothing more to do.

        Raises:
            TransientError: the ledger cannot be reached; the reaper will find the delivery.
        """
        began_at_s = self._now_s()
        for _ in range(_RUN_MOST):
            claim = self._ledger.claim(ticket)
            if isinstance(claim, Refusal):
                log.debug("delivery.refused", delivery_id=ticket.delivery_id, seq=ticket.seq, reason=claim.reason)
                return None
            aftermath = self._try(claim)
            following = self._next_of_run(claim, aftermath, began_at_s)
            if following is None:
                settle(aftermath, self._publisher)
                return aftermath.retry
            settle(replace(aftermath, tickets=()), self._publisher)
            ticket = following
        self._publisher.publish([ticket])
        return None

    def _next_of_run(self, claim: Claim, aftermath: Aftermath, began_at_s: float) -> TaskTicket | None:
        is_run = claim.mode is Mode.ORDERED and aftermath.retry is None and len(aftermath.tickets) == 1
        if not is_run or aftermath.tickets[0].wait_s or self._now_s() - began_at_s >= _RUN_S:
            return None
        return aftermath.tickets[0]

    def _try(self, claim: Claim) -> Aftermath:
        try:
            return self._attempt(claim)
        except TransientError:
            raise
        except Exception as exc:
            # A fault of our own must not come back for ever (L20): a person looks at it.
            log.exception("delivery.broken", delivery_id=claim.delivery_id, attempt=claim.attempt)
            last = LastAttempt(outcome=Outcome(detail=f"{type(exc).__name__}: {exc}"), destination="")
            return self._ledger.park(claim, ParkReason.BROKEN, last)

    def _attempt(self, claim: Claim) -> Aftermath:
        subscription = self._directory.find(claim.subscription_id, claim.generation)
        if subscription is None:
            # Deleted since the claim: its next claim, by the reaper, lets it go and counts it.
            return replace(self._ledger.release(claim), tickets=())
        request = self._request(claim, subscription)
        outcome = self._tell_of_loss(claim, subscription, request) if claim.lost_count else _KNOWN
        if outcome is not None and verdict_of(outcome) is Verdict.DELIVERED:
            outcome = self._send(claim, request)
        if outcome is None:
            log.info("delivery.abandoned", delivery_id=claim.delivery_id, attempt=claim.attempt)
            return Aftermath()
        decision = decide(outcome, claim.attempt, self._schedule, subscription.retry_policy, self._draw())
        self._log(claim, subscription, outcome, decision)
        return self._act(claim, subscription, outcome, decision)

    def _send(self, claim: Claim, request: OutgoingRequest) -> Outcome | None:
        return self._sender.send(request, may_send=lambda: self._ledger.holds(claim), timeout_s=self._timeout_s)

    def _tell_of_loss(self, claim: Claim, subscription: Subscription, request: OutgoingRequest) -> Outcome | None:
        """
        Tell the subscriber that events of its left unsent, before it gets what is still there (L15). What comes of that
        is the attempt's outcome unless it is a success.
        """
        notice = buffer_exceeded(subscription.context, identity=f"{claim.delivery_id}/{claim.lost_count}")
        headers = tuple(pair for pair in request.headers if pair[0] != "webhook-id")
        request = replace(request, body=notice.body, headers=(*headers, ("webhook-id", notice.event_id)))
        outcome = self._send(claim, request)
        if outcome is not None and verdict_of(outcome) is Verdict.DELIVERED:
            self._ledger.told(claim)
        return outcome

    def _request(self, claim: Claim, subscription: Subscription) -> OutgoingRequest:
        return OutgoingRequest(
            url=subscription.destination,
            body=shape_body(claim.payload, claim.shape),
            headers=(
                *self._fixed_headers,
                *subscription.headers,
                ("webhook-id", claim.delivery_id),
                ("webhook-timestamp", str(int(self._now_s()))),
                ("x-odim-relay-attempt", str(claim.attempt)),
                *((("x-odim-relay-replay", "1"),) if claim.is_replay else ()),
            ),
        )

    def _act(self, claim: Claim, subscription: Subscription, outcome: Outcome, decision: Decision) -> Aftermath:
        if isinstance(decision, Delivered):
            return self._ledger.complete(claim, is_fast=outcome.duration_s <= _FAST_S)
        last = LastAttempt(outcome=outcome, destination=without_secrets(subscription.destination))
        match decision:
            case RetryAfter(wait_s=wait_s):
                return self._ledger.retry(claim, wait_s, last)
            case Park(reason=reason):
                return self._ledger.park(claim, reason, last)
            case Suspend():
                return self._ledger.suspend(claim, ParkReason.GONE, last)

    def _log(self, claim: Claim, subscription: Subscription, outcome: Outcome, decision: Decision) -> None:
        if isinstance(decision, Delivered):
            log.debug("delivery.attempted", delivery_id=claim.delivery_id, attempt=claim.attempt, status=outcome.status)
            return
        log.warning(
            "delivery.attempted",
            delivery_id=claim.delivery_id,
            subscription_id=claim.subscription_id,
            destination=without_secrets(subscription.destination),
            attempt=claim.attempt,
            status=outcome.status,
            failure=outcome.failure,
            detail=outcome.detail,
            decision=type(decision).__name__,
            duration_s=round(outcome.duration_s, 3),
        )


def without_secrets(url: str) -> str:
    """
    A URL without its user-info and query, for logs and listings.
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
