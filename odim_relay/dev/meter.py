"""
What the ledger says of a demonstration, read as any command would.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from odim_relay import bootstrap
from odim_relay.domain.delivery import DEAD_LETTER_REASONS
from odim_relay.ports import DestinationFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    Counts since the meter was set, and what is now.

    Attributes:
        under_way: queued, in sending, in a countdown, or parked with a due time.
        probes: deliveries that were sent to see whether the destination answers again.
        knocks: connections to the destination without a request.
        destination: the subscriber's, with its breaker.
        now_ms: the ledger's clock.
    """

    ingested: int = 0
    delivered: int = 0
    probes: int = 0
    knocks: int = 0
    breakers_opened: int = 0
    under_way: int = 0
    waiting: int = 0
    dead_letters: int = 0
    destination: DestinationFlow = field(default_factory=lambda: DestinationFlow(destination_id=""))
    now_ms: int = 0


class Meter:
    """
    Counts from where it was set.
    """

    def __init__(self, subscription_id: str) -> None:
        """
        Args:
            subscription_id: whose breaker is looked at.

        Raises:
            TransientError: Redis cannot be reached.
        """
        self._subscription_id = subscription_id
        self._base: Mapping[str, int] = bootstrap.ledger_figures().counters()

    def read(self) -> Reading:
        """
        Read all of it.

        Raises:
            TransientError: Redis cannot be reached.
        """
        figures, flows = bootstrap.ledger_figures(), bootstrap.flow_listing()
        counters = figures.counters()
        backlogs = bootstrap.delivery_listing().backlogs()
        parked = sum(backlog.count for backlog in backlogs)
        dead_letters = sum(backlog.count for backlog in backlogs if backlog.reason in DEAD_LETTER_REASONS)
        flow = flows.subscriptions([self._subscription_id])[self._subscription_id]

        def since_start(name: str) -> int:
            return counters.get(name, 0) - self._base.get(name, 0)

        return Reading(
            ingested=since_start("events_ingested"),
            delivered=since_start("deliveries:delivered"),
            probes=since_start("probes"),
            knocks=since_start("connection_probes"),
            breakers_opened=since_start("breakers_opened"),
            under_way=figures.active_count(),
            waiting=parked - dead_letters,
            dead_letters=dead_letters,
            destination=flows.destinations([flow.destination_id])[flow.destination_id],
            now_ms=figures.now_ms(),
        )
