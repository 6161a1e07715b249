"""
The last attempts in memory.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from odim_relay.ports import AttemptBatch, AttemptRecord


@dataclass(kw_only=True)
class InMemoryAttempts:
    """
    `AttemptStore` and `AttemptListing`.
    """

    exists: Callable[[str], bool] = lambda _subscription_id: True
    attempts: int = 1_000
    most_deliveries: int = 1_000
    deliveries: dict[str, list[AttemptRecord]] = field(default_factory=dict)
    subscriptions: dict[str, list[AttemptRecord]] = field(default_factory=dict)
    sums: Counter[str] = field(default_factory=Counter)
    number: int = 0

    def keep(self, batch: AttemptBatch) -> None:
        if batch.number <= self.number:
            return
        self.number = batch.number
        self.sums.update(batch.sums)
        for kept in batch.attempts:
            if not self.exists(kept.record.subscription_id):
                continue
            if kept.for_subscription:
                self._add(self.subscriptions, kept.record.subscription_id, kept.record)
            for id_ in kept.delivery_ids:
                if id_ in self.deliveries or not kept.only_if_known:
                    self._add(self.deliveries, id_, kept.record)
        for id_ in list(self.deliveries)[: -self.most_deliveries]:
            del self.deliveries[id_]

    def of_delivery(self, delivery_id: str) -> Sequence[AttemptRecord]:
        return _newest_first(self.deliveries.get(delivery_id, []))

    def of_subscription(self, subscription_id: str) -> Sequence[AttemptRecord]:
        return _newest_first(self.subscriptions.get(subscription_id, []))

    def _add(self, histories: dict[str, list[AttemptRecord]], id_: str, record: AttemptRecord) -> None:
        # The one that was written to last stands last.
        histories[id_] = [*histories.pop(id_, []), record][-self.attempts :]


def _newest_first(records: Sequence[AttemptRecord]) -> Sequence[AttemptRecord]:
    return sorted(records, key=lambda record: record.ended_at_ms, reverse=True)
