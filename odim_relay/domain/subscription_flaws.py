"""
What about a subscription cannot be: found by itself, member by member, and against each other.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from odim_relay.domain.authentication import ClientCredentials, problems_of
from odim_relay.domain.destination import check_destination
from odim_relay.domain.egress import EgressPolicy, check_egress
from odim_relay.domain.event import EventFormat
from odim_relay.domain.http_header import check_header
from odim_relay.domain.message_id import without_version
from odim_relay.domain.resource_type import is_type
from odim_relay.domain.signing import check_signing_key, check_signing_secret
from odim_relay.domain.subscription import Filters, Mode, Subscription, SubscriptionType
from odim_relay.domain.tls import tls_flaws_of

SEVERITIES = ("OK", "Warning", "Critical")
"""
Values of `MessageSeverity`. Source: Resource v1, Health.
"""
MOST_BACKUPS = 8
"""
Backup destinations of one subscription: they share one attempt's deadline.
"""
LONGEST_URL = 2_000
LONGEST_TEXT = 4_096
"""
Characters of a Context, and of one value of a filter.
"""
LONGEST_NAME = 256
LONGEST_HEADERS = 16_384
"""
Bytes of all headers together, as they stand in a request.
"""
MOST_VALUES = 1_000
"""
Of one filter.
"""
LONGEST_HEARTBEAT_MINUTES = 65_535
LONGEST_RETENTION_S = 2_592_000
MOST_IN_FLIGHT = 10_000
LEAST_IN_BATCH, MOST_IN_BATCH = 2, 500
HIGHEST_RATE_PER_S = 1_000_000.0


class FlawKind(StrEnum):
    """
    What kind of wrong it is.
    """

    FORMAT = "format"
    NOT_IN_LIST = "not_in_list"
    OUT_OF_RANGE = "out_of_range"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """
    One thing that cannot be as it is.

    Attributes:
        member: by its name in EventDestination.
        problem: in words that follow the name.
        value: what is wrong, as text; of a secret not even a part.
        index: of the element that is meant, in a list.
        other: the member that it is in conflict with.
        limit: that was passed, of what is too long or too many.
    """

    member: str
    kind: FlawKind
    problem: str
    value: str = ""
    index: int | None = None
    other: str = ""
    limit: int = 0


def flaws_of(subscription: Subscription, egress: EgressPolicy) -> Iterator[Flaw]:
    """
    Find everything that cannot be. Whether a destination can be reached is not asked.
    """
    if subscription.kind is SubscriptionType.REDFISH_EVENT:
        yield from _flaws_of_url("Destination", subscription.destination, egress)
    yield from _flaws_of_backups(subscription, egress)
    yield from _flaws_of_headers(subscription.headers)
    yield from _flaws_of_tls(subscription)
    yield from _flaws_of_filters(subscription.filters)
    yield from _flaws_of_conflicts(subscription.filters)
    yield from _flaws_of_format(subscription)
    yield from _flaws_of_texts(subscription)
    yield from _flaws_of_signing(subscription)
    yield from _flaws_of_authentication(subscription, egress)
    yield from _flaws_of_numbers(subscription)
    yield from _flaws_of_batches(subscription)


def _flaws_of_url(member: str, url: str, egress: EgressPolicy, index: int | None = None) -> Iterator[Flaw]:
    where = "" if index is None else f"cannot be: number {index + 1} "
    shown = url.rpartition("@")[2]  # what is before it may be a password
    if len(url) > LONGEST_URL:
        problem = f"{where}is longer than {LONGEST_URL} characters"
        yield Flaw(
            member=member, kind=FlawKind.TOO_LONG, problem=problem, value=shown[:80], index=index, limit=LONGEST_URL
        )
    elif (wrong := check_destination(url)) is not None:
        yield Flaw(member=member, kind=FlawKind.FORMAT, problem=where + wrong, value=shown, index=index)
    elif (forbidden := check_egress(url, egress)) is not None:
        yield Flaw(member=member, kind=FlawKind.FORBIDDEN, problem=where + forbidden, value=url, index=index)


def _flaws_of_backups(subscription: Subscription, egress: EgressPolicy) -> Iterator[Flaw]:
    member = "BackupDestinations"
    backups = subscription.backup_destinations
    if len(backups) > MOST_BACKUPS:
        yield _too_many(member, len(backups), MOST_BACKUPS)
        return
    seen = {subscription.destination}
    for index, backup in enumerate(backups):
        flaws = list(_flaws_of_url(member, backup, egress, index))
        yield from flaws
        if not flaws and backup in seen:
            yield Flaw(
                member=member,
                kind=FlawKind.CONFLICT,
                problem=f"cannot be: number {index + 1} is given before",
                value=backup,
                index=index,
                other="Destination" if backup == subscription.destination else member,
            )
        seen.add(backup)


def _flaws_of_headers(headers: Collection[tuple[str, str]]) -> Iterator[Flaw]:
    member = "HttpHeaders"
    if sum(len(name) + len(value) + 4 for name, value in headers) > LONGEST_HEADERS:
        problem = f"hold more than {LONGEST_HEADERS} bytes"
        yield Flaw(member=member, kind=FlawKind.TOO_LONG, problem=problem, value=member, limit=LONGEST_HEADERS)
        return
    seen: set[str] = set()
    for name, value in headers:
        wrong = check_header(name, value)
        if wrong is None and name.lower() in seen:
            wrong = "is given twice"
        if wrong is not None:
            # The value is a secret.
            yield Flaw(member=member, kind=FlawKind.FORMAT, problem=f"cannot be: {name!a} {wrong}", value=name)
        seen.add(name.lower())


def _flaws_of_tls(subscription: Subscription) -> Iterator[Flaw]:
    for one in tls_flaws_of(subscription):
        kind = FlawKind.CONFLICT if one.other else FlawKind.FORMAT
        yield Flaw(member=one.member, kind=kind, problem=one.problem, value=one.value, other=one.other)


def _flaws_of_filters(filters: Filters) -> Iterator[Flaw]:
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
        if len(values) > MOST_VALUES:
            yield _too_many(member, len(values), MOST_VALUES)
            continue
        for index, value in enumerate(values):
            kind, problem = _wrong_with(member, value)
            if kind is not None:
                yield Flaw(member=member, kind=kind, problem=problem, value=value[:80], index=index, limit=LONGEST_TEXT)


def _wrong_with(member: str, value: str) -> tuple[FlawKind | None, str]:
    if not value or value != value.strip():
        empty = "which is empty or has white space around it: no event could match"
        return FlawKind.FORMAT, f"holds {value[:80]!r}, {empty}"
    if len(value) > LONGEST_TEXT:
        return FlawKind.TOO_LONG, f"holds a value of more than {LONGEST_TEXT} characters"
    if member == "Severities" and value not in SEVERITIES:
        return FlawKind.NOT_IN_LIST, f"holds {value!r}; they are {', '.join(SEVERITIES)}"
    if member == "ResourceTypes" and not is_type(value):
        return FlawKind.NOT_IN_LIST, f"holds {value[:80]!r}, which no resource has: no event could match"
    if member in {"OriginResources", "MetricReportDefinitions"} and not value.startswith("/"):
        return FlawKind.FORMAT, f"holds {value!r}; a resource's URI begins with /"
    return None, ""


def _flaws_of_conflicts(filters: Filters) -> Iterator[Flaw]:
    """
    What is asked for and excluded at once would never be sent.
    """
    ids = {without_version(id_) for id_ in filters.message_ids}
    excluded = {without_version(id_) for id_ in filters.exclude_message_ids}
    registries = set(filters.registry_prefixes)
    yield from _both("MessageIds", "ExcludeMessageIds", ids & excluded)
    yield from _both("RegistryPrefixes", "ExcludeRegistryPrefixes", registries & set(filters.exclude_registry_prefixes))


def _both(member: str, other: str, values: Iterable[str]) -> Iterator[Flaw]:
    held = ", ".join(sorted(values))
    if held:
        problem = f"and {other} both hold {held}"
        yield Flaw(member=member, kind=FlawKind.CONFLICT, problem=problem, value=held, other=other)


def _flaws_of_format(subscription: Subscription) -> Iterator[Flaw]:
    """
    Who asks for reports gets no events, of whatever type.
    """
    if subscription.event_format is not EventFormat.METRIC_REPORT:
        return
    for index, value in enumerate(subscription.filters.event_types[:MOST_VALUES]):
        if value and value != EventFormat.METRIC_REPORT:
            problem = f"holds {value[:80]!r}; with the EventFormatType MetricReport it can hold MetricReport alone"
            yield Flaw(member="EventTypes", kind=FlawKind.NOT_IN_LIST, problem=problem, value=value[:80], index=index)


def _flaws_of_texts(subscription: Subscription) -> Iterator[Flaw]:
    for member, text, limit in (
        ("Context", subscription.context or "", LONGEST_TEXT),
        ("Name", subscription.name, LONGEST_NAME),
    ):
        if len(text) > limit:
            problem = f"is longer than {limit} characters"
            yield Flaw(member=member, kind=FlawKind.TOO_LONG, problem=problem, value=text[:80], limit=limit)


def _flaws_of_signing(subscription: Subscription) -> Iterator[Flaw]:
    for member, text, check in (
        ("SigningSecret", subscription.signing_secret, check_signing_secret),
        ("SigningKey", subscription.signing_key, check_signing_key),
    ):
        wrong = check(text) if text else None
        if wrong is not None:
            yield Flaw(member=member, kind=FlawKind.FORMAT, problem=wrong)


def _flaws_of_authentication(subscription: Subscription, egress: EgressPolicy) -> Iterator[Flaw]:
    authentication, member = subscription.authentication, "Authentication"
    if authentication is None:
        return
    # None of the values is repeated: what is wrong may be a secret in the wrong place.
    flaws = [
        Flaw(member=f"{member}/{part}", kind=FlawKind.FORMAT, problem=problem)
        for part, problem in problems_of(authentication)
    ]
    yield from flaws
    if isinstance(authentication, ClientCredentials) and not flaws:
        yield from _flaws_of_url(f"{member}/TokenUri", authentication.token_url, egress)
    if any(name.lower() == "authorization" for name, _ in subscription.headers):
        problem = "and the header Authorization both say who we are: give one of them"
        yield Flaw(member=member, kind=FlawKind.CONFLICT, problem=problem, other="HttpHeaders")


def _flaws_of_numbers(subscription: Subscription) -> Iterator[Flaw]:
    for member, number, least, most in (
        ("HeartbeatIntervalMinutes", subscription.heartbeat_minutes, 1, LONGEST_HEARTBEAT_MINUTES),
        ("MaxInFlight", subscription.max_in_flight, 1, MOST_IN_FLIGHT),
        ("RetentionSeconds", subscription.retention_s, 1, LONGEST_RETENTION_S),
        ("BatchSize", subscription.batch_size, LEAST_IN_BATCH, MOST_IN_BATCH),
    ):
        if number is not None and not least <= number <= most:
            problem = f"is {number}; it can be {least} to {most}"
            yield Flaw(member=member, kind=FlawKind.OUT_OF_RANGE, problem=problem, value=str(number))
    rate = subscription.rate_per_s
    if rate is not None and not 0 < rate <= HIGHEST_RATE_PER_S:
        problem = f"is {rate}; it can be above 0 and at most {HIGHEST_RATE_PER_S:.0f}"
        yield Flaw(member="RatePerSecond", kind=FlawKind.OUT_OF_RANGE, problem=problem, value=str(rate))


def _flaws_of_batches(subscription: Subscription) -> Iterator[Flaw]:
    """
    Only Events wait and can be put together.
    """
    if subscription.batch_size is None:
        return
    for is_so, other, why in (
        (subscription.mode is Mode.AT_MOST_ONCE, "Mode", "with the Mode at_most_once nothing waits for another"),
        (subscription.event_format is EventFormat.METRIC_REPORT, "EventFormatType", "MetricReports go one by one"),
        (subscription.kind is SubscriptionType.SSE, "SubscriptionType", "a stream has no requests"),
    ):
        if is_so:
            problem = f"cannot be: {why}"
            value = str(subscription.batch_size)
            yield Flaw(member="BatchSize", kind=FlawKind.CONFLICT, problem=problem, value=value, other=other)


def _too_many(member: str, count: int, limit: int) -> Flaw:
    problem = f"holds {count}; {limit} are the most"
    return Flaw(member=member, kind=FlawKind.TOO_MANY, problem=problem, value=str(count), limit=limit)
