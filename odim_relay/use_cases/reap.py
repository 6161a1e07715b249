"""
Repair: what lapsed is queued again.
"""

from odim_relay.ports import Publisher, ReapLedger
from odim_relay.telemetry import logger
from odim_relay.use_cases.aftermath import settle

log = logger(__name__)

_MOST_ROUNDS = 200


class Reap:
    """
    The work of the reap task; safe to run twice at once (L28).
    """

    def __init__(self, *, ledger: ReapLedger, publisher: Publisher) -> None:
        self._ledger = ledger
        self._publisher = publisher

    def __call__(self) -> int:
        """
        Handle everything that lapsed, in bounded steps. Returns how many deliveries were queued again.

        Raises:
            TransientError: a store cannot be reached; what was not published lapses again.
        """
        reaped = 0
        for _ in range(_MOST_ROUNDS):
            aftermath, more = self._ledger.reap(queue_is_empty=self._publisher.queue_depth() == 0)
            settle(aftermath, self._publisher)
            reaped += len(aftermath.tickets)
            if not more:
                break
        if reaped:
            log.info("deliveries.reaped", count=reaped)
        return reaped
