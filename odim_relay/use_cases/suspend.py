"""
Subscriptions are suspended and resumed.
"""

from odim_relay.ports import Action, BacklogLedger, Publisher, Resumed, SuspendedBy
from odim_relay.use_cases.aftermath import have_told, settle
from odim_relay.use_cases.audit import NOT_KEPT, Audit
from odim_relay.use_cases.subscribe import SubscriptionMissingError


class Suspend:
    """
    Suspends and resumes, for the command line and the API alike.
    """

    def __init__(self, *, ledger: BacklogLedger, publisher: Publisher, audit: Audit = NOT_KEPT) -> None:
        self._audit = audit
        self._ledger = ledger
        self._publisher = publisher

    def suspend(self, subscription_id: str) -> bool:
        """
        Suspend a subscription: it gets nothing, and goes on collecting. False when it was suspended already.

        Raises:
            SubscriptionMissingError: there is none.
        """
        with self._audit(Action.SUBSCRIPTION_SUSPENDED, subscription_id) as note:
            done = self._ledger.suspend(subscription_id, SuspendedBy.HAND)
            if done is None:
                raise SubscriptionMissingError(subscription_id)
            note.detail = "" if done else "was before"
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
        with self._audit(Action.SUBSCRIPTION_RESUMED, subscription_id) as note:
            resumed = self._ledger.resume(subscription_id, within_s)
            if resumed is None:
                raise SubscriptionMissingError(subscription_id)
            note.count = resumed.parked_count
            note.detail = "" if within_s is None else f"what came before {within_s:g} s ago is discarded"
        settle(resumed.aftermath, self._publisher)
        return resumed

    def wake(self, subscription_id: str) -> None:
        """
        Let go what may go now of what waits for a subscription, because it goes elsewhere from now on.
        """
        settle(self._ledger.wake(subscription_id), self._publisher)
