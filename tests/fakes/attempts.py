"""
The last attempts in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from odim_relay.ports import AttemptRecord


@dataclass(kw_only=True)
class InMemoryAttempts:
    """
    `AttemptListing`.
    """

    deliveries: dict[str, list[AttemptRecord]] = field(default_factory=dict)
    subscriptions: dict[str, list[AttemptRecord]] = field(default_factory=dict)

    def of_delivery(self, delivery_id: str) -> Sequence[AttemptRecord]:
        return _newest_first(self.deliveries.get(delivery_id, []))

    def of_subscription(self, subscription_id: str) -> Sequence[AttemptRecord]:
        return _newest_first(self.subscriptions.get(subscription_id, []))


def _newest_first(records: Sequence[AttemptRecord]) -> Sequence[AttemptRecord]:
    return sorted(records, key=lambda record: record.ended_at_ms, reverse=True)
