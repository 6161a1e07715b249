"""
Heartbeats, for subscribers that asked to hear from us also when there is nothing to tell.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.errors import TransientError
from odim_relay.formats.notices import heartbeat
from odim_relay.ports import DeliveryListing, EventServiceStore, FlowListing, SubscriptionStore, Turn
from odim_relay.telemetry import logger
from odim_relay.use_cases.announce import Announce
from odim_relay.use_cases.directory import SubscriptionDirectory

log = logger(__name__)

INTERVAL_S = 10.0
"""
How often somebody looks who is to get one.
"""
_S_PER_MINUTE = 60.0


class Heartbeat:
    """
    The work of the heartbeat task; safe to run twice at once (L28).
    """

    def __init__(
        self,
        *,
        store: SubscriptionStore,
        services: EventServiceStore,
        flows: FlowListing,
        listing: DeliveryListing,
        announce: Announce,
        new_turn: Callable[[str], Turn],
        new_id: Callable[[], str],
        now_s: Callable[[], float],
    ) -> None:
        """
        Args:
            new_id: gives a uuid4.
            now_s: gives the time, seconds since the epoch.
        """
        self._store = store
        self._directory = SubscriptionDirectory(store, services)
        self._flows = flows
        self._listing = listing
        self._announce = announce
        self._new_turn = new_turn
        self._new_id = new_id
        self._now_s = now_s

    def __call__(self) -> int:
        """
        Send one to each whose interval is over and that gets its events: late ones are worth nothing, so none is added
        to what waits. Returns how many were sent.

        Raises:
            TransientError: a store cannot be reached; the next run goes on.
        """
        everything = self._directory.everything(self._store.generation())
        if not self._directory.settings.is_enabled:
            return 0
        asking = {
            one.subscription_id: one
            for one in everything
            if one.heartbeat_minutes is not None and one.kind is not SubscriptionType.SSE
        }
        if not asking:
            return 0
        waiting = {backlog.subscription_id for backlog in self._listing.backlogs(asking)}
        flows = self._flows.subscriptions(asking)
        well = [one for id_, one in asking.items() if id_ not in waiting and not flows[id_].suspended_by]
        return sum(self._beat(subscription) for subscription in well)

    def _beat(self, subscription: Subscription) -> bool:
        interval_s = _S_PER_MINUTE * (subscription.heartbeat_minutes or 0)
        turn = self._new_turn(f"heartbeat:{subscription.subscription_id}")
        # A little less, so that the look at the end of the interval finds it over.
        if not turn.take(interval_s - INTERVAL_S / 2):
            return False
        notice = heartbeat(event_id=self._new_id(), at=datetime.fromtimestamp(self._now_s(), UTC))
        try:
            is_sent = bool(self._announce(notice.body, only=[subscription.subscription_id]))
        except TransientError:
            with suppress(TransientError):
                turn.leave()
            raise
        log.debug("heartbeat.sent", subscription_id=subscription.subscription_id)
        return is_sent
