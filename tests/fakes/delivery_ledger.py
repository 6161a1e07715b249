"""
The ledger in memory, for those who send deliveries and for the reaper.
"""

from collections.abc import Sequence
from dataclasses import replace

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Mode, Subscription
from odim_relay.ports import Aftermath, Claim, LastAttempt, Passenger, Refusal, TaskTicket
from tests.fakes.ledger_state import BY_HAND, PATIENCE_MS, Kept, LedgerState

LEASE_MS = 30_000
MAX_COUNTDOWN_MS = 900_000
RETRY_GRACE_MS = 10_000
LONGEST_PATIENCE_MS = 600_000
REPLAY_MS = 30_000
LONGEST_REPLAY_MS = 300_000
BROKEN_AFTER_LAPSES = 3
REAP_MOST = 500
_ANY = Subscription(subscription_id="", destination="")


class InMemoryDeliveryLedger:
    """
    `DeliveryLedger` and `ReapLedger`.
    """

    def __init__(self, state: LedgerState) -> None:
        self.state = state
        self._sent_once: set[str] = set()

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
        if state.is_held(kept.subscription_id):
            state.park(kept, ParkReason.SUSPENDED, None)
            return Refusal("suspended")
        return self._take(kept)

    def _take(self, kept: Kept) -> Claim:
        state = self.state
        subscription = state.subscriptions[kept.subscription_id]
        body = state.bodies[kept.event_id]
        kept.state = State.SENDING
        kept.seq += 1
        kept.attempts += 1
        state.deadlines[kept.delivery_id] = state.now_ms() + LEASE_MS
        if subscription.mode is Mode.AT_MOST_ONCE:
            state.forget(kept.delivery_id)
            state.count("deliveries:at_most_once")
            self._sent_once.add(kept.delivery_id)
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
            destination_id=destination_id(subscription),
            is_replay=kept.is_replay,
            mode=subscription.mode,
            lost_count=state.lost[kept.subscription_id],
            room=self._room_beside(kept, subscription),
            traceparent=body.traceparent,
        )

    def _room_beside(self, kept: Kept, subscription: Subscription) -> int:
        if subscription.batch_size is None or not self.state.ready(kept.subscription_id):
            return 0
        return min(subscription.batch_size, kept.together or subscription.batch_size) - 1

    def join(self, claim: Claim, most_bytes: int) -> Claim:
        state, leader = self.state, self._leased(claim)
        if leader is None or state.is_held(claim.subscription_id) or claim.subscription_id not in state.subscriptions:
            return claim
        is_ordered = state.subscriptions[claim.subscription_id].mode is Mode.ORDERED
        most, joined, left = claim.room + 1, list[Kept](), most_bytes
        for kept in state.ready(claim.subscription_id):
            together, size = min(most, kept.together or most), len(state.bodies[kept.event_id].payload)
            if len(joined) + 1 >= together or size > left:
                if is_ordered or size > left:
                    break
                continue
            most, left = together, left - size
            kept.state, kept.seq, kept.attempts, kept.reason = State.SENDING, kept.seq + 1, kept.attempts + 1, None
            kept.leader = (claim.delivery_id, claim.lease)
            state.deadlines[kept.delivery_id] = state.deadlines[claim.delivery_id]
            joined.append(kept)
        return replace(claim, passengers=tuple(self._passenger(kept) for kept in joined))

    def _passenger(self, kept: Kept) -> Passenger:
        body = self.state.bodies[kept.event_id]
        return Passenger(
            delivery_id=kept.delivery_id,
            event_id=kept.event_id,
            payload=body.payload,
            shape=kept.shape,
            recorded_at_ms=body.recorded_at_ms,
            traceparent=body.traceparent,
        )

    def unload(self, claim: Claim, passengers: Sequence[Passenger]) -> None:
        self._put_back(replace(claim, passengers=tuple(passengers)), None)

    def _put_back(self, claim: Claim, together: int | None) -> None:
        for passenger in claim.passengers:
            kept = self.state.deliveries.get(passenger.delivery_id)
            if kept is not None and kept.leader == (claim.delivery_id, claim.lease):
                self.state.put_back(kept, together)

    def _take_apart(self, claim: Claim) -> None:
        """
        What failed together goes next with half as many.
        """
        if self.state.subscriptions.get(claim.subscription_id, _ANY).batch_size is None:
            return self._put_back(claim, None)
        together = max(1, (1 + len(claim.passengers)) // 2)
        self._put_back(claim, together)
        kept = self._leased(claim)
        if kept is not None:
            kept.together = together
        return None

    def holds(self, claim: Claim) -> bool:
        if claim.subscription_id not in self.state.subscriptions:
            return False
        kept = self._leased(claim)
        if kept is None:
            return claim.delivery_id in self._sent_once
        return self.state.deadlines[kept.delivery_id] > self.state.now_ms()

    def complete(
        self,
        claim: Claim,
        *,
        is_fast: bool = False,  # noqa: ARG002 - nothing is in flight here
        is_slowing: bool = False,  # noqa: ARG002
    ) -> Aftermath:
        self._sent_once.discard(claim.delivery_id)
        for id_ in (claim.delivery_id, *(passenger.delivery_id for passenger in claim.passengers)):
            if self.state.forget(id_):
                self.state.count("deliveries:delivered")
        return Aftermath(tickets=self.state.admit_ready(claim.subscription_id))

    def retry(self, claim: Claim, wait_s: float, last: LastAttempt) -> Aftermath:
        self._take_apart(claim)
        kept = self._leased(claim)
        if kept is None or self.state.forget_orphan(kept):
            return Aftermath()
        if kept.is_replay:
            return self._exhaust(kept, last)
        if self.state.is_held(kept.subscription_id):
            self.state.park(kept, ParkReason.SUSPENDED, last)
            return Aftermath()
        wait_ms = round(wait_s * 1000)
        due_ms = self.state.now_ms() + wait_ms
        if wait_ms > MAX_COUNTDOWN_MS:
            self.state.park(kept, ParkReason.OVER_CAP, last, due_ms)
            return Aftermath()
        kept.state, kept.seq, kept.lapses = State.RETRYING, kept.seq + 1, 0
        kept.due_ms, kept.last = due_ms, last
        self.state.deadlines[kept.delivery_id] = due_ms + RETRY_GRACE_MS
        self.state.count("deliveries_retried")
        tickets = self.state.admit_ready(claim.subscription_id) if claim.passengers else []
        retry = TaskTicket(
            delivery_id=kept.delivery_id, subscription_id=kept.subscription_id, seq=kept.seq, wait_s=wait_s
        )
        return Aftermath(retry=retry, tickets=tickets)

    def park(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        self._take_apart(claim)
        kept = self._leased(claim)
        if kept is None or self.state.forget_orphan(kept):
            return Aftermath()
        if reason is ParkReason.EXHAUSTED:
            return self._exhaust(kept, last)
        if claim.passengers and reason in BY_HAND:
            self.state.put_back(kept, None)
        else:
            self.state.park(kept, reason, last)
        return Aftermath(tickets=self.state.admit_ready(claim.subscription_id))

    def suspend(self, claim: Claim, reason: ParkReason, last: LastAttempt) -> Aftermath:
        if self._leased(claim) is None or claim.subscription_id not in self.state.subscriptions:
            return self.park(claim, reason, last)
        notices = self.state.suspend(claim.subscription_id, reason)
        self._put_back(claim, None)
        self.park(replace(claim, passengers=()), reason, last)
        return Aftermath(notices=notices)

    def release(self, claim: Claim) -> Aftermath:
        self._put_back(claim, None)
        kept = self._leased(claim)
        if kept is None:
            return Aftermath()
        kept.attempts -= 1
        return Aftermath(tickets=[self.state.queue(kept, seq=kept.seq + 1, patience_ms=PATIENCE_MS)])

    def told(self, claim: Claim) -> None:
        self.state.lost[claim.subscription_id] = max(0, self.state.lost[claim.subscription_id] - claim.lost_count)

    def reap(self, *, queue_is_empty: bool) -> tuple[Aftermath, bool]:
        state, now = self.state, self.state.now_ms()
        lapsed = sorted((at, id_) for id_, at in state.deadlines.items() if at <= now)[:REAP_MOST]
        watermark = state.watermark
        handled = [self._handle(state.deliveries[id_], watermark, is_empty=queue_is_empty) for _, id_ in lapsed]
        self._sweep()
        tickets = [ticket for ticket in handled if ticket is not None]
        return Aftermath(tickets=tickets), len(lapsed) >= REAP_MOST or bool(state.deleted)

    def _handle(self, kept: Kept, watermark: int, *, is_empty: bool) -> TaskTicket | None:
        """
        Handle a delivery whose deadline lapsed. Returns its ticket where its task is to be published.
        """
        if kept.state is State.PARKED:
            return self._replay(kept)
        if self.state.forget_orphan(kept):
            return None
        if kept.state is State.SENDING:
            kept.lapses += 1
            if kept.lapses >= BROKEN_AFTER_LAPSES:
                died = f"its worker died or hung {kept.lapses} times while sending it"
                self.state.park(kept, ParkReason.BROKEN, LastAttempt(outcome=Outcome(detail=died), destination=""))
                return None
            kept.together = 1
            if kept.leader is not None:
                lapses = kept.lapses
                self.state.put_back(kept, 1)
                kept.lapses = lapses
                return None
        if kept.state is State.QUEUED and kept.ticket >= watermark and not is_empty:
            self.state.deadlines[kept.delivery_id] = self.state.now_ms() + kept.patience_ms
            return None
        return self._requeue(kept)

    def _replay(self, kept: Kept) -> TaskTicket | None:
        """
        The time of a parked delivery has come.
        """
        kept.due_ms = None
        self.state.deadlines.pop(kept.delivery_id)
        if self.state.is_held(kept.subscription_id) or kept.subscription_id not in self.state.subscriptions:
            return None
        return self.state.admit(kept)

    def _requeue(self, kept: Kept) -> TaskTicket:
        is_queued = kept.state is State.QUEUED
        patience_ms = min(2 * kept.patience_ms, LONGEST_PATIENCE_MS) if is_queued else PATIENCE_MS
        self.state.count("reaped")
        return self.state.queue(kept, seq=kept.seq if is_queued else kept.seq + 1, patience_ms=patience_ms)

    def _exhaust(self, kept: Kept, last: LastAttempt) -> Aftermath:
        """
        What ran out of retries is replayed at growing intervals.
        """
        wait_ms = min(REPLAY_MS * 2**kept.replays, LONGEST_REPLAY_MS)
        kept.replays += 1
        self.state.park(kept, ParkReason.EXHAUSTED, last, self.state.now_ms() + wait_ms)
        return Aftermath(tickets=self.state.admit_ready(kept.subscription_id))

    def _sweep(self) -> None:
        if not self.state.deleted:
            return
        subscription = self.state.deleted[0]
        parked = self.state.parked_of(subscription)[:REAP_MOST]
        for kept in parked:
            self.state.forget(kept.delivery_id)
        self.state.count("deliveries:subscription_deleted", len(parked))
        if not parked:
            self.state.deleted.remove(subscription)

    def _leased(self, claim: Claim) -> Kept | None:
        kept = self.state.deliveries.get(claim.delivery_id)
        return kept if kept is not None and kept.state is State.SENDING and kept.seq == claim.lease else None
