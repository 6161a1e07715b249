"""
One attempt of one delivery: claim, send, decide, tell the ledger.
"""

from collections.abc import Callable
from dataclasses import replace

from odim_relay.domain.decision import Decision, Delivered, Park, RetryAfter, Schedule, Suspend, decide
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.outcome import Failure, Outcome, Verdict, verdict_of
from odim_relay.domain.subscription import Mode, Subscription
from odim_relay.errors import SealedError, TransientError
from odim_relay.formats.notices import buffer_exceeded
from odim_relay.ports import (
    Aftermath,
    Claim,
    DeliveryLedger,
    LastAttempt,
    Publisher,
    Refusal,
    Signer,
    TaskTicket,
    Tracer,
)
from odim_relay.telemetry import logger
from odim_relay.use_cases.aftermath import settle
from odim_relay.use_cases.attempt_lines import log_attempt, log_letter
from odim_relay.use_cases.attempt_log import Attempted, in_a_word
from odim_relay.use_cases.backups import SendWithBackups
from odim_relay.use_cases.boarding import Parcel, board, pack
from odim_relay.use_cases.directory import SubscriptionDirectory
from odim_relay.use_cases.outgoing import outgoing_request
from odim_relay.use_cases.pulses import Pulses

log = logger(__name__)

_FAST_S = 1.0
_SHORTEST_TIMEOUT_S = 1.0
_BROKEN = Park(reason=ParkReason.BROKEN)
_SHORT_RUN = (8, 1.0)
_RUNS = {Mode.ORDERED: (50, 5.0)}
"""
How many deliveries one task makes at most, and for how many seconds: others wait for its place.
"""


class Deliver:
    """
    The work of the delivery task. Threads share one instance.
    """

    def __init__(  # noqa: PLR0913 - by keyword, and in one place
        self,
        *,
        ledger: DeliveryLedger,
        directory: SubscriptionDirectory,
        send: SendWithBackups,
        publisher: Publisher,
        schedule: Schedule,
        timeout_s: float,
        draw: Callable[[], float],
        now_s: Callable[[], float],
        signer: Signer,
        note: Callable[[Attempted], None],
        tracer: Tracer,
    ) -> None:
        """
        Args:
            schedule: where the EventService does not say otherwise.
            timeout_s: the deadline of an attempt; the ledger's lease is longer.
            draw: gives random numbers in [0, 1).
            now_s: gives the time, seconds since the epoch.
            note: takes note of each attempt that ended.
        """
        self._ledger = ledger
        self._directory = directory
        self._post_to_any = send
        self._publisher = publisher
        self._schedule = schedule
        self._timeout_s = timeout_s
        self._draw = draw
        self._now_s = now_s
        self._signer = signer
        self._note = note
        self._tracer = tracer
        self._pulses = Pulses()

    def __call__(self, ticket: TaskTicket) -> TaskTicket | None:
        """
        Make one attempt, if the ticket is still good, and go on with the one that this lets go (L33).

        Returns:
            what Celery is to count down to; None when there is nothing more to do.

        Raises:
            TransientError: the ledger cannot be reached; the reaper will find the delivery.
        """
        claim = self._claim(ticket)
        if claim is None:
            return None
        aftermath = self._try(claim)
        if _next_of_run(aftermath) is not None:
            aftermath = self._go_on(aftermath, *_RUNS.get(claim.mode, _SHORT_RUN))
        settle(aftermath, self._publisher)
        return aftermath.retry

    def _go_on(self, aftermath: Aftermath, most: int, longest_s: float) -> Aftermath:
        """
        Send the one that was let go, and so on: what goes one by one would else wait for a task of its own each time.

        Returns:
            what the last attempt left to be done, its next ticket among it.
        """
        ends_at_s = self._now_s() + longest_s
        for _ in range(most - 1):
            following = _next_of_run(aftermath)
            if following is None or self._now_s() >= ends_at_s:
                break
            settle(replace(aftermath, tickets=()), self._publisher)
            claim = self._claim(following)
            if claim is None:
                return Aftermath()
            aftermath = self._try(claim)
        return aftermath

    def _claim(self, ticket: TaskTicket) -> Claim | None:
        claim = self._ledger.claim(ticket)
        if isinstance(claim, Refusal):
            log.debug("delivery.refused", delivery_id=ticket.delivery_id, seq=ticket.seq, reason=claim.reason)
            return None
        return claim

    def _try(self, claim: Claim) -> Aftermath:
        try:
            subscription = self._directory.find(claim.subscription_id, claim.generation)
            if subscription is None:
                # Deleted since the claim. Its next claim lets it go and counts it; that can wait for the reaper.
                return replace(self._ledger.release(claim), tickets=())
            claim = board(claim, self._ledger)
            return self._attempt(pack(claim, subscription, self._ledger), subscription)
        except TransientError:
            raise
        except Exception as exc:
            # A fault of our own must not come back for ever (L20): a person looks at it.
            log.exception("delivery.broken", delivery_id=claim.delivery_id, attempt=claim.attempt)
            outcome = _broken(exc)
            self._note_end(claim, "", outcome, _BROKEN)
            return self._ledger.park(claim, ParkReason.BROKEN, LastAttempt(outcome=outcome, destination=""))

    def _attempt(self, parcel: Parcel, subscription: Subscription) -> Aftermath:
        claim = parcel.claim
        span = self._tracer.attempt(claim, subscription.destination)
        try:
            outcome = self._send(parcel, subscription, span.traceparent)
        except TransientError:
            raise
        except Exception as exc:
            span.end(_broken(exc), in_a_word(_BROKEN))
            raise
        if outcome is None:
            log.info("delivery.abandoned", delivery_id=claim.delivery_id, attempt=claim.attempt)
            return Aftermath()
        schedule = self._schedule.under(self._directory.settings)
        decision = decide(outcome, claim.attempt, schedule, subscription.retry_policy, self._draw())
        log_attempt(claim, subscription, outcome, decision)
        self._note_end(claim, subscription.destination, outcome, decision)
        span.end(outcome, in_a_word(decision))
        return self._act(claim, subscription, outcome, decision)

    def _note_end(self, claim: Claim, destination: str, outcome: Outcome, decision: Decision) -> None:
        passengers = claim.passengers
        self._note(
            Attempted(
                subscription_id=claim.subscription_id,
                delivery_id=claim.delivery_id,
                attempt=claim.attempt,
                ended_at_s=self._now_s(),
                destination=destination,
                outcome=outcome,
                decision=decision,
                passenger_ids=tuple([one.delivery_id for one in passengers]) if passengers else (),
                recorded_at_ms=(claim.recorded_at_ms, *[one.recorded_at_ms for one in passengers]),
            )
        )

    def _send(self, parcel: Parcel, subscription: Subscription, traceparent: str) -> Outcome | None:
        """
        Send the event; to a subscriber that lost some, first word of that, whose failure is the attempt's (L15).

        Returns:
            None when the claim is not good any more; the event was not sent then.
        """
        if subscription.sealed_by:
            return _withheld(subscription)
        claim = parcel.claim
        if not claim.lost_count:
            return self._post(claim, subscription, parcel.webhook_id, parcel.body, self._timeout_s, traceparent)
        told = self._tell_of_loss(claim, subscription)
        if told is None or verdict_of(told) in {Verdict.TRANSIENT, Verdict.GONE}:
            return told
        # The lease has room for one deadline, and a right to send does not last (L17).
        if not self._ledger.holds(claim):
            return None
        left_s = max(self._timeout_s - told.duration_s, _SHORTEST_TIMEOUT_S)
        return self._post(claim, subscription, parcel.webhook_id, parcel.body, left_s, traceparent)

    def _tell_of_loss(self, claim: Claim, subscription: Subscription) -> Outcome | None:
        """
        Tell the subscriber that events of its left unsent. One that refuses to hear it is told once, too.
        """
        notice = buffer_exceeded(subscription.context, identity=f"{claim.delivery_id}/{claim.lost_count}")
        outcome = self._post(claim, subscription, notice.event_id, notice.body, self._timeout_s)
        if outcome is not None and verdict_of(outcome) in {Verdict.DELIVERED, Verdict.REJECTED}:
            self._ledger.told(claim)
            log.info(
                "subscription.told_of_loss",
                subscription_id=claim.subscription_id,
                count=claim.lost_count,
                status=outcome.status,
            )
        return outcome

    def _post(
        self,
        claim: Claim,
        subscription: Subscription,
        webhook_id: str,
        body: bytes,
        timeout_s: float,
        traceparent: str = "",
    ) -> Outcome | None:
        backups = subscription.backup_destinations
        return self._post_to_any(
            outgoing_request(
                claim,
                subscription,
                webhook_id=webhook_id,
                body=body,
                now_s=self._now_s(),
                signer=self._signer,
                traceparent=traceparent,
            ),
            backups,
            # As it stands now, and not as it stood at the claim.
            group=destination_id(subscription) if backups else "",
            may_send=lambda: self._ledger.holds(claim),
            timeout_s=timeout_s,
        )

    def _act(self, claim: Claim, subscription: Subscription, outcome: Outcome, decision: Decision) -> Aftermath:
        if isinstance(decision, Delivered):
            is_slowing = self._pulses.is_slowing(claim.destination_id, outcome.duration_s, self._now_s())
            return self._ledger.complete(claim, is_fast=outcome.duration_s <= _FAST_S, is_slowing=is_slowing)
        last = LastAttempt(outcome=outcome, destination=without_secrets(subscription.destination))
        match decision:
            case RetryAfter(wait_s=wait_s):
                return self._ledger.retry(claim, wait_s, last)
            case Park(reason=reason):
                parked = self._ledger.park(claim, reason, last)
                # Who was refused together is sent again, with fewer.
                if not claim.passengers or reason is not ParkReason.REJECTED:
                    log_letter(claim, reason)
                return parked
            case Suspend():
                parked = self._ledger.suspend(claim, ParkReason.GONE, last)
                log_letter(claim, ParkReason.GONE)
                return parked


def _next_of_run(aftermath: Aftermath) -> TaskTicket | None:
    """
    The one ticket that a success let go, if it may go at once.
    """
    if aftermath.retry is not None or len(aftermath.tickets) != 1 or aftermath.tickets[0].wait_s:
        return None
    return aftermath.tickets[0]


def _broken(exc: Exception) -> Outcome:
    """
    What comes of an attempt that met a fault of our own.
    """
    return Outcome(detail=f"{type(exc).__name__}: {exc}")


def _withheld(subscription: Subscription) -> Outcome:
    """
    What comes of a delivery whose subscription's secrets cannot be read here: it waits, and goes when they can.
    """
    problem = str(SealedError("this subscription", subscription.sealed_by))
    return Outcome(failure=Failure.SEALED, detail=problem, is_unsent=True)
