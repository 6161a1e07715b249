"""
The ledger, for those who look after what is parked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from odim_relay.ports.tasks import Aftermath


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """
    A destination that is to be connected to, and one of the subscriptions that tell how.
    """

    destination_id: str
    subscription_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayStep:
    """
    What one look at parked deliveries came to.

    Attributes:
        has_more: more subscriptions are due.
        connections: to be tried, each destination once (L30).
    """

    aftermath: Aftermath
    has_more: bool
    connections: Sequence[Connection] = ()


class SuspendedBy(StrEnum):
    """
    Why a subscription is suspended.
    """

    HAND = "by_hand"
    ATTEMPTS = "attempts_used_up"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """
    What resuming a subscription found.

    Attributes:
        was_suspended: else nothing had to be resumed.
        parked_count: deliveries that are parked for it, for whatever reason.
    """

    was_suspended: bool
    parked_count: int
    aftermath: Aftermath


class BacklogLedger(Protocol):
    """
    What is parked. Each call handles a bounded number of records (L8) and is safe to repeat or run twice at once (L28).
    """

    def replay(self) -> ReplayStep:
        """
        Look at the next subscriptions with parked deliveries: let go what may, probe destinations whose time has come.
        """
        ...

    def connected(self, destination_id: str, *, accepts: bool) -> Aftermath:
        """
        Tell what came of connecting to a destination; once it accepts, a probe with a delivery follows at once.
        """
        ...

    def expire(self, cursor: int) -> tuple[int, int, Aftermath]:
        """
        Let deliveries go whose retention ended: the next cursor, 0 after the last step, and how many. Begin with 0.
        """
        ...

    def release(self, delivery_ids: Sequence[str]) -> tuple[int, Aftermath]:
        """
        Let parked deliveries take their turn now, also those that only a person sends again; tells how many there were.
        """
        ...

    def discard(self, delivery_ids: Sequence[str]) -> tuple[int, Aftermath]:
        """
        Let parked deliveries go unsent; tells how many there were.
        """
        ...

    def suspend(self, subscription_id: str, reason: SuspendedBy) -> bool | None:
        """
        Suspend a subscription: it goes on collecting. False when it was suspended already, None when there is none.
        """
        ...

    def resume(self, subscription_id: str, within_s: float | None) -> Resumed | None:
        """
        Resume a subscription: what waited goes on, oldest first; what is older than `within_s` is discarded instead.
        None when there is no such subscription.
        """
        ...

    def wake(self, subscription_id: str) -> Aftermath:
        """
        Look at one subscription now, as `replay` does.
        """
        ...
