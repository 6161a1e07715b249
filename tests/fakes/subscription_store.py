"""
Subscriptions in memory.
"""

from collections.abc import Callable, Sequence

from odim_relay.domain.subscription import Subscription
from tests.fakes.ledger_state import LedgerState


class InMemorySubscriptionStore:
    """
    `SubscriptionStore`.
    """

    def __init__(self, state: LedgerState) -> None:
        self.state = state

    def save(self, subscription: Subscription) -> None:
        self.state.subscriptions[subscription.subscription_id] = subscription
        if subscription.subscription_id in self.state.deleted:
            self.state.deleted.remove(subscription.subscription_id)
        self._changed(subscription.subscription_id)

    def update(self, subscription_id: str, change: Callable[[Subscription], Subscription]) -> Subscription | None:
        while (found := self.get(subscription_id)) is not None:
            changed = change(found)
            if self.get(subscription_id) is found:
                self.save(changed)
                return changed
        return None

    def delete(self, subscription_id: str, check: Callable[[Subscription], object] | None = None) -> bool:
        while check is not None and (found := self.get(subscription_id)) is not None:
            check(found)
            if self.get(subscription_id) is found:
                break
        if self.state.subscriptions.pop(subscription_id, None) is None:
            return False
        self.state.deleted.append(subscription_id)
        self._changed(subscription_id)
        return True

    def get(self, subscription_id: str) -> Subscription | None:
        return self.state.subscriptions.get(subscription_id)

    def ids(self) -> Sequence[str]:
        return list(self.state.subscriptions)

    def count(self) -> int:
        return len(self.state.subscriptions)

    def generation(self) -> int:
        return self.state.generation

    def changes_since(self, generation: int) -> tuple[int, Sequence[Subscription], Sequence[str] | None]:
        subscriptions = self.state.subscriptions
        if generation not in self.state.generations:
            return self.state.generation, list(subscriptions.values()), None
        changed = [id_ for id_, at in self.state.changes.items() if at > generation]
        saved = [subscriptions[id_] for id_ in changed if id_ in subscriptions]
        return self.state.generation, saved, [id_ for id_ in changed if id_ not in subscriptions]

    def _changed(self, subscription_id: str) -> None:
        self.state.next_generation(subscription_id)
