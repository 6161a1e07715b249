"""
What a change of the ledger leaves to be done.
"""

from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, Publisher
from odim_relay.telemetry import logger

log = logger(__name__)


def settle(aftermath: Aftermath, publisher: Publisher) -> bool:
    """
    Publish what may go, and have told what changed.

    Returns:
        False when the broker did not take the tickets: the reaper publishes them later.
    """
    is_published = True
    if aftermath.tickets:
        try:
            publisher.publish(aftermath.tickets)
        except TransientError as exc:
            log.warning("deliveries.not_published", count=len(aftermath.tickets), detail=str(exc))
            is_published = False
    if aftermath.notices:
        have_told(publisher)
    return is_published


def have_told(publisher: Publisher) -> None:
    """
    Have somebody tell at once what changed. Where the broker is away the schedule does, soon.
    """
    try:
        publisher.call_to_tell()
    except TransientError as exc:
        log.debug("notices.not_called_for", detail=str(exc))
