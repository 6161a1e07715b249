"""
One subscription: what it wants, how it does, what waits for it.
"""

from collections.abc import Iterator

from odim_relay import bootstrap
from odim_relay.api.ui import letters, words
from odim_relay.api.ui.forms import read_number
from odim_relay.api.ui.letters import Kind
from odim_relay.api.ui.listing import row_of
from odim_relay.api.ui.routes import Page
from odim_relay.api.ui.uris import SUBSCRIPTIONS
from odim_relay.api.ui.visit import PageError, PageReply, Visit
from odim_relay.domain.authentication import Basic, ClientCredentials, kind_of
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.use_cases.status import SubscriptionStatus, read_subscriptions
from odim_relay.use_cases.subscribe import SubscriptionMissingError

_REFRESH_S = 3.0


def show(visit: Visit) -> PageReply:
    """
    The subscription as it stands.
    """
    subscription = found(visit)
    subscription_id = subscription.subscription_id
    now_ms = bootstrap.ledger_figures().now_ms()
    status = status_of(subscription, now_ms)
    kind = visit.query.get("letters", "")
    kind = Kind(kind) if kind in set(Kind) else Kind.ALL
    most = letters.MOST_LOOKED_AT // letters.PAGE_SIZE
    page = read_number(visit.query.get("page", ""), least=1, most=most, default=1)
    return PageReply(
        template="subscription.html",
        values={
            "row": row_of(status, subscription),
            "subscription": subscription,
            "status": status,
            "wishes": list(facts_of(subscription)),
            "standing": list(_standing(status, now_ms)),
            "counts": letters.counts_by_reason(subscription_id),
            "letters": letters.letters_page(subscription_id, kind, page),
            "kind": kind,
            "attempts": bootstrap.attempt_listing().of_subscription(subscription_id),
            "may_change": visit.may_change(subscription) and subscription.kind is not SubscriptionType.SSE,
            "now_ms": now_ms,
        },
        every_s=_REFRESH_S,
    )


def found(visit: Visit) -> Subscription:
    """
    The subscription that the page's path names.

    Raises:
        PageError: 404.
    """
    try:
        return bootstrap.subscribe().find(visit.params["subscription_id"])
    except SubscriptionMissingError:
        raise PageError(
            404,
            "No such subscription",
            "There is no subscription of this id. It may have been deleted.",
            back=(SUBSCRIPTIONS, "Go to the subscriptions"),
        ) from None


def status_of(subscription: Subscription, now_ms: int) -> SubscriptionStatus:
    """
    How it stands.

    Raises:
        TransientError: Redis cannot be reached.
    """
    backlogs = bootstrap.delivery_listing().backlogs([subscription.subscription_id])
    (status,) = read_subscriptions([subscription], backlogs, bootstrap.flow_listing(), now_ms)
    return status


def facts_of(subscription: Subscription) -> Iterator[tuple[str, str]]:
    """
    What it says, without secrets; what it leaves open is left out.
    """
    filters = subscription.filters
    yield "Id", subscription.subscription_id
    yield "Destination", without_secrets(subscription.destination) or "a stream that its client holds open"
    wanted = (
        ("Backup destinations", tuple(map(without_secrets, subscription.backup_destinations))),
        ("Event types", filters.event_types),
        ("Severities", filters.severities),
        ("Message ids", filters.message_ids),
        ("Registries", filters.registry_prefixes),
        ("Not message ids", filters.exclude_message_ids),
        ("Not registries", filters.exclude_registry_prefixes),
        ("Resource types", filters.resource_types),
        ("Origins", filters.origin_resources),
        ("Metric reports", filters.metric_report_definitions),
    )
    yield from ((name, ", ".join(values)) for name, values in wanted if values)
    if filters.subordinate_resources:
        yield "Subordinate resources", "yes, all below its origins"
    if not any(values for _, values in wanted[1:]):
        yield "Wants", "every event"
    yield "Format", str(subscription.event_format)
    if subscription.kind is not SubscriptionType.SSE:
        yield from _delivery_facts(subscription)
    yield "Kept by", "ODIM" if str(subscription.keeper) == "odim" else "odim-relay"
    yield "Owner", subscription.owner or "the command line"
    if subscription.created_at_s:
        yield "Created (UTC)", words.moment(subscription.created_at_s * 1000)


def _delivery_facts(subscription: Subscription) -> Iterator[tuple[str, str]]:
    yield "Mode", str(subscription.mode).replace("_", " ")
    yield "Retry policy", str(subscription.retry_policy)
    if subscription.context:
        yield "Context", subscription.context
    if subscription.headers:
        yield "Headers", ", ".join(f"{name}: (hidden)" for name, _ in subscription.headers)
    if subscription.authentication is not None:
        yield "Authentication", _authentication(subscription)
    signed = [
        name
        for name, value in (("a secret", subscription.signing_secret), ("a key", subscription.signing_key))
        if value
    ]
    if signed:
        yield "Signed with", " and ".join(signed)
    if subscription.verify_certificate is not None:
        yield "Certificates", "verified" if subscription.verify_certificate else "not verified"
    limits = (
        ("In flight at most", subscription.max_in_flight, ""),
        ("Per second at most", subscription.rate_per_s, ""),
        ("Per request at most", subscription.batch_size, " events"),
    )
    yield from ((name, f"{value:g}{unit}") for name, value, unit in limits if value is not None)
    if subscription.retention_s is not None:
        yield "Events kept for", words.age(subscription.retention_s)
    if subscription.heartbeat_minutes is not None:
        yield "Heartbeat every", words.age(subscription.heartbeat_minutes * 60)


def _authentication(subscription: Subscription) -> str:
    match subscription.authentication:
        case Basic(username=username):
            return f"Basic, as {username}"
        case ClientCredentials(client_id=client_id, token_url=url):
            return f"OAuth2, as {client_id} at {without_secrets(url)}"
        case None:
            return ""
        case other:
            return str(kind_of(other))


def _standing(status: SubscriptionStatus, now_ms: int) -> Iterator[tuple[str, str]]:
    flow, destination = status.flow, status.destination
    if flow.suspended_by:
        yield "Suspended", words.suspension(flow)
    yield "Waiting", words.count(status.waiting_count)
    yield "Dead letters", words.count(status.dead_letter_count)
    if status.oldest_age_s is not None:
        yield "Oldest event", words.age(status.oldest_age_s)
    yield "Breaker", words.breaker(destination, now_ms)
    yield "In flight there", words.count(destination.in_flight_count)
    if destination.success_at_ms:
        yield "Last success (UTC)", words.moment(destination.success_at_ms)
    if status.last_failure:
        yield "Last error", words.last_failure(dict(status.last_failure))
    if flow.unsaid_loss_count:
        yield "Lost, not told yet", words.plural(flow.unsaid_loss_count, "event")


PAGES = (Page(path=f"{SUBSCRIPTIONS}/{{subscription_id}}", handlers={"GET": show}),)
