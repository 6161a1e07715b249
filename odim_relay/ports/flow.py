"""
How deliveries flow: what a person may look at besides the deliveries themselves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from odim_relay.domain.circuit_breaker import Breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFlow:
    """
    How one subscription's deliveries flow. Instants are milliseconds since the epoch, by Redis's clock.

    Attributes:
        exists: the subscription was not deleted.
        destination_id: see `domain.destination_identity`; empty when it was never saved.
        suspended_by: why it is suspended, a value of `SuspendedBy` or of a newer version; empty when it is not.
        suspended_at_ms: 0 when it is not.
        failure_count: consecutive ones, as far as its retry policy counts them.
        unsaid_loss_count: events that expired or went over quota and that its subscriber was not told of yet.
    """

    subscription_id: str
    exists: bool
    destination_id: str = ""
    suspended_by: str = ""
    suspended_at_ms: int = 0
    failure_count: int = 0
    unsaid_loss_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationFlow:
    """
    One destination: its breaker, and what is in flight to it. Instants as in `SubscriptionFlow`.

    Attributes:
        opened_at_ms: when the breaker left closed; 0 while it is closed.
        failure_count: consecutive ones.
        next_probe_at_ms: 0 while it is closed; in half-open, when the probe under way counts as lost.
        is_unreachable: it did not accept connections: it is knocked at by connection only.
        success_at_ms: when it took a delivery last, to the second; 0 when it never did.
    """

    destination_id: str
    breaker: Breaker = Breaker.CLOSED
    opened_at_ms: int = 0
    failure_count: int = 0
    next_probe_at_ms: int = 0
    is_unreachable: bool = False
    in_flight_count: int = 0
    success_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workforce:
    """
    Worker processes that claimed something within the last minute, and their slots together.
    """

    worker_count: int
    slot_count: int


class FlowListing(Protocol):
    """
    Breakers, suspensions and workers, for people.
    """

    def subscriptions(self, subscription_ids: Iterable[str]) -> Mapping[str, SubscriptionFlow]:
        """
        Read these, also such as do not exist.
        """
        ...

    def destinations(self, destination_ids: Iterable[str]) -> Mapping[str, DestinationFlow]:
        """
        Read these; one that never failed is closed.
        """
        ...

    def workforce(self) -> Workforce:
        """
        Count who works. Workers that have nothing to do are not seen.
        """
        ...
