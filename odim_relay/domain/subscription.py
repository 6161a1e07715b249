"""
A subscription: which events, to which destination.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from odim_relay.domain.authentication import Authentication
from odim_relay.domain.event import EventFormat
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.signing import RetiredSecret


class Mode(StrEnum):
    """
    What a subscription is promised (semantics, "Modes per subscription").
    """

    AT_LEAST_ONCE = "at_least_once"
    AT_MOST_ONCE = "at_most_once"
    ORDERED = "ordered"


class SubscriptionType(StrEnum):
    """
    How events get to the subscriber. Source: EventDestination v1_16_0, SubscriptionType.

    Those of an `SSE` subscription go over the stream that its client holds open: no deliveries are made for it.
    """

    REDFISH_EVENT = "RedfishEvent"
    SSE = "SSE"


class RetryPolicy(StrEnum):
    """
    What to do about deliveries that fail. Source: EventDestination v1_16_0, DeliveryRetryPolicy.
    """

    FOREVER = "RetryForever"
    FOREVER_WITH_BACKOFF = "RetryForeverWithBackoff"
    SUSPEND = "SuspendRetries"
    TERMINATE = "TerminateAfterRetries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """
    Which EventRecords a subscription wants. An empty member does not restrict.

    The values are as the subscriber wrote them; `odim_relay.domain.matching` normalises both sides.
    Source: EventDestination v1_16_0.

    Attributes:
        registry_prefixes, message_ids: a union: a record passes by either.
        exclude_registry_prefixes, exclude_message_ids: subtracted after the union.
        origin_resources: URIs; with `subordinate_resources` also everything below them, by path segment.
        metric_report_definitions: URIs; of the reports only those made by these.
    """

    event_types: tuple[str, ...] = ()
    registry_prefixes: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    exclude_registry_prefixes: tuple[str, ...] = ()
    exclude_message_ids: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    origin_resources: tuple[str, ...] = ()
    subordinate_resources: bool = False
    severities: tuple[str, ...] = ()
    metric_report_definitions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """
    One subscriber's wish, and where to send what fulfils it.

    Attributes:
        subscription_id: a uuid4.
        destination: an http(s) URL.
        context: opaque text of the subscriber, at the root of every body; `None` leaves the payload's own.
        headers: name and value pairs added to each request; values are secrets: never logged, never listed.
        created_at_s: seconds since the epoch.
        owner: user name of the account that made it; empty when the command line did.
        backup_destinations: http(s) URLs, tried in this order when the destination fails.
        verify_certificate: whether the destinations' certificates are verified; `None` is as `DELIVERY__VERIFY` says.
        ca_file: what they are verified with instead; like the next ones but one a file's name, relative to the folder
            that `DELIVERY__TLS_DIR` names; empty for what all others are verified with.
        certificate_fingerprint: SHA-256 of the only certificate that is accepted, hexadecimal; empty for any.
        client_certificate_file: what is shown to them; empty for nothing.
        client_key_file: its key; empty where that is in the same file.
        heartbeat_minutes: how often a heartbeat event is sent, 1 to 65,535; `None` for none.
        signing_secret: `whsec_` and base64, to sign each request with; a secret; empty for none.
        signing_key: `whsk_` and base64, to sign each request with; a secret; empty for none.
        retired_secrets: what they took the place of, at most one of each: signs too for a while.
        authentication: who we are to its destinations, beyond its headers; holds secrets.
        max_in_flight: requests of its that may be under way at once; `None` for no limit of its own.
        rate_per_s: its requests per second at most; `None` for no limit.
        batch_size: how many waiting events go out in one request at most, 2 to 500; `None` for one each.
        retention_s: how long an event is kept for it, in seconds; `None` is as `DEAD_LETTERS__RETENTION_S` says.
        keeper: who creates, changes and removes it.
        revision: is raised by each change, so that one state can be told from another without a look at its secrets.
        sealed_by: id of the key that its secrets are encrypted with, where this process has not got that: they are
            absent then, nothing can be sent, and it cannot be changed. Empty otherwise.
    """

    subscription_id: str
    destination: str = field(repr=False)
    name: str = ""
    filters: Filters = Filters()
    event_format: EventFormat = EventFormat.EVENT
    context: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    retry_policy: RetryPolicy = RetryPolicy.FOREVER_WITH_BACKOFF
    mode: Mode = Mode.AT_LEAST_ONCE
    created_at_s: int = 0
    kind: SubscriptionType = SubscriptionType.REDFISH_EVENT
    owner: str = ""
    backup_destinations: tuple[str, ...] = field(default=(), repr=False)
    verify_certificate: bool | None = None
    ca_file: str = ""
    certificate_fingerprint: str = ""
    client_certificate_file: str = ""
    client_key_file: str = ""
    heartbeat_minutes: int | None = None
    signing_secret: str = field(default="", repr=False)
    signing_key: str = field(default="", repr=False)
    retired_secrets: tuple[RetiredSecret, ...] = ()
    authentication: Authentication | None = None
    max_in_flight: int | None = None
    rate_per_s: float | None = None
    retention_s: int | None = None
    batch_size: int | None = None
    keeper: Keeper = Keeper.OWN
    revision: int = 0
    sealed_by: str = ""
