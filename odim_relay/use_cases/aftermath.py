"""
What a change of the ledger leaves to be done.
"""

from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, Publisher
from odim_relay.telemetry import logger

log = logger(__name__)

_LEVELS = {"breaker_closed": "info"}


def settle(aftermath: Aftermath, publisher: Publisher) -> bool:
    """
    Publish what may go and log what changed.

    Returns:
        False when the broker did not take the tickets: the reaper publishes them later.
    """
    for notice in aftermath.notices:
        tell = log.info if notice.name in _LEVELS else log.warning
        tell(f"relay.{notice.name}", subject=notice.subject)
    if not aftermath.tickets:
        return True
    try:
        publisher.publish(aftermath.tickets)
    except TransientError as exc:
        log.warning("deliveries.not_published", count=len(aftermath.tickets), detail=str(exc))
        return False
    return True
