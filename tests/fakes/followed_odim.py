"""
An ODIM, our stores, and the mirror between them, in memory.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Subscription
from odim_relay.errors import TransientError
from odim_relay.ports import InventoryChange
from odim_relay.use_cases.mirror import Mirror
from odim_relay.use_cases.mirrored_subscriptions import MirroredSubscriptions
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState
from tests.fakes.odim_store import InMemoryOdimStore
from tests.fakes.subscription_store import InMemorySubscriptionStore
from tests.support.odim_redis import OdimSubscription

ID = "3ce177bf-42a4-4335-b1c1-41540a4b65d7"
OTHER = "00000000-42a4-4335-b1c1-41540a4b65d7"
THEIRS = OdimSubscription(id=ID, destination="https://s.example/d", event_types=("Alert",))
ONE = "/redfish/v1/Systems/one.1"
TWO = "/redfish/v1/Systems/two.1"
AGGREGATE = "/redfish/v1/AggregationService/Aggregates/a"


def device(host: str, origin: str, location: str = "1") -> str:
    return f"{host}||https://{host}/redfish/v1/EventService/Subscriptions/{location}||[{origin}]"


class RacedSubscriptionStore(InMemorySubscriptionStore):
    """
    Somebody else may save a subscription just after it was read.
    """

    comes_next: Subscription | None = None
    comparison_count = 0

    def changes_since(self, generation: int) -> tuple[int, Sequence[Subscription], Sequence[str] | None]:
        self.comparison_count += 1
        found = super().changes_since(generation)
        if self.comes_next is not None:
            self.save(self.comes_next)
        return found


class FailingInventoryStore(InMemoryInventoryStore):
    """
    Fails when told.
    """

    is_failing = False

    def change(self, keeper: Keeper, change: InventoryChange) -> None:
        if self.is_failing:
            raise TransientError("Redis failed")
        super().change(keeper, change)


class FollowedOdim:
    """
    An ODIM, our stores, and the mirror between them.
    """

    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: int(self.now_s * 1000))
        self.odim = InMemoryOdimStore()
        self.inventory = FailingInventoryStore(self.state)
        self.store = RacedSubscriptionStore(self.state)
        self.woken: list[str] = []
        self.now_s = 1_000.0
        self.restart()

    def restart(self, *, egress: EgressPolicy | None = None, wake: Callable[[str], None] | None = None) -> None:
        self.mirror = Mirror(
            odim=self.odim,
            inventory=self.inventory,
            subscriptions=MirroredSubscriptions(
                store=self.store,
                wake=wake or self.woken.append,
                now_s=lambda: 1_700_000_000.5,
                egress=egress or EgressPolicy(),
            ),
            monotonic_s=lambda: self.now_s,
        )

    def read(self, *, after_s: float = 0.0) -> float | None:
        self.now_s += after_s
        return self.mirror.read()

    @property
    def sources(self) -> dict[str, str]:
        return dict(self.inventory.content(Keeper.ODIM).sources)

    @property
    def aggregates(self) -> dict[str, tuple[str, ...]]:
        return dict(self.inventory.content(Keeper.ODIM).aggregates)

    @property
    def report(self) -> dict[str, Any]:
        found = self.inventory.last_reading()
        assert found is not None
        report: dict[str, Any] = json.loads(found[1])
        return report
