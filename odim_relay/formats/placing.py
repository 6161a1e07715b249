"""
Which machine an event is of: its origins, as they are named here.

Source: ODIM 23.08, svc-events/events/publishevttosubscriber.go `formatEvent`, for what a BMC's own ids become.
"""

from dataclasses import dataclass, replace

from odim_relay.domain.event import Event
from odim_relay.domain.inventory import Inventory, is_pseudo_host


@dataclass(frozen=True, slots=True)
class Placed:
    """
    An event as it is matched, kept and sent.
    """

    event: Event
    is_of_unknown_source: bool


def place(event: Event, inventory: Inventory) -> Placed:
    """
    Give the origins of `event` the names by which its machine is known here.
    """
    if not inventory.origins or not event.source or is_pseudo_host(event.source):
        return Placed(event, is_of_unknown_source=False)
    if not inventory.origin_of(event.source):
        return Placed(_without_origins(event), is_of_unknown_source=True)
    return Placed(event, is_of_unknown_source=False)


def _without_origins(event: Event) -> Event:
    return replace(event, records=tuple(replace(record, origin="") for record in event.records))
