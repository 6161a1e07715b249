"""
Events that the relay makes itself, on their way to subscriptions.
"""

from collections.abc import Sequence
from typing import Protocol

from odim_relay.ports.intake import NewDelivery, NewEvent
from odim_relay.ports.outbox import Telling, TellRefusal
from odim_relay.ports.tasks import Aftermath


class AnnouncingLedger(Protocol):
    """
    The ledger, for events that come out of no Kafka record: test events, heartbeats, notices.
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

    def tell(
        self, event: NewEvent, deliveries: Sequence[NewDelivery], generation: int, telling: Telling
    ) -> Aftermath | TellRefusal:
        """
        The same of an event that tells a change, which leaves the outbox with that, or keeps in mind whom it reached:
        at once or not at all, so that each of its readers gets it once, whoever is killed.

        Raises:
            TransientError: as `announce`.
        """
        ...
