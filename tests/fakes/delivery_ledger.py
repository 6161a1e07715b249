"""
The ledger in memory, for those who send deliveries and for the reaper.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.outcome import Outcome
from odim_relay.ports import Claim, LastAttempt, Refusal, TaskTicket
from tests.fakes.ledger_state import Kept, LedgerState

RETRY_GRACE_MS = 10_000
LONGEST_PATIENCE_MS = 600_000
BROKEN_AFTER_LAPSES = 3


@dataclass(slots=True, kw_only=True)
class Limits:
    lease_ms: int = 30_000
    patience_ms: int = 30_000
    max_countdown_ms: int = 900_000
    countdowns_per_destination: int = 32
    reap_most: int = 500


class InMemoryDeliveryLedger:
    """
    `DeliveryLedger` and `ReapLedger`.
    """

    def __init__(self, state: LedgerState, limits: Limits | None = None) -> None:
        self.state = state
        self.limits = limits or Limits()

    def claim(self, ticket: TaskTicket) -> Claim | Refusal:
        state = self.state
        kept = state.deliveries.get(ticket.delivery_id)
        if kept is None or kept.state is State.PARKED:
            return Refusal("gone")
        state.watermark = max(state.watermark, kept.ticket)
        if kept.seq != ticket.seq:
            return Refusal("stale")
        if kept.state is State.SENDING:
            return Refusal("not_claimable")
        if state.forget_orphan(kept):
            return Refusal("subscription_deleted")
        kept.countdown = ""
        kept.state = State.SENDING
        kept.seq += 1
        kept.attempts += 1
        state.deadlines[kept.delivery_id] = state.now_ms() + self.limits.lease_ms
        body = state.bodies[kept.event_id]
        return Claim(
            delivery_id=kept.delivery_id,
            lease=kept.seq,
            subscription_id=kept.subscription_id,
            event_id=kept.event_id,
            payload=body.payload,
            shape=kept.shape,
            attempt=kept.attempts,
            generation=state.generation,
            recorded_at_ms=body.recorded_at_ms,
        )

    def holds(self, claim: Claim) -> bool:
        kept = self._leased(claim)
        return (
            kept is not None
            and self.state.deadlines[kept.delivery_id] > self.state.now_ms()
            and kept.subscription_id in self.state.subscriptions
        )

    def complete(self, claim: Claim) -> None:
        if self.state.forget(claim.delivery_id):
            self.state.count("deliveries:delivered")

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> TaskTicket | None:
        kept = self._leased(claim)
        if kept is None or self.state.forget_orphan(kept):
            return None
        wait_ms = round(wait_s * 1000)
        due_ms = self.state.now_ms() + wait_ms
        waiting = sum(other.countdown == last.destination for other in self.state.deliveries.values())
        if wait_ms > self.limits.max_countdown_ms or waiting >= self.limits.countdowns_per_destination:
            self.state.park(kept, ParkReason.OVER_CAP, last, due_ms)
            return None
        kept.state, kept.seq, kept.lapses = State.RETRYING, kept.seq + 1, 0
        kept.countdown, kept.due_ms, kept.last = last.destination, due_ms, last
        self.state.deadlines[kept.delivery_id] = due_ms + RETRY_GRACE_MS
        self.state.count("deliveries_retried")
        return TaskTicket(delivery_id=kept.delivery_id, seq=kept.seq)

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> bool:
        kept = self._leased(claim)
        if kept is None:
            return False
        if not self.state.forget_orphan(kept):
            self.state.park(kept, reason, last)
        return True

    def release(self, claim: Claim) -> TaskTicket | None:
        kept = self._leased(claim)
        if kept is None:
            return None
        kept.attempts -= 1
        self.state.queue(kept, seq=kept.seq + 1, patience_ms=self.limits.patience_ms)
        return TaskTicket(delivery_id=kept.delivery_id, seq=kept.seq)

    def reap(self, *, queue_is_empty: bool) -> tuple[Sequence[TaskTicket], bool]:
        state, now = self.state, self.state.now_ms()
        lapsed = sorted((at, id_) for id_, at in state.deadlines.items() if at <= now)[: self.limits.reap_most]
        watermark = state.watermark
        publish = [id_ for _, id_ in lapsed if self._handle(state.deliveries[id_], watermark, is_empty=queue_is_empty)]
        tickets = [TaskTicket(delivery_id=id_, seq=state.deliveries[id_].seq) for id_ in publish]
        swept = self._sweep()
        return tickets, len(lapsed) >= self.limits.reap_most or swept > 0

    def _handle(self, kept: Kept, watermark: int, *, is_empty: bool) -> bool:
        """
        Handle a delivery whose deadline lapsed. Returns whether its task is to be published.
        """
        state, patience_ms, is_again = self.state, self.limits.patience_ms, True
        if kept.state is State.PARKED:
            state.queue(kept, seq=kept.seq + 1, patience_ms=patience_ms)
            kept.due_ms = None
            return True
        if state.forget_orphan(kept):
            return False
        if kept.state is State.SENDING:
            kept.lapses += 1
            if kept.lapses >= BROKEN_AFTER_LAPSES:
                died = f"its worker died or hung {kept.lapses} times while sending it"
                state.park(kept, ParkReason.BROKEN, LastAttempt(outcome=Outcome(detail=died), destination=""))
                return False
            state.queue(kept, seq=kept.seq + 1, patience_ms=patience_ms)
        elif kept.state is State.RETRYING:
            kept.countdown = ""
            state.queue(kept, seq=kept.seq + 1, patience_ms=patience_ms)
        elif kept.ticket < watermark or is_empty:
            state.queue(kept, seq=kept.seq, patience_ms=min(2 * kept.patience_ms, LONGEST_PATIENCE_MS))
        else:
            state.deadlines[kept.delivery_id] = state.now_ms() + kept.patience_ms
            is_again = False
        state.count("reaped", int(is_again))
        return is_again

    def _sweep(self) -> int:
        if not self.state.deleted:
            return 0
        subscription = self.state.deleted[0]
        ids = [
            id_
            for by_hand in (False, True)
            for id_ in self.state.parked_of(subscription, by_hand=by_hand)[: self.limits.reap_most]
        ]
        for id_ in ids:
            self.state.forget(id_)
        self.state.count("deliveries:subscription_deleted", len(ids))
        if not ids:
            self.state.deleted.remove(subscription)
        return len(ids)

    def _leased(self, claim: Claim) -> Kept | None:
        kept = self.state.deliveries.get(claim.delivery_id)
        return kept if kept is not None and kept.state is State.SENDING and kept.seq == claim.lease else None
