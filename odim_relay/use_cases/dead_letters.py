"""
Parked deliveries, chosen by an operator.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import DeliveryListing, DeliveryRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """
    Which parked deliveries; an empty member does not restrict, and all that are given must hold.

    Attributes:
        destinations: of their subscriptions as they are now, which is where a replay would go.
        since_ms, until_ms: when they were parked, milliseconds since the epoch; both inclusive.
        limit: at most so many; None for all.
    """

    delivery_ids: Sequence[str] = ()
    subscription_ids: Sequence[str] = ()
    destinations: Sequence[str] = ()
    reasons: Sequence[ParkReason] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    limit: int | None = None

    def wants(self, record: DeliveryRecord) -> bool:
        """
        Whether the delivery is one of them, but for `destinations` and `limit`.
        """
        return (
            record.state is State.PARKED
            and (not self.delivery_ids or record.delivery_id in self.delivery_ids)
            and (not self.subscription_ids or record.subscription_id in self.subscription_ids)
            and (not self.reasons or record.reason in self.reasons)
            and (self.since_ms is None or record.parked_at_ms >= self.since_ms)
            and (self.until_ms is None or record.parked_at_ms <= self.until_ms)
        )


def select(
    listing: DeliveryListing, subscriptions: Callable[[], Sequence[Subscription]], selection: Selection
) -> Iterator[DeliveryRecord]:
    """
    Walk the parked deliveries of the selection: by subscription, in the order they came in.

    Args:
        subscriptions: lists all; asked only when destinations are to be found.
    """
    wanted: set[str] | None = set(selection.subscription_ids) or None
    if selection.destinations:
        there = {one.subscription_id for one in subscriptions() if one.destination in selection.destinations}
        wanted = there if wanted is None else wanted & there
    if selection.delivery_ids:
        found = (listing.delivery(delivery_id) for delivery_id in dict.fromkeys(selection.delivery_ids))
        records = iter([record for record in found if record is not None])
    else:
        records = iter(listing.parked(None if wanted is None else sorted(wanted)))
    chosen = (
        record for record in records if selection.wants(record) and (wanted is None or record.subscription_id in wanted)
    )
    return chosen if selection.limit is None else islice(chosen, selection.limit)
