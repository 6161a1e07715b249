"""
From who wants an event to deliveries of it.
"""

from odim_relay.domain.event import Event, Shape, is_urgent
from odim_relay.domain.identity import delivery_id, part_id
from odim_relay.formats.splitting import parts_of
from odim_relay.ports import NewDelivery


def new_deliveries(
    event: Event, *, event_id: str, event_index: int, subscription_id: str, shape: Shape
) -> list[NewDelivery]:
    """
    Make the deliveries of an event to one subscription: one, or several in their order where its body is too large.
    """
    parts = parts_of(event, shape, event_id=event_id)
    return [
        NewDelivery(
            delivery_id=(
                delivery_id(event_id, subscription_id)
                if len(parts) == 1
                else part_id(event_id, subscription_id, part.records or ())
            ),
            subscription_id=subscription_id,
            event_index=event_index,
            shape=part,
            is_urgent=is_urgent(event, part),
        )
        for part in parts
    ]
