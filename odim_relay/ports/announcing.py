"""
Events that the relay makes itself, on their way to subscriptions.
"""

from collections.abc import Sequence
from typing import Protocol

from odim_relay.ports.intake import NewDelivery, NewEvent
from odim_relay.ports.tasks import Aftermath


class AnnouncingLedger(Protocol):
    """
    The ledger, for events that come out of no Kafka record: test events, heartbeats.
    """

    def announce(self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int) -> Aftermath | None:
        """
        Write the event with at most 500 of its deliveries (their `event_index` is 0) as `IngestLedger.ingest` does,
        but no position. The deliveries' ids must be new ones.

        Returns:
            with a ticket to publish for each delivery that may go; None, and nothing written, when the subscriptions
            are not those of `generation` any more.

        Raises:
            TransientError: also when the ledger is full.
        """
        ...
