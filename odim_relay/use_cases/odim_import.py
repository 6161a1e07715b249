"""
Subscriptions of ODIM's become our own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Subscription
from odim_relay.domain.subscription_flaws import flaws_of
from odim_relay.formats.odim_subscriptions import SubscriptionRow
from odim_relay.ports import Action, SubscriptionStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import NOT_KEPT, Audit

log = logger(__name__)


class Became(StrEnum):
    """
    What became of a subscription of ODIM's: a new one of ours; one that was followed and is ours now; one that was ours
    before, and was left as it is; or nothing, for it cannot be.
    """

    IMPORTED = "imported"
    ADOPTED = "adopted"
    OURS = "ours_already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """
    One subscription.

    Attributes:
        subscription: as it is ours; of a refused one, as it would be.
        notes: what is not as ODIM has it, or why it was refused.
    """

    subscription: Subscription
    odim_id: str
    became: Became
    notes: tuple[str, ...] = ()


class ImportSubscriptions:
    """
    Makes our own subscriptions out of ODIM's, under the same ids. Done again it does nothing more.
    """

    def __init__(
        self,
        *,
        store: SubscriptionStore,
        egress: EgressPolicy,
        now_s: Callable[[], float],
        audit: Audit = NOT_KEPT,
    ) -> None:
        """
        Args:
            egress: where destinations may be.
            now_s: gives the time, seconds since the epoch.
        """
        self._audit = audit
        self._store = store
        self._egress = egress
        self._now_s = now_s

    def __call__(self, rows: Mapping[str, SubscriptionRow], *, dry_run: bool = False) -> list[Carried]:
        """
        Import those that can be.

        Args:
            rows: by our id.
            dry_run: store nothing, and tell what would become of them.

        Returns:
            what became of each, by id.

        Raises:
            TransientError: some may have been stored; those are `ours_already` next time.
        """
        with self._audit(Action.SUBSCRIPTIONS_IMPORTED) as note:
            note.is_void = dry_run
            carried = [self._import(row, dry_run=dry_run) for _, row in sorted(rows.items())]
            note.count = sum(one.became in {Became.IMPORTED, Became.ADOPTED} for one in carried)
        if not dry_run:
            counts = {str(one): sum(carried_one.became is one for carried_one in carried) for one in Became}
            log.info("subscriptions.imported", **counts)
        return carried

    def _import(self, row: SubscriptionRow, *, dry_run: bool) -> Carried:
        stands = self._store.get(row.subscription.subscription_id)
        ours = replace(row.subscription, keeper=Keeper.OWN, created_at_s=int(self._now_s()))
        if stands is not None and stands.keeper is Keeper.OWN:
            return Carried(subscription=stands, odim_id=row.odim_id, became=Became.OURS)
        flaws = tuple(f"{flaw.member} {flaw.problem}" for flaw in flaws_of(ours, self._egress))
        if flaws:
            return Carried(subscription=ours, odim_id=row.odim_id, became=Became.REFUSED, notes=flaws)
        if stands is not None:
            ours = replace(ours, created_at_s=stands.created_at_s, revision=stands.revision + 1)
        if not dry_run:
            self._store.save(ours)
        became = Became.IMPORTED if stands is None else Became.ADOPTED
        return Carried(subscription=ours, odim_id=row.odim_id, became=became, notes=row.differences)
