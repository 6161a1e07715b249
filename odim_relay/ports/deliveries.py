"""
The ledger, for those who send deliveries and for the reaper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.event import Shape
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Mode
from odim_relay.ports.tasks import Aftermath, TaskTicket


@dataclass(frozen=True, slots=True, kw_only=True)
class Passenger:
    """
    A delivery that goes in another one's request, under the lease of that one's claim.

    Attributes:
        recorded_at_ms, traceparent: as of `Claim`.
    """

    delivery_id: str
    event_id: str
    payload: bytes
    shape: Shape
    recorded_at_ms: int = 0
    traceparent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """
    The right to make one attempt, until its lease ends.

    Attributes:
        lease: to be given back with the outcome.
        attempt: 1 for the first over the life of the delivery.
        generation: of the subscriptions, now: a cache that is older must be refreshed before sending.
        destination_id, breaker_generation: whose breaker the outcome counts for, and as it was at the claim (L29).
        is_replay: it was parked after an attempt.
        lost_count: events of this subscription that left unsent and that the subscriber was not told of (L15).
        recorded_at_ms: Kafka's timestamp of the record, milliseconds since the epoch.
        traceparent: of the event, as `NewEvent` has it.
        room: how many passengers it may have; 0 when nothing waits, or its subscription wants no batches.
        passengers: what goes with it, oldest first; its outcome is theirs.
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
    destination_id: str = ""
    breaker_generation: int = 0
    is_replay: bool = False
    mode: Mode = Mode.AT_LEAST_ONCE
    lost_count: int = 0
    traceparent: str = ""
    room: int = 0
    passengers: tuple[Passenger, ...] = ()


class Refusal:
    """
    The task may not act: another claimed the delivery, it was delivered, its subscription is gone, or it was parked
    because its subscription is suspended, its destination's breaker open or too much in flight there.
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

    def join(self, claim: Claim, most_bytes: int) -> Claim:
        """
        Let what waits longest for the same subscription go with the claimed delivery, as far as there is room: PARKED
        becomes SENDING under the claim's lease. What is too old by now leaves the ledger.

        Nobody goes with more than it may: after a failure with half as many as were together then, so that the one to
        blame stands alone in the end. An ordered subscription has nobody passed over. Asking twice lets others join.

        Args:
            most_bytes: of the passengers' payloads together.

        Returns:
            the claim with its passengers; with none when the lease is not held, or its subscription suspended.
        """
        ...

    def unload(self, claim: Claim, passengers: Sequence[Passenger]) -> None:
        """
        Put passengers back to their places, as if they had never left them: SENDING becomes PARKED.
        """
        ...

    def holds(self, claim: Claim) -> bool:
        """
        Tell whether the lease still runs and the subscription still exists.
        """
        ...

    def complete(self, claim: Claim, *, is_fast: bool = False, is_slowing: bool = False) -> Aftermath:
        """
        Remove the delivery and its passengers: they were answered 2xx. Does so whatever their states by then (L21);
        repeating it is harmless.

        It lets go what waited for it: the next of a full window, and everything that waits when it closed the breaker.

        Args:
            is_fast: the answer came fast, so that its destination may have more than its share in flight (L18).
            is_slowing: answers get slow there: half as many of its subscription may be under way, once a second at
                most.
        """
        ...

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> Aftermath:
        """
        SENDING becomes RETRYING, due after `wait_s`; parked where no countdown is to carry it (L22) or the breaker is
        open; a replay returns to its place (L24). The attempt counts for breaker and subscription, once. Passengers go
        back to their places as if they had not gone, but go next with half as many at most.

        Returns:
            with `retry` unless it was parked or the lease is not held any more.
        """
        ...

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        """
        SENDING becomes PARKED, if the lease is held still; `exhausted` with a time at which it is replayed. The attempt
        counts for breaker and subscription. Passengers go back to their places. With passengers, `rejected` and
        `broken` blame nobody yet: all go back, the claimed delivery too, to go next with half as many at most.
        """
        ...

    def suspend(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        """
        Park it, and suspend its subscription for the same reason. Passengers go back to their places.
        """
        ...

    def release(self, claim: Claim) -> Aftermath:
        """
        SENDING becomes QUEUED again without an attempt counted. Passengers go back to their places.
        """
        ...

    def told(self, claim: Claim) -> None:
        """
        The subscriber was told of `lost_count` events.
        """
        ...


class ReapLedger(Protocol):
    """
    The ledger's own repair (L23, L26, L27).
    """

    def reap(self, *, queue_is_empty: bool) -> tuple[Aftermath, bool]:
        """
        Handle at most 500 deliveries whose deadline lapsed. Tells also whether more have lapsed already.
        """
        ...
