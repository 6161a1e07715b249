"""
Where subscriptions are kept.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from odim_relay.domain.subscription import Subscription


class SubscriptionStore(Protocol):
    """
    Where subscriptions are kept. Each change raises the generation, to a number that it never had.
    """

    def save(self, subscription: Subscription) -> None:
        """
        Create the subscription or replace the one of its id.
        """
        ...

    def update(self, subscription_id: str, change: Callable[[Subscription], Subscription]) -> Subscription | None:
        """
        Replace it by what `change` makes of it; called again when another changed it meanwhile. None without any.
        """
        ...

    def delete(self, subscription_id: str, check: Callable[[Subscription], object] | None = None) -> bool:
        """
        Remove it; its deliveries leave as `subscription_deleted`. Returns False when there was none.

        Args:
            check: is called with what is removed, and again when another changed it meanwhile; what it raises comes
                through, and nothing was removed then.
        """
        ...

    def get(self, subscription_id: str) -> Subscription | None:
        """
        Read one.
        """
        ...

    def ids(self) -> Sequence[str]:
        """
        Read the ids of all, in any order.
        """
        ...

    def count(self) -> int:
        """
        Count them.
        """
        ...

    def generation(self) -> int:
        """
        Read the number of the last change.
        """
        ...

    def changes_since(self, generation: int) -> tuple[int, Sequence[Subscription], Sequence[str] | None]:
        """
        Read what changed after `generation`: the new generation, the saved, the ids of the deleted.

        Reads all, with None for the deleted, where the way from there is not known: after 0, more than 1,000 changes,
        or a change that the store lost again with its last writes. What is not among all is gone.
        """
        ...
