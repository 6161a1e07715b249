"""
The ledger, for those who send deliveries and for the reaper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.event import Shape
from odim_relay.domain.outcome import Outcome
from odim_relay.ports.tasks import TaskTicket


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """
    The right to make one attempt, until its lease ends.

    Attributes:
        lease: to be given back with the outcome.
        attempt: 1 for the first over the life of the delivery.
        generation: of the subscriptions, now: a cache that is older must be refreshed before sending.
        recorded_at_ms: Kafka's timestamp of the record, milliseconds since the epoch.
    """

    delivery_id: str
    lease: int
    subscription_id: str
    event_id: str
    payload: bytes
    shape: Shape
    attempt: int
    generation: int
    recorded_at_ms: int


class Refusal:
    """
    The task may not act: another claimed the delivery, it was delivered, or its subscription is gone.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAttempt:
    """
    What the ledger keeps of a failed attempt.

    Attributes:
        destination: where it went, without user-info and query.
    """

    outcome: Outcome
    destination: str


class DeliveryLedger(Protocol):
    """
    The truth about deliveries, for those who send them.
    """

    def claim(self, ticket: TaskTicket) -> Claim | Refusal:
        """
        Take the delivery: QUEUED or RETRYING becomes SENDING and a lease starts. A ticket is good for one claim.

        A delivery whose subscription is gone leaves the ledger here, counted as `subscription_deleted`.
        """
        ...

    def holds(self, claim: Claim) -> bool:
        """
        Tell whether the lease still runs and the subscription still exists.
        """
        ...

    def complete(self, claim: Claim) -> None:
        """
        Remove the delivery: it was answered 2xx. Does so whatever its state by then (L21); repeating it is harmless.
        """
        ...

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> TaskTicket | None:
        """
        SENDING becomes RETRYING, due after `wait_s`; parked with that due time where no countdown is to carry it (L22).

        Returns:
            the ticket for a task with this countdown; None when it was parked or the lease is not held any more.
        """
        ...

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> bool:
        """
        SENDING becomes PARKED. Returns False when the lease is not held any more; then nothing was done.
        """
        ...

    def release(self, claim: Claim) -> TaskTicket | None:
        """
        SENDING becomes QUEUED again without an attempt counted; the ticket is to be published. None when not held.
        """
        ...


class ReapLedger(Protocol):
    """
    The ledger's own repair (L23, L26, L27).
    """

    def reap(self, *, queue_is_empty: bool) -> tuple[Sequence[TaskTicket], bool]:
        """
        Handle at most 500 deliveries whose deadline lapsed.

        Returns:
            tickets to publish, and whether more deadlines have lapsed already.
        """
        ...
