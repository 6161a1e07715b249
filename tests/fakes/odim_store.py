"""
ODIM's Redis in memory.
"""

from collections.abc import Iterator, Sequence

from odim_relay.errors import OdimRelayError
from odim_relay.ports import OdimFacts, OdimTables


class InMemoryOdimStore:
    """
    `OdimStore`, to be filled by its attributes.

    Attributes:
        failure: is raised by whatever is asked; None for none.
        is_changed: what the next `wait_for_change` says.
    """

    def __init__(self) -> None:
        self.subscriptions: set[str] = set()
        self.devices: set[str] = set()
        self.aggregate_hosts: set[str] = set()
        self.aggregates: dict[str, str] = {}
        self.events: dict[str, bytes] = {}
        self.failure: OdimRelayError | None = None
        self.is_changed = False
        self.read_count = 0

    def read(self) -> OdimTables:
        self._answer()
        self.read_count += 1
        return OdimTables(
            subscriptions=list(self.subscriptions),
            devices=list(self.devices),
            aggregate_hosts=list(self.aggregate_hosts),
            aggregates=dict(self.aggregates),
        )

    def undelivered(self) -> Iterator[tuple[str, bytes]]:
        self._answer()
        yield from self.events.items()

    def undelivered_values(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        self._answer()
        return [self.events.get(key) for key in keys]

    def wait_for_change(self, at_most_s: float) -> bool:  # noqa: ARG002 - it never waits
        self._answer()
        is_changed, self.is_changed = self.is_changed, False
        return is_changed

    def ping(self) -> None:
        self._answer()

    def examine(self) -> OdimFacts:
        self._answer()
        counts = {"Subscription": len(self.subscriptions), "DeviceSubscription": len(self.devices)}
        return OdimFacts(role="master", notifications="Kz", counts=counts)

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure
