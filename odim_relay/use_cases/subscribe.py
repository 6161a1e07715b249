"""
Subscriptions come, change and go; what cannot work is refused, with the member's name.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Subscription
from odim_relay.domain.subscription_flaws import Flaw, flaws_of
from odim_relay.domain.tls import tls_terms_of
from odim_relay.errors import PermanentError, TransientError
from odim_relay.ports import Action, SubscriptionStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import NOT_KEPT, Audit

log = logger(__name__)


class InvalidSubscriptionError(PermanentError):
    """
    Members of the subscription cannot be as they are; nothing was stored.

    Attributes:
        flaws: at least one.
        member, problem: of the first.
    """

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__("; ".join(f"{flaw.member} {flaw.problem}" for flaw in flaws))
        self.flaws = flaws
        self.member = flaws[0].member
        self.problem = flaws[0].problem


class SubscriptionMissingError(PermanentError):
    """
    There is no subscription of this id.
    """

    def __init__(self, subscription_id: str) -> None:
        super().__init__(f"there is no subscription {subscription_id}")


class KeptElsewhereError(PermanentError):
    """
    The subscription is created, changed and removed elsewhere; nothing was changed.
    """

    def __init__(self, subscription_id: str) -> None:
        super().__init__(
            f"subscription {subscription_id} is kept by ODIM and followed from there: change or delete it by ODIM's "
            "own API, or make it one of ours with `odim-relay odim import`"
        )


class TooManySubscriptionsError(PermanentError):
    """
    There are as many subscriptions as there may be.
    """


def check_subscription(subscription: Subscription, egress: EgressPolicy, known: Subscription | None = None) -> None:
    """
    Check every member by itself and against the others. Whether a destination can be reached is not asked.

    Args:
        known: as it is stored: what is wrong with that already, by rules that came later, keeps nobody from changing
            something else.

    Raises:
        InvalidSubscriptionError: with everything that cannot be.
    """
    flaws = list(flaws_of(subscription, egress))
    if flaws and known is not None:
        old = set(flaws_of(known, egress))
        flaws = [flaw for flaw in flaws if flaw not in old]
    if flaws:
        raise InvalidSubscriptionError(flaws)


def _members_changed(before: Subscription, after: Subscription) -> list[str]:
    """
    By name alone: values may be secrets.
    """
    names = (field.name for field in fields(Subscription) if field.name != "revision")
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def _sending(subscription: Subscription) -> tuple[object, ...]:
    """
    What decides where, how and when its deliveries go.
    """
    return (
        subscription.destination,
        subscription.backup_destinations,
        tls_terms_of(subscription),
        subscription.headers,
        subscription.authentication,
        subscription.signing_secret,
        subscription.signing_key,
        subscription.mode,
        subscription.max_in_flight,
        subscription.rate_per_s,
        subscription.batch_size,
    )


class Subscribe:
    """
    Creates, changes and deletes subscriptions, for the command line and the API alike.
    """

    def __init__(
        self,
        *,
        store: SubscriptionStore,
        wake: Callable[[str], None],
        new_id: Callable[[], str],
        now_s: Callable[[], float],
        egress: EgressPolicy = EgressPolicy(),  # noqa: B008 - it is immutable
        read_only: frozenset[Keeper] = frozenset({Keeper.ODIM}),
        audit: Audit = NOT_KEPT,
    ) -> None:
        """
        Args:
            wake: looks whether something of a subscription may go now.
            new_id: gives a uuid4.
            now_s: gives the time, seconds since the epoch.
            egress: where destinations may be.
            audit: is told what is done.
            read_only: whose subscriptions are not changed and not deleted here. What is left of a keeper that is
                followed no more is anybody's.
        """
        self._audit = audit
        self._read_only = read_only
        self._egress = egress
        self._store = store
        self._wake = wake
        self._new_id = new_id
        self._now_s = now_s

    def create(self, wish: Subscription, *, most: int | None = None) -> Subscription:
        """
        Store the subscription under a new id; it is effective for every event that is taken in from now on (L9).

        Args:
            wish: its `subscription_id` and `created_at_s` are replaced.
            most: so many may there be; some that are made at the same moment may come beyond it.

        Raises:
            InvalidSubscriptionError, TooManySubscriptionsError: nothing was stored.
        """
        made = replace(wish, subscription_id=self._new_id(), created_at_s=int(self._now_s()))
        with self._audit(Action.SUBSCRIPTION_CREATED) as note:
            check_subscription(made, self._egress)
            if most is not None and self._store.count() >= most:
                raise TooManySubscriptionsError(f"there are {most} subscriptions, which is the most there may be")
            self._store.save(made)
            note.subject = made.subscription_id
        log.info("subscription.created", subscription_id=made.subscription_id)
        return made

    def find(self, subscription_id: str) -> Subscription:
        """
        Read one.

        Raises:
            SubscriptionMissingError: there is none.
        """
        found = self._store.get(subscription_id)
        if found is None:
            raise SubscriptionMissingError(subscription_id)
        return found

    def update(
        self,
        subscription_id: str,
        change: Callable[[Subscription], Subscription],
        *,
        action: Action = Action.SUBSCRIPTION_CHANGED,
    ) -> Subscription:
        """
        Store what `change` makes of the subscription. Its filters count for events taken in from now on, all else for
        every attempt from now on; what waits goes on at once where it is sent elsewhere or otherwise.

        Raises:
            SubscriptionMissingError, InvalidSubscriptionError, KeptElsewhereError: nothing was stored.
        """
        before: list[Subscription] = []

        def checked(subscription: Subscription) -> Subscription:
            self._require_ours(subscription)
            before.append(subscription)
            changed = change(subscription)
            check_subscription(changed, self._egress, known=subscription)
            return changed if changed == subscription else replace(changed, revision=subscription.revision + 1)

        with self._audit(action, subscription_id) as note:
            changed = self._store.update(subscription_id, checked)
            if changed is None:
                raise SubscriptionMissingError(subscription_id)
            note.detail = ", ".join(_members_changed(before[-1], changed))
        log.info("subscription.updated", subscription_id=subscription_id)
        if _sending(changed) != _sending(before[-1]):
            self._wake_if_possible(subscription_id)
        return changed

    def _wake_if_possible(self, subscription_id: str) -> None:
        try:
            self._wake(subscription_id)
        except TransientError as exc:
            # The change is stored: what waits is looked at by the replay task too.
            log.warning("subscription.not_woken", subscription_id=subscription_id, detail=str(exc))

    def delete(self, subscription_id: str, check: Callable[[Subscription], object] | None = None) -> None:
        """
        Remove it; what waits for it leaves the ledger, counted.

        Args:
            check: is called with what is to be removed, and keeps that by raising something.

        Raises:
            SubscriptionMissingError: there is none.
            KeptElsewhereError: it would be back soon.
        """

        def checked(subscription: Subscription) -> None:
            self._require_ours(subscription)
            if check is not None:
                check(subscription)

        with self._audit(Action.SUBSCRIPTION_DELETED, subscription_id):
            if not self._store.delete(subscription_id, checked):
                raise SubscriptionMissingError(subscription_id)
        log.info("subscription.deleted", subscription_id=subscription_id)

    def _require_ours(self, subscription: Subscription) -> None:
        if subscription.keeper in self._read_only:
            raise KeptElsewhereError(subscription.subscription_id)

    def ids(self) -> Sequence[str]:
        """
        List the ids of all, ascending.
        """
        return sorted(self._store.ids())

    def everything(self) -> Sequence[Subscription]:
        """
        List all, oldest first.
        """
        _, found, _ = self._store.changes_since(0)
        return sorted(found, key=lambda subscription: (subscription.created_at_s, subscription.subscription_id))
