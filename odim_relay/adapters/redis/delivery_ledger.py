"""
The ledger, for those who send deliveries and for the reaper.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.grouping import Grouping
from odim_relay.adapters.redis.replies import notices_of, tickets_of
from odim_relay.adapters.redis.shape_codec import decode_shape
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome, standing_of
from odim_relay.domain.subscription import Mode
from odim_relay.ports import Aftermath, Claim, LastAttempt, Notice, Passenger, Refusal, TaskTicket


@dataclass(frozen=True, slots=True)
class _Completion:
    claim: Claim
    is_fast: bool
    is_slowing: bool = False

    @property
    def answered(self) -> str:
        return "slowing" if self.is_slowing else "fast" if self.is_fast else ""


class RedisDeliveryLedger:
    """
    `DeliveryLedger` and `ReapLedger` over Redis. Threads share it; their claims and completions travel together.
    """

    def __init__(self, scripts: Scripts, *, worker: str = "worker") -> None:
        """
        Args:
            worker: name of this process, unique among all.
        """
        self._scripts = scripts
        self._worker = worker
        self._steps: Grouping[_Completion | TaskTicket, Claim | Refusal | Aftermath] = Grouping(self._step)

    def claim(self, ticket: TaskTicket) -> Claim | Refusal:
        """
        See `DeliveryLedger.claim`.
        """
        reply = self._steps.submit(ticket)
        if isinstance(reply, Aftermath):
            raise TypeError("the step answered a claim as a completion")
        return reply

    def complete(self, claim: Claim, *, is_fast: bool = False, is_slowing: bool = False) -> Aftermath:
        """
        See `DeliveryLedger.complete`.
        """
        reply = self._steps.submit(_Completion(claim, is_fast, is_slowing))
        if not isinstance(reply, Aftermath):
            raise TypeError("the step answered a completion as a claim")
        return reply

    def _step(self, ops: Sequence[_Completion | TaskTicket]) -> Sequence[Claim | Refusal | Aftermath]:
        completions = [op for op in ops if isinstance(op, _Completion)]
        claimed = [op for op in ops if isinstance(op, TaskTicket)]
        arguments: list[str | int] = [self._worker, len(completions)]
        for completion in completions:
            claim = completion.claim
            arguments += (claim.delivery_id, claim.lease, claim.subscription_id, claim.destination_id)
            arguments += (
                claim.breaker_generation,
                completion.answered,
                len(claim.passengers),
                *_ids(claim.passengers),
            )
        for ticket in claimed:
            arguments += (ticket.delivery_id, ticket.seq)
        generation, tickets, notices, *replies = self._scripts.run("step", *arguments)
        aftermath = iter(_shares(tickets_of(tickets), notices_of(notices), len(completions)))
        claims = (_claim(ticket, reply, int(generation)) for ticket, reply in zip(claimed, replies, strict=True))
        return [next(aftermath) if isinstance(op, _Completion) else next(claims) for op in ops]

    def join(self, claim: Claim, most_bytes: int) -> Claim:
        """
        See `DeliveryLedger.join`. At most as many are looked at as one script admits.
        """
        flat = self._scripts.run(
            "join", claim.delivery_id, claim.lease, claim.subscription_id, claim.room, max(most_bytes, 0)
        )
        passengers = tuple(
            Passenger(
                delivery_id=id_.decode(),
                event_id=event.decode(),
                shape=decode_shape(shape),
                payload=payload,
                recorded_at_ms=int(recorded_at_ms),
                traceparent=traceparent.decode(),
            )
            for id_, event, shape, payload, recorded_at_ms, traceparent in zip(*[iter(flat)] * 6, strict=True)
        )
        return replace(claim, passengers=passengers)

    def unload(self, claim: Claim, passengers: Sequence[Passenger]) -> None:
        """
        See `DeliveryLedger.unload`.
        """
        self._scripts.run("unload", claim.delivery_id, claim.lease, claim.subscription_id, *_ids(passengers))

    def holds(self, claim: Claim) -> bool:
        """
        See `DeliveryLedger.holds`.
        """
        destination = claim.destination_id if claim.mode is Mode.AT_MOST_ONCE else ""
        return bool(self._scripts.run("holds", claim.delivery_id, claim.lease, claim.subscription_id, destination))

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> Aftermath:
        """
        See `DeliveryLedger.retry`. At most 32 deliveries of one destination wait in countdowns.
        """
        return self._fail(claim, last, "retry", _ms(wait_s))

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        """
        See `DeliveryLedger.park`.
        """
        return self._fail(claim, last, "park", reason)

    def suspend(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        """
        See `DeliveryLedger.suspend`.
        """
        return self._fail(claim, last, "suspend", reason)

    def release(self, claim: Claim) -> Aftermath:
        """
        See `DeliveryLedger.release`.
        """
        return self._fail(claim, LastAttempt(outcome=Outcome(), destination=""), "release", "")

    def told(self, claim: Claim) -> None:
        """
        See `DeliveryLedger.told`.
        """
        self._scripts.run("told", claim.subscription_id, claim.lost_count)

    def _fail(self, claim: Claim, last: LastAttempt, action: str, detail: str | int) -> Aftermath:
        what, seq, wait_ms, tickets, notices = self._scripts.run(
            "fail",
            claim.delivery_id,
            claim.lease,
            claim.subscription_id,
            claim.destination_id,
            claim.breaker_generation,
            standing_of(last.outcome),
            _ms(last.outcome.retry_after_s or 0.0),
            encode_last(last),
            action,
            detail,
            *_ids(claim.passengers),
        )
        retry = TaskTicket(
            delivery_id=claim.delivery_id,
            subscription_id=claim.subscription_id,
            seq=int(seq),
            wait_s=int(wait_ms) / 1000,
        )
        return Aftermath(
            retry=retry if what == b"retrying" else None, tickets=tickets_of(tickets), notices=notices_of(notices)
        )

    def reap(self, *, queue_is_empty: bool) -> tuple[Aftermath, bool]:
        """
        See `ReapLedger.reap`.
        """
        more, tickets, notices = self._scripts.run("reap", int(queue_is_empty))
        return Aftermath(tickets=tickets_of(tickets), notices=notices_of(notices)), bool(more)


def _ids(passengers: Sequence[Passenger]) -> list[str]:
    return [passenger.delivery_id for passenger in passengers]


def _shares(tickets: Sequence[TaskTicket], notices: Sequence[Notice], count: int) -> Sequence[Aftermath]:
    """
    Share out what a group of completions let go: one ticket each, so that each caller may go on with its own, and what
    is left over to the first.
    """
    if not count:
        return ()
    rest = len(tickets) - count
    first = tickets[: max(rest, 0) + 1]
    return (
        Aftermath(tickets=first, notices=notices),
        *(Aftermath(tickets=(ticket,)) for ticket in tickets[len(first) :]),
        *(Aftermath() for _ in range(-rest if tickets else count - 1)),
    )


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
    lease, subscription, event, shape, attempt, payload, recorded_at_ms, destination, breaker, *rest = reply
    replay, mode, lost, room, traceparent = rest
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
        destination_id=destination.decode(),
        breaker_generation=int(breaker),
        is_replay=bool(replay),
        mode=Mode(mode.decode() or Mode.AT_LEAST_ONCE),
        lost_count=int(lost),
        room=int(room),
        traceparent=traceparent.decode(),
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
