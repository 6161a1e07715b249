"""
Retention: what waited too long leaves, counted.
"""

from odim_relay.ports import BacklogLedger, Publisher
from odim_relay.telemetry import logger
from odim_relay.use_cases.aftermath import settle

log = logger(__name__)

_MOST_ROUNDS = 2_000


class Expire:
    """
    The work of the expire task; safe to run twice at once (L28).
    """

    def __init__(self, *, ledger: BacklogLedger, publisher: Publisher) -> None:
        self._ledger = ledger
        self._publisher = publisher

    def __call__(self) -> int:
        """
        Walk all backlogs once, and again while something left. Returns how many deliveries did.

        Raises:
            TransientError: the ledger cannot be reached; the next run goes on.
        """
        cursor, expired, expired_in_walk = 0, 0, 0
        for _ in range(_MOST_ROUNDS):
            cursor, gone, aftermath = self._ledger.expire(cursor)
            settle(aftermath, self._publisher)
            expired += gone
            expired_in_walk += gone
            if cursor == 0:
                if expired_in_walk == 0:
                    break
                expired_in_walk = 0
        if expired:
            log.warning("deliveries.expired", count=expired)
        return expired
