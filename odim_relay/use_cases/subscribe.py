"""
Subscriptions come, change and go; what cannot work is refused, with the member's name.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from odim_relay.domain.destination import check_destination
from odim_relay.domain.egress import EgressPolicy, check_egress
from odim_relay.domain.http_header import check_header
from odim_relay.domain.message_id import without_version
from odim_relay.domain.signing import check_signing_secret
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.errors import PermanentError, TransientError
from odim_relay.ports import SubscriptionStore
from odim_relay.telemetry import logger

log = logger(__name__)

SEVERITIES = ("OK", "Warning", "Critical")
"""
Values of `MessageSeverity`. Source: Resource v1, Health.
"""
MOST_BACKUPS = 8
"""
Backup destinations of one subscription: they share one attempt's deadline.
"""


class InvalidSubscriptionError(PermanentError):
    """
    A member of the subscription cannot be as it is; nothing was stored.

    Attributes:
        member: by its name in EventDestination.
        problem: in words that follow the name.
    """

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member} {problem}")
        self.member = member
        self.problem = problem


class SubscriptionMissingError(PermanentError):
    """
    There is no subscription of this id.
    """

    def __init__(self, subscription_id: str) -> None:
        super().__init__(f"there is no subscription {subscription_id}")


def check_subscription(subscription: Subscription, egress: EgressPolicy) -> None:
    """
    Check every member by itself and against the others. Whether a destination can be reached is not asked.

    Raises:
        InvalidSubscriptionError: for the first that cannot be.
    """
    problem = _problem_with(subscription.destination, egress)
    if problem is not None:
        raise InvalidSubscriptionError("Destination", problem)
    _check_backups(subscription, egress)
    _check_headers(subscription.headers)
    _check_filters(subscription.filters)
    if subscription.signing_secret:
        problem = check_signing_secret(subscription.signing_secret)
        if problem is not None:
            raise InvalidSubscriptionError("SigningSecret", problem)


def _problem_with(destination: str, egress: EgressPolicy) -> str | None:
    return check_destination(destination) or check_egress(destination, egress)


def _check_backups(subscription: Subscription, egress: EgressPolicy) -> None:
    backups = subscription.backup_destinations
    if len(backups) > MOST_BACKUPS:
        raise InvalidSubscriptionError("BackupDestinations", f"holds {len(backups)}; {MOST_BACKUPS} are the most")
    seen = {subscription.destination}
    for index, backup in enumerate(backups):
        problem = _problem_with(backup, egress)
        if problem is None and backup in seen:
            problem = "is given before"
        if problem is not None:
            raise InvalidSubscriptionError("BackupDestinations", f"cannot be: number {index + 1} {problem}")
        seen.add(backup)


def _check_headers(headers: Sequence[tuple[str, str]]) -> None:
    seen: set[str] = set()
    for name, value in headers:
        problem = check_header(name, value)
        if problem is None and name.lower() in seen:
            problem = "is given twice"
        if problem is not None:
            raise InvalidSubscriptionError("HttpHeaders", f"cannot be: {name!a} {problem}")
        seen.add(name.lower())


def _check_filters(filters: Filters) -> None:
    lists = {
        "EventTypes": filters.event_types,
        "RegistryPrefixes": filters.registry_prefixes,
        "MessageIds": filters.message_ids,
        "ExcludeRegistryPrefixes": filters.exclude_registry_prefixes,
        "ExcludeMessageIds": filters.exclude_message_ids,
        "ResourceTypes": filters.resource_types,
        "OriginResources": filters.origin_resources,
        "Severities": filters.severities,
        "MetricReportDefinitions": filters.metric_report_definitions,
    }
    for member, values in lists.items():
        for value in values:
            if not value or value != value.strip():
                raise InvalidSubscriptionError(
                    member, f"holds {value!r}, which is empty or has white space around it: no event could match"
                )
    for value in filters.severities:
        if value not in SEVERITIES:
            raise InvalidSubscriptionError("Severities", f"holds {value!r}; they are {', '.join(SEVERITIES)}")
    for member in ("OriginResources", "MetricReportDefinitions"):
        for value in lists[member]:
            if not value.startswith("/"):
                raise InvalidSubscriptionError(member, f"holds {value!r}; a resource's URI begins with /")
    _check_conflicts(filters)


def _check_conflicts(filters: Filters) -> None:
    """
    What is asked for and excluded at once would never be sent.
    """
    both = {without_version(id_) for id_ in filters.message_ids} & {
        without_version(id_) for id_ in filters.exclude_message_ids
    }
    if both:
        raise InvalidSubscriptionError("MessageIds", f"and ExcludeMessageIds both hold {', '.join(sorted(both))}")
    both = set(filters.registry_prefixes) & set(filters.exclude_registry_prefixes)
    if both:
        raise InvalidSubscriptionError(
            "RegistryPrefixes", f"and ExcludeRegistryPrefixes both hold {', '.join(sorted(both))}"
        )


def _sending(subscription: Subscription) -> tuple[object, ...]:
    """
    What decides where and how its deliveries go.
    """
    return (
        subscription.destination,
        subscription.backup_destinations,
        subscription.verify_certificate,
        subscription.headers,
        subscription.mode,
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
    ) -> None:
        """
        Args:
            wake: looks whether something of a subscription may go now.
            new_id: gives a uuid4.
            now_s: gives the time, seconds since the epoch.
            egress: where destinations may be.
        """
        self._egress = egress
        self._store = store
        self._wake = wake
        self._new_id = new_id
        self._now_s = now_s

    def create(self, wish: Subscription) -> Subscription:
        """
        Store the subscription under a new id; it is effective for every event that is taken in from now on (L9).

        Args:
            wish: its `subscription_id` and `created_at_s` are replaced.

        Raises:
            InvalidSubscriptionError: nothing was stored.
        """
        made = replace(wish, subscription_id=self._new_id(), created_at_s=int(self._now_s()))
        check_subscription(made, self._egress)
        self._store.save(made)
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

    def update(self, subscription_id: str, change: Callable[[Subscription], Subscription]) -> Subscription:
        """
        Store what `change` makes of the subscription. Its filters count for events taken in from now on, all else for
        every attempt from now on; what waits goes on at once where it is sent elsewhere or otherwise.

        Raises:
            SubscriptionMissingError, InvalidSubscriptionError: nothing was stored.
        """
        before: list[Subscription] = []

        def checked(subscription: Subscription) -> Subscription:
            before.append(subscription)
            changed = change(subscription)
            check_subscription(changed, self._egress)
            return changed

        changed = self._store.update(subscription_id, checked)
        if changed is None:
            raise SubscriptionMissingError(subscription_id)
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

    def delete(self, subscription_id: str) -> None:
        """
        Remove it; what waits for it leaves the ledger, counted.

        Raises:
            SubscriptionMissingError: there is none.
        """
        if not self._store.delete(subscription_id):
            raise SubscriptionMissingError(subscription_id)
        log.info("subscription.deleted", subscription_id=subscription_id)

    def everything(self) -> Sequence[Subscription]:
        """
        List all, oldest first.
        """
        _, found, _ = self._store.changes_since(0)
        return sorted(found, key=lambda subscription: (subscription.created_at_s, subscription.subscription_id))
