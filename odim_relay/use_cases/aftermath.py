"""
What a change of the ledger leaves to be done.
"""

from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, Notice, Publisher
from odim_relay.telemetry import logger

log = logger(__name__)


def settle(aftermath: Aftermath, publisher: Publisher) -> bool:
    """
    Publish what may go and log what changed.

    Returns:
        False when the broker did not take the tickets: the reaper publishes them later.
    """
    for notice in aftermath.notices:
        _tell(notice)
    if not aftermath.tickets:
        return True
    try:
        publisher.publish(aftermath.tickets)
    except TransientError as exc:
        log.warning("deliveries.not_published", count=len(aftermath.tickets), detail=str(exc))
        return False
    return True


def _tell(notice: Notice) -> None:
    match notice.name.split("_", 1):
        case ["breaker", "closed"]:
            log.info("breaker.closed", destination_id=notice.subject)
        case ["breaker", "opened"]:
            log.warning("breaker.opened", destination_id=notice.subject)
        case ["suspended", reason]:
            log.warning("subscription.suspended", subscription_id=notice.subject, reason=reason)
        case ["terminated"]:
            log.warning("subscription.terminated", subscription_id=notice.subject)
        case _:
            log.warning("ledger.changed", change=notice.name, subject=notice.subject)
