"""
The ledger, for those who send deliveries and for the reaper.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.grouping import Grouping
from odim_relay.adapters.redis.shape_codec import decode_shape
from odim_relay.domain.delivery import ParkReason
from odim_relay.ports import Claim, LastAttempt, Refusal, TaskTicket

REAP_MOST = 500
BROKEN_AFTER_LAPSES = 3
_RETRY_GRACE_S = 10
_LONGEST_PATIENCE_S = 600
_COUNTDOWNS_PER_DESTINATION = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTimes:
    """
    How long the ledger waits for what, in seconds.

    Attributes:
        lease_s: a worker's right to a delivery that it claimed.
        patience_s: until the reaper first doubts that a queued task will come.
        max_countdown_s: the longest wait that a Celery countdown carries; longer ones are parked with their due time.
    """

    lease_s: float = 30.0
    patience_s: float = 30.0
    max_countdown_s: float = 900.0


class RedisDeliveryLedger:
    """
    `DeliveryLedger` and `ReapLedger` over Redis. Threads share it; their claims and completions travel together.
    """

    def __init__(self, scripts: Scripts, times: LedgerTimes) -> None:
        self._scripts = scripts
        self._times = times
        self._lease_ms = _ms(times.lease_s)
        self._steps: Grouping[str | TaskTicket, Claim | Refusal | None] = Grouping(self._step)

    def claim(self, ticket: TaskTicket) -> Claim | Refusal:
        """
        See `DeliveryLedger.claim`.
        """
        reply = self._steps.submit(ticket)
        if reply is None:
            raise AssertionError("the step answered a claim as a completion")
        return reply

    def complete(self, claim: Claim) -> None:
        """
        See `DeliveryLedger.complete`.
        """
        self._steps.submit(claim.delivery_id)

    def _step(self, ops: Sequence[str | TaskTicket]) -> Sequence[Claim | Refusal | None]:
        completions = [op for op in ops if isinstance(op, str)]
        tickets = [op for op in ops if isinstance(op, TaskTicket)]
        arguments: list[str | int] = [self._lease_ms, len(completions), *completions]
        for ticket in tickets:
            arguments += (ticket.delivery_id, ticket.seq)
        generation, *replies = self._scripts.run("step", *arguments)
        claims = (_claim(ticket, reply, int(generation)) for ticket, reply in zip(tickets, replies, strict=True))
        return [None if isinstance(op, str) else next(claims) for op in ops]

    def holds(self, claim: Claim) -> bool:
        """
        See `DeliveryLedger.holds`.
        """
        return bool(self._scripts.run("holds", claim.delivery_id, claim.lease))

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> TaskTicket | None:
        """
        See `DeliveryLedger.retry`. At most 32 deliveries of one destination wait in countdowns.
        """
        reply = self._fail(
            claim,
            "retry",
            last,
            _ms(wait_s),
            _ms(self._times.max_countdown_s),
            _COUNTDOWNS_PER_DESTINATION,
            sha256(last.destination.encode()).hexdigest()[:16],
            ParkReason.OVER_CAP,
            _ms(_RETRY_GRACE_S),
        )
        return _ticket(claim, reply, b"retrying")

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> bool:
        """
        See `DeliveryLedger.park`.
        """
        return self._fail(claim, "park", last, reason) is not None

    def release(self, claim: Claim) -> TaskTicket | None:
        """
        See `DeliveryLedger.release`.
        """
        reply = self._scripts.run("fail", claim.delivery_id, claim.lease, "release", "", _ms(self._times.patience_s))
        return _ticket(claim, reply, b"queued")

    def _fail(self, claim: Claim, action: str, last: LastAttempt, *arguments: str | int) -> Any:
        return self._scripts.run("fail", claim.delivery_id, claim.lease, action, encode_last(last), *arguments)

    def reap(self, *, queue_is_empty: bool) -> tuple[Sequence[TaskTicket], bool]:
        """
        See `ReapLedger.reap`.
        """
        more, *flat = self._scripts.run(
            "reap",
            REAP_MOST,
            int(queue_is_empty),
            _ms(self._times.patience_s),
            _ms(_LONGEST_PATIENCE_S),
            BROKEN_AFTER_LAPSES,
        )
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return [TaskTicket(delivery_id=id_.decode(), seq=int(seq)) for id_, seq in pairs], bool(more)


def encode_last(last: LastAttempt) -> str:
    """
    What the ledger keeps of a failed attempt, as JSON; absent members are left out.
    """
    outcome = last.outcome
    members = {
        "status": outcome.status,
        "failure": outcome.failure,
        "detail": outcome.detail,
        "destination": last.destination,
        "duration_ms": _ms(outcome.duration_s),
    }
    return json.dumps({name: value for name, value in members.items() if value not in (None, "")})


def _claim(ticket: TaskTicket, reply: Any, generation: int) -> Claim | Refusal:
    if isinstance(reply, bytes):
        return Refusal(reply.decode())
    lease, subscription, event, shape, attempt, payload, recorded_at_ms = reply
    return Claim(
        delivery_id=ticket.delivery_id,
        lease=int(lease),
        subscription_id=subscription.decode(),
        event_id=event.decode(),
        payload=payload,
        shape=decode_shape(shape),
        attempt=int(attempt),
        generation=generation,
        recorded_at_ms=int(recorded_at_ms),
    )


def _ticket(claim: Claim, reply: Any, expected: bytes) -> TaskTicket | None:
    if reply is None or reply[0] != expected:
        return None
    return TaskTicket(delivery_id=claim.delivery_id, seq=int(reply[1]))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
