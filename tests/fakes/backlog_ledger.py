"""
The ledger in memory, for those who look after what is parked.
"""

from collections.abc import Sequence
from dataclasses import replace

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.notices import ChangeKind
from odim_relay.ports import Aftermath, Connection, Notice, ReplayStep, Resumed, SuspendedBy
from tests.fakes.ledger_state import BY_HAND, LedgerState


class InMemoryBacklogLedger:
    """
    `BacklogLedger`. Keeps what it was told of connections; `unreachable` are those that it wants to be tried.
    """

    def __init__(self, state: LedgerState, *, retention_ms: int = 604_800_000) -> None:
        self.state = state
        self._retention_ms = retention_ms
        self.unreachable: list[Connection] = []
        self.told: list[tuple[str, bool]] = []

    def replay(self) -> ReplayStep:
        tickets = [ticket for id_ in self.state.subscriptions for ticket in self.state.admit_ready(id_)]
        return ReplayStep(aftermath=Aftermath(tickets=tickets), has_more=False, connections=list(self.unreachable))

    def connected(self, destination_id: str, *, accepts: bool) -> Aftermath:
        self.told.append((destination_id, accepts))
        return Aftermath()

    def expire(self, cursor: int) -> tuple[int, int, Aftermath]:
        assert cursor == 0
        oldest_ms = self.state.now_ms() - self._retention_ms
        parked = [kept for kept in self.state.deliveries.values() if self.state.is_parked(kept.delivery_id)]
        expired = [kept for kept in parked if kept.taken_ms <= oldest_ms]
        for kept in expired:
            self.state.forget(kept.delivery_id)
            self.state.lost[kept.subscription_id] += 1
            if self.state.lost[kept.subscription_id] == 1:
                self.state.change(ChangeKind.BUFFER_EXCEEDED, kept.subscription_id, "expired")
        self.state.count("deliveries:expired", len(expired))
        return 0, len(expired), Aftermath()

    def release(self, delivery_ids: Sequence[str]) -> tuple[int, Aftermath]:
        parked = [self.state.deliveries[id_] for id_ in delivery_ids if self.state.is_parked(id_)]
        parked = [kept for kept in parked if kept.subscription_id in self.state.subscriptions]
        for kept in parked:
            kept.due_ms = None
            self.state.deadlines.pop(kept.delivery_id, None)
            if kept.reason in BY_HAND:
                kept.reason = ParkReason.BEHIND
        self.state.count("replays", len(parked))
        touched = dict.fromkeys(kept.subscription_id for kept in parked)
        tickets = [ticket for id_ in touched for ticket in self.state.admit_ready(id_)]
        return len(parked), Aftermath(tickets=tickets)

    def discard(self, delivery_ids: Sequence[str]) -> tuple[int, Aftermath]:
        parked = [id_ for id_ in delivery_ids if self.state.is_parked(id_)]
        for id_ in parked:
            self.state.forget(id_)
        self.state.count("deliveries:discarded", len(parked))
        return len(parked), Aftermath()

    def suspend(self, subscription_id: str, reason: SuspendedBy) -> bool | None:
        if subscription_id not in self.state.subscriptions:
            return None
        return bool(self.state.suspend(subscription_id, reason))

    def resume(self, subscription_id: str, within_s: float | None) -> Resumed | None:
        if subscription_id not in self.state.subscriptions:
            return None
        was_suspended = self.state.suspended.pop(subscription_id, None) is not None
        if was_suspended:
            self.state.change(ChangeKind.RESUMED, subscription_id)
        parked = self.state.parked_of(subscription_id)
        if within_s is not None:
            since_ms = self.state.now_ms() - round(within_s * 1000)
            self.discard([kept.delivery_id for kept in parked if kept.taken_ms < since_ms])
        told = [Notice(name="resumed", subject=subscription_id)] if was_suspended else []
        aftermath = replace(self.wake(subscription_id), notices=told)
        return Resumed(was_suspended=was_suspended, parked_count=len(parked), aftermath=aftermath)

    def wake(self, subscription_id: str) -> Aftermath:
        return Aftermath(tickets=self.state.admit_ready(subscription_id))
