"""
What is parked, and the subscriptions that it is parked for.
"""

from collections.abc import Sequence
from typing import Any

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.replies import notices_of, tickets_of
from odim_relay.ports import Aftermath, Connection, ReplayStep, Resumed, SuspendedBy


class RedisBacklogLedger:
    """
    `BacklogLedger` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def replay(self) -> ReplayStep:
        """
        See `BacklogLedger.replay`.
        """
        more, tickets, notices, flat = self._scripts.run("replay")
        connections = [
            Connection(destination_id=destination.decode(), subscription_id=subscription.decode())
            for destination, subscription in zip(flat[::2], flat[1::2], strict=True)
        ]
        return ReplayStep(aftermath=_aftermath(tickets, notices), has_more=bool(more), connections=connections)

    def connected(self, destination_id: str, *, accepts: bool) -> Aftermath:
        """
        See `BacklogLedger.connected`.
        """
        return _aftermath(*self._scripts.run("connected", destination_id, int(accepts)))

    def expire(self, cursor: int) -> tuple[int, int, Aftermath]:
        """
        See `BacklogLedger.expire`.
        """
        following, expired, tickets, notices = self._scripts.run("expire", cursor)
        return int(following), int(expired), _aftermath(tickets, notices)

    def release(self, delivery_ids: Sequence[str]) -> tuple[int, Aftermath]:
        """
        See `BacklogLedger.release`.
        """
        released, tickets, notices = self._scripts.run("release", *delivery_ids)
        return int(released), _aftermath(tickets, notices)

    def discard(self, delivery_ids: Sequence[str]) -> tuple[int, Aftermath]:
        """
        See `BacklogLedger.discard`.
        """
        discarded, tickets, notices = self._scripts.run("discard", *delivery_ids)
        return int(discarded), _aftermath(tickets, notices)

    def suspend(self, subscription_id: str, reason: SuspendedBy) -> bool | None:
        """
        See `BacklogLedger.suspend`.
        """
        done = int(self._scripts.run("suspend", subscription_id, reason))
        return None if done < 0 else bool(done)

    def resume(self, subscription_id: str, within_s: float | None) -> Resumed | None:
        """
        See `BacklogLedger.resume`.
        """
        age_ms = "" if within_s is None else round(within_s * 1000)
        was_suspended, parked, tickets, notices = self._scripts.run("resume", subscription_id, age_ms)
        if int(was_suspended) < 0:
            return None
        return Resumed(
            was_suspended=bool(was_suspended), parked_count=int(parked), aftermath=_aftermath(tickets, notices)
        )

    def wake(self, subscription_id: str) -> Aftermath:
        """
        See `BacklogLedger.wake`.
        """
        return _aftermath(*self._scripts.run("wake", subscription_id))


def _aftermath(tickets: Any, notices: Any) -> Aftermath:
    return Aftermath(tickets=tickets_of(tickets), notices=notices_of(notices))
