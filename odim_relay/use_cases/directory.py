"""
The subscriptions as one process knows them: never older than what the ledger says they must be.
"""

from collections.abc import Collection
from threading import Lock

from odim_relay.domain.event_service import EventServiceSettings
from odim_relay.domain.inventory import EMPTY
from odim_relay.domain.matching import Matcher
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.ports import EventServiceStore, InventoryStore, SubscriptionStore


class SubscriptionDirectory:
    """
    Subscriptions by id, refreshed when a claim tells of another generation. Threads share one instance.

    Attributes:
        settings: what the EventService says, as of the same generation or later.
    """

    def __init__(self, store: SubscriptionStore, services: EventServiceStore) -> None:
        self._store = store
        self._services = services
        self.settings = EventServiceSettings()
        self._lock = Lock()
        self._generation = -1
        self._by_id: dict[str, Subscription] = {}

    def find(self, subscription_id: str, generation: int) -> Subscription | None:
        """
        Look up a subscription as it stands, at `generation` or later; None when there is none.

        Raises:
            TransientError: a refresh was needed and the store cannot be reached.
        """
        # An older one is seldom a claim that was overtaken by a change, and else a store that lost its last writes.
        if self._generation != generation:
            self._refresh(generation)
        return self._by_id.get(subscription_id)

    def everything(self, generation: int) -> Collection[Subscription]:
        """
        All of them as they stand, at `generation` or later, in any order.

        Raises:
            TransientError: as `find`.
        """
        if self._generation != generation:
            self._refresh(generation)
        return self._by_id.values()

    def _refresh(self, generation: int) -> None:
        with self._lock:
            if self._generation == generation:
                return
            now, saved, deleted = self._store.changes_since(max(self._generation, 0))
            fresh = {} if deleted is None else dict(self._by_id)
            fresh.update((subscription.subscription_id, subscription) for subscription in saved)
            for subscription_id in deleted or ():
                fresh.pop(subscription_id, None)
            # After the generation: what is read is never older than that.
            self.settings = self._services.read()
            # Swapped at once: no thread meets a half-filled table.
            self._by_id = fresh
            self._generation = now


class MatcherDirectory:
    """
    The matcher of the newest generation that this process has read. For one thread.

    Subscriptions that get their events by a stream are none of it: no deliveries are made for them.

    Attributes:
        settings: what the EventService says, as of that generation or later.
        inventory: what is known of sources and aggregates, as of that generation or later.
    """

    def __init__(self, store: SubscriptionStore, services: EventServiceStore, inventory: InventoryStore) -> None:
        self._store = store
        self._services = services
        self._inventory_store = inventory
        self._inventory_version = 0
        self.inventory = EMPTY
        self.generation = 0
        self.matcher = Matcher.of(())
        self.settings = EventServiceSettings()

    def refresh(self) -> bool:
        """
        Read what changed and match with that from now on. Returns whether anything did.

        Raises:
            TransientError: the store cannot be reached; the old matcher stays.
        """
        now, saved, deleted = self._store.changes_since(self.generation)
        if now == self.generation:
            return False
        wanted = [one for one in saved if one.kind is not SubscriptionType.SSE]
        # After the generation: never older than that.
        settings = self._services.read()
        if self._inventory_store.version() != self._inventory_version:
            # Kept at once, for it belongs together; what is younger than its generation is refused, and read again.
            self._inventory_version, self.inventory = self._inventory_store.read()
        self.matcher = Matcher.of(wanted) if deleted is None else self.matcher.changed(saved=wanted, deleted=deleted)
        self.settings = settings
        self.generation = now
        return True
