"""
ODIM's subscriptions, beside our own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Subscription
from odim_relay.errors import TransientError
from odim_relay.formats.odim_rows import RowFlaw
from odim_relay.formats.odim_subscriptions import SubscriptionRow
from odim_relay.ports import SubscriptionStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.absences import Absences
from odim_relay.use_cases.subscribe import InvalidSubscriptionError, check_subscription

log = logger(__name__)

GRACE_S = 3.0
"""
Until a subscription that is missing counts as deleted: longer than ODIM takes to write a changed one anew.
"""
GRACE_FOR_MANY_S = 60.0
"""
What waits for a deleted subscription is dropped: when most are missing at once, as after an accident of ODIM's Redis,
that can wait.
"""


class _NotMirroredError(Exception):
    """
    It is our own by now.
    """


class MirroredSubscriptions:
    """
    Keeps those of ODIM's subscriptions that can be served. One that is our own under the same id is left alone: it was
    imported. For one thread.
    """

    def __init__(
        self,
        *,
        store: SubscriptionStore,
        wake: Callable[[str], None],
        now_s: Callable[[], float],
        egress: EgressPolicy,
    ) -> None:
        """
        Args:
            wake: looks whether something of a subscription may go now.
            now_s: gives the time, seconds since the epoch.
            egress: where destinations may be.
        """
        self._store = store
        self._wake = wake
        self._now_s = now_s
        self._egress = egress
        self._generation = 0
        self._known: dict[str, Subscription] = {}
        self._absences = Absences(GRACE_S, grace_for_many_s=GRACE_FOR_MANY_S)

    @property
    def due_at_s(self) -> float | None:
        """
        When to look again because some are missing; None when none is.
        """
        return self._absences.due_at_s

    def forget_absences(self) -> None:
        """
        See `Mirror.forget_absences`.
        """
        self._absences.forget()

    def generation(self) -> int:
        """
        The number of the last change of any subscription here.
        """
        return self._store.generation()

    def take(self, rows: Mapping[str, SubscriptionRow], now_s: float) -> list[RowFlaw]:
        """
        Store what is new and what is changed, and delete what is gone.

        One that cannot be sent to is `refused`: it is not stored, or stays as it is. What is wrong with it already, by
        settings that were changed since, does not count.

        Returns:
            a flaw for each that is refused.
        """
        self._refresh()
        refused = list(self._save(rows))
        mirrored = {id_ for id_, one in self._known.items() if one.keeper is Keeper.ODIM}
        missing = mirrored - rows.keys()
        for id_ in sorted(self._absences.gone(missing, known_count=len(mirrored), now_s=now_s)):
            self._delete(id_)
        return refused

    def _refresh(self) -> None:
        now, saved, deleted = self._store.changes_since(self._generation)
        if deleted is None:
            self._known.clear()
        for id_ in deleted or ():
            self._known.pop(id_, None)
        self._known.update((one.subscription_id, one) for one in saved)
        self._generation = now

    def _save(self, rows: Mapping[str, SubscriptionRow]) -> Iterator[RowFlaw]:
        for id_, row in rows.items():
            known = self._known.get(id_)
            if known is not None and (known.keeper is not Keeper.ODIM or _is_same(known, row.subscription)):
                continue
            try:
                check_subscription(row.subscription, self._egress, known=known)
            except InvalidSubscriptionError as exc:
                yield RowFlaw(reason="refused", detail=f"{row.odim_id[:80]}: {exc}")
                continue
            if known is None:
                self._store.save(replace(row.subscription, created_at_s=int(self._now_s())))
                log.info("subscription.mirrored", subscription_id=id_)
            else:
                self._update(id_, row.subscription)

    def _update(self, id_: str, wish: Subscription) -> None:
        def change(stands: Subscription) -> Subscription:
            if stands.keeper is not Keeper.ODIM:
                return stands
            return replace(wish, created_at_s=stands.created_at_s, revision=stands.revision + 1)

        if self._store.update(id_, change) is None:
            return  # deleted by a person meanwhile; the next pass stores it anew
        log.info("subscription.mirrored", subscription_id=id_)
        try:
            self._wake(id_)
        except TransientError as exc:
            # The change is stored: what waits is looked at by the replay task too.
            log.warning("subscription.not_woken", subscription_id=id_, detail=str(exc))

    def _delete(self, id_: str) -> None:
        def check(stands: Subscription) -> None:
            if stands.keeper is not Keeper.ODIM:
                raise _NotMirroredError

        try:
            self._store.delete(id_, check)
        except _NotMirroredError:
            return
        log.info("subscription.unmirrored", subscription_id=id_)


def _is_same(known: Subscription, wish: Subscription) -> bool:
    return replace(known, created_at_s=wish.created_at_s, revision=wish.revision) == wish
