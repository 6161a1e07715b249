"""
One attempt of one delivery: claim, send, tell the ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

from odim_relay.domain.backoff import Backoff
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome, Verdict, verdict_of
from odim_relay.domain.subscription import Subscription
from odim_relay.errors import TransientError
from odim_relay.formats.shaping import shape_body
from odim_relay.ports import Claim, DeliveryLedger, LastAttempt, OutgoingRequest, Refusal, Sender, TaskTicket
from odim_relay.telemetry import logger
from odim_relay.use_cases.directory import SubscriptionDirectory

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """
    How often and when a failed delivery is tried again.

    Attributes:
        retries: after the first attempt.
    """

    retries: int
    backoff: Backoff


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


Decision: TypeAlias = Delivered | RetryAfter | Park


def decide(outcome: Outcome, attempt: int, policy: RetryPolicy, draw: float) -> Decision:
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
            return Park(reason=ParkReason.GONE)
        case Verdict.REJECTED:
            return Park(reason=ParkReason.REJECTED)
        case Verdict.TRANSIENT:
            if attempt > policy.retries:
                return Park(reason=ParkReason.EXHAUSTED)
            return RetryAfter(wait_s=max(policy.backoff.wait_s(attempt, draw), outcome.retry_after_s or 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """
    To be handed to Celery: this ticket, after this countdown.
    """

    ticket: TaskTicket
    wait_s: float


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
        policy: RetryPolicy,
        timeout_s: float,
        user_agent: str,
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
        self._policy = policy
        self._timeout_s = timeout_s
        self._fixed_headers = (
            ("Content-Type", "application/json"),
            ("OData-Version", "4.0"),
            ("User-Agent", user_agent),
        )
        self._draw = draw
        self._now_s = now_s

    def __call__(self, ticket: TaskTicket) -> Retrying | None:
        """
        Make one attempt, if the ticket is still good.

        Returns:
            what Celery is to retry, and when; None when there is nothing more to do.

        Raises:
            TransientError: the ledger cannot be reached; the reaper will find the delivery.
        """
        claim = self._ledger.claim(ticket)
        if isinstance(claim, Refusal):
            log.debug("delivery.refused", delivery_id=ticket.delivery_id, seq=ticket.seq, reason=claim.reason)
            return None
        try:
            return self._attempt(claim)
        except TransientError:
            raise
        except Exception as exc:
            # A fault of our own must not come back for ever (L20): a person looks at it.
            log.exception("delivery.broken", delivery_id=claim.delivery_id, attempt=claim.attempt)
            last = LastAttempt(outcome=Outcome(detail=f"{type(exc).__name__}: {exc}"), destination="")
            self._ledger.park(claim, ParkReason.BROKEN, last)
            return None

    def _attempt(self, claim: Claim) -> Retrying | None:
        subscription = self._directory.find(claim.subscription_id, claim.generation)
        if subscription is None:
            # Deleted since the claim: its next claim, by the reaper, lets it go and counts it.
            self._ledger.release(claim)
            return None
        outcome = self._sender.send(
            self._request(claim, subscription),
            may_send=lambda: self._ledger.holds(claim),
            timeout_s=self._timeout_s,
        )
        if outcome is None:
            log.info("delivery.abandoned", delivery_id=claim.delivery_id, attempt=claim.attempt)
            return None
        decision = decide(outcome, claim.attempt, self._policy, self._draw())
        self._tell(claim, subscription, outcome, decision)
        return self._act(claim, subscription, outcome, decision)

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
            ),
        )

    def _act(self, claim: Claim, subscription: Subscription, outcome: Outcome, decision: Decision) -> Retrying | None:
        match decision:
            case Delivered():
                self._ledger.complete(claim)
                return None
            case RetryAfter(wait_s=wait_s):
                last = LastAttempt(outcome=outcome, destination=without_secrets(subscription.destination))
                ticket = self._ledger.retry(claim, wait_s, last)
                return None if ticket is None else Retrying(ticket=ticket, wait_s=wait_s)
            case Park(reason=reason):
                last = LastAttempt(outcome=outcome, destination=without_secrets(subscription.destination))
                self._ledger.park(claim, reason, last)
                return None

    def _tell(self, claim: Claim, subscription: Subscription, outcome: Outcome, decision: Decision) -> None:
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
