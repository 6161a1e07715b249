"""
Who gets events in a test.
"""

from dataclasses import dataclass

from odim_relay.domain.subscription import Subscription


@dataclass(slots=True)
class Subscriber:
    """
    One subscription and its path at the receiver.
    """

    subscription: Subscription
    path: str

    @property
    def id(self) -> str:
        return self.subscription.subscription_id
