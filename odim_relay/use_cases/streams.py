"""
Streams of events that clients hold open: each is a subscription for as long as somebody keeps it.
"""

from collections.abc import Callable
from dataclasses import replace

from odim_relay.domain.event_service import EventServiceSettings
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.ports import EventServiceStore, Journal, SubscriptionStore, Turn
from odim_relay.telemetry import logger

log = logger(__name__)

LEASE_S = 30.0
"""
How long a stream is thought to be open after it was kept.
"""
_CHECK_S = 5.0


class Streams:
    """
    The streams that clients hold open at this process. Threads share one instance.

    While one is open, anywhere, the journal is kept: that is what its events are read from.
    """

    def __init__(
        self,
        *,
        subscriptions: SubscriptionStore,
        services: EventServiceStore,
        journal: Journal,
        new_turn: Callable[[str], Turn],
    ) -> None:
        self._subscriptions = subscriptions
        self._services = services
        self._journal = journal
        self._new_turn = new_turn
        self._turns: dict[str, Turn] = {}

    def open(self, subscription: Subscription) -> str:
        """
        Save the subscription of a stream, of the kind SSE, and have the journal kept from now on.

        Returns:
            the id of the journal that all comes after that is taken in from now on.

        Raises:
            TransientError: the store cannot be reached; the stream is not open.
        """
        turn = self._new_turn(_lease(subscription.subscription_id))
        turn.take(LEASE_S)
        self._have_journal()
        start = self._journal.end()
        self._subscriptions.save(subscription)
        self._turns[subscription.subscription_id] = turn
        log.info("stream.opened", subscription_id=subscription.subscription_id)
        return start

    def keep(self, subscription_id: str) -> bool:
        """
        Tell that a stream is open still; to be called every 10 s or so, by one thread at a time.

        Returns:
            False when the stream is to end: it was not opened here, or its subscription was deleted.

        Raises:
            TransientError: the store cannot be reached; the stream is open for the rest of its 30 s.
        """
        turn = self._turns.get(subscription_id)
        if turn is None or self._subscriptions.get(subscription_id) is None or not turn.take(LEASE_S):
            return False
        self._have_journal()
        return True

    def close(self, subscription_id: str) -> None:
        """
        Delete the subscription of a stream that ended; harmless when it is gone.

        Raises:
            TransientError: the store cannot be reached; the subscription is deleted when its 30 s are over.
        """
        turn = self._turns.pop(subscription_id, None)
        self._subscriptions.delete(subscription_id)
        log.info("stream.closed", subscription_id=subscription_id)
        if turn is not None:
            turn.leave()

    def _have_journal(self) -> None:
        self._journal.mark_used()  # before it is turned on, so that nobody turns it off again
        self._services.update(lambda said: replace(said, keeps_journal=True))


class SweepStreams:
    """
    Deletes the subscriptions of streams whose process died, and ends the journal when nobody has followed it for long.
    Safe to run twice at once (L28).
    """

    def __init__(
        self,
        *,
        subscriptions: SubscriptionStore,
        services: EventServiceStore,
        journal: Journal,
        new_turn: Callable[[str], Turn],
        linger_s: float,
    ) -> None:
        """
        Args:
            linger_s: for how long the journal is kept after the last stream: so long a client may be away.
        """
        self._subscriptions = subscriptions
        self._services = services
        self._journal = journal
        self._new_turn = new_turn
        self._linger_s = linger_s

    def __call__(self) -> int:
        """
        Look once. Returns how many subscriptions were deleted.

        Raises:
            TransientError: the store cannot be reached; the next run goes on.
        """
        if not self._services.read().keeps_journal:
            return 0  # nobody opens a stream without it
        _, found, _ = self._subscriptions.changes_since(0)
        ids = [one.subscription_id for one in found if one.kind is SubscriptionType.SSE]
        swept = sum(self._delete_if_left(subscription_id) for subscription_id in ids)
        if len(ids) == swept and self._journal.idle_s() > self._linger_s:
            self._end_journal()
        return swept

    def _delete_if_left(self, subscription_id: str) -> bool:
        turn = self._new_turn(_lease(subscription_id))
        if not turn.take(_CHECK_S):
            return False
        # Ours now: whoever wakes up with it after all finds that it is gone.
        self._subscriptions.delete(subscription_id)
        turn.leave()
        log.warning("stream.left", subscription_id=subscription_id, detail="its process told nothing of it for long")
        return True

    def _end_journal(self) -> None:
        def end(said: EventServiceSettings) -> EventServiceSettings:
            # Asked again, as late as can be: one may have been opened meanwhile.
            is_idle = self._journal.idle_s() > self._linger_s
            return replace(said, keeps_journal=False) if is_idle else said

        if not self._services.update(end).keeps_journal:
            self._journal.clear()
            log.info("journal.ended")


def _lease(subscription_id: str) -> str:
    return f"stream:{subscription_id}"
