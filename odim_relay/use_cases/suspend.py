"""
Subscriptions are suspended and resumed.
"""

from odim_relay.ports import BacklogLedger, Publisher, Resumed, SuspendedBy
from odim_relay.use_cases.aftermath import have_told, settle
from odim_relay.use_cases.subscribe import SubscriptionMissingError


class Suspend:
    """
    Suspends and resumes, for the command line and the API alike.
    """

    def __init__(self, *, ledger: BacklogLedger, publisher: Publisher) -> None:
        self._ledger = ledger
        self._publisher = publisher

    def suspend(self, subscription_id: str) -> bool:
        """
        Suspend a subscription: it gets nothing, and goes on collecting. False when it was suspended already.

        Raises:
            SubscriptionMissingError: there is none.
        """
        done = self._ledger.suspend(subscription_id, SuspendedBy.HAND)
        if done is None:
            raise SubscriptionMissingError(subscription_id)
        if done:
            have_told(self._publisher)
        return done

    def resume(self, subscription_id: str, within_s: float | None = None) -> Resumed:
        """
        Resume a subscription: what waited goes on at once, oldest first, in so far as the broker is there; else the
        reaper lets it. What came longer than `within_s` ago is discarded instead, and counted.

        Raises:
            SubscriptionMissingError: there is none.
        """
        resumed = self._ledger.resume(subscription_id, within_s)
        if resumed is None:
            raise SubscriptionMissingError(subscription_id)
        settle(resumed.aftermath, self._publisher)
        return resumed

    def wake(self, subscription_id: str) -> None:
        """
        Let go what may go now of what waits for a subscription, because it goes elsewhere from now on.
        """
        settle(self._ledger.wake(subscription_id), self._publisher)
