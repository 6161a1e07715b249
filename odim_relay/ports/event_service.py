"""
What the EventService says for all, where it is kept.
"""

from collections.abc import Callable
from typing import Protocol

from odim_relay.domain.event_service import EventServiceSettings


class EventServiceStore(Protocol):
    """
    The EventService's settings. A change raises the subscriptions' generation: whoever acts on either reads both anew.
    """

    def read(self) -> EventServiceSettings:
        """
        Read them; all defaults when nobody ever changed one.
        """
        ...

    def update(self, change: Callable[[EventServiceSettings], EventServiceSettings]) -> EventServiceSettings:
        """
        Replace them by what `change` makes of them; called again when another changed them meanwhile.

        What `change` raises comes through, and nothing is written then. No difference writes nothing.
        """
        ...
