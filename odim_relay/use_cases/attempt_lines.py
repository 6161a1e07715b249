"""
What is logged of attempts: one line each.
"""

from odim_relay.domain.decision import Decision, Delivered
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import Claim
from odim_relay.telemetry import logger

log = logger(__name__)


def log_attempt(claim: Claim, subscription: Subscription, outcome: Outcome, decision: Decision) -> None:
    """
    An attempt ended, and this is done about it.
    """
    if isinstance(decision, Delivered):
        log.debug(
            "delivery.attempted",
            delivery_id=claim.delivery_id,
            passenger_count=len(claim.passengers),
            attempt=claim.attempt,
            status=outcome.status,
        )
        return
    log.warning(
        "delivery.attempted",
        delivery_id=claim.delivery_id,
        subscription_id=claim.subscription_id,
        destination=without_secrets(subscription.destination),
        passenger_count=len(claim.passengers),
        attempt=claim.attempt,
        status=outcome.status,
        failure=outcome.failure,
        detail=outcome.detail,
        decision=type(decision).__name__,
        duration_s=round(outcome.duration_s, 3),
    )


def log_letter(claim: Claim, reason: ParkReason) -> None:
    """
    A delivery became a dead letter.
    """
    log.warning(
        "dead_letter.parked",
        delivery_id=claim.delivery_id,
        subscription_id=claim.subscription_id,
        attempt=claim.attempt,
        reason=reason,
    )
