"""
A subscription as an EventDestination. Source: EventDestination v1_16_0.
"""

from datetime import UTC, datetime
from typing import Any

from odim_relay.api.http.conditions import ETAG, etag_of
from odim_relay.api.uris import SUBSCRIPTIONS
from odim_relay.domain.authentication import Authentication, Basic, Bearer, ClientCredentials, kind_of
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.destination import without_secrets, without_user_info
from odim_relay.domain.subscription import Mode, Subscription, SubscriptionType
from odim_relay.ports import SuspendedBy
from odim_relay.use_cases.status import SubscriptionStatus

KIND = "EventDestination"
SCHEMA = "EventDestination.v1_16_0"
USUAL_NAME = "Event subscription"

_OWN_TYPE = "#OdimRelay.v1_0_0.EventDestination"


def uri_of(subscription_id: str) -> str:
    """
    Where a subscription is.
    """
    return f"{SUBSCRIPTIONS}/{subscription_id}"


def event_destination(
    subscription: Subscription, status: SubscriptionStatus, *, verifies_by_default: bool, public_key: str = ""
) -> dict[str, Any]:
    """
    The resource, with its tag: which another state has, and which figures that change by themselves do not change.

    Args:
        verifies_by_default: whether certificates are verified of subscriptions that do not say so themselves.
        public_key: the public half of its signing key; empty for none.
    """
    is_suspended = bool(status.flow.suspended_by)
    own = _own_of(subscription, public_key)
    document = {
        "@odata.id": uri_of(subscription.subscription_id),
        "@odata.type": f"#{SCHEMA}.{KIND}",
        "Id": subscription.subscription_id,
        "Name": subscription.name or USUAL_NAME,
        "Destination": without_user_info(subscription.destination),
        "Protocol": "Redfish",
        "SubscriptionType": subscription.kind,
        "Context": subscription.context,
        "HttpHeaders": [],
        "Status": {"State": "Disabled" if is_suspended else "Enabled"},
        **(_of_a_stream() if subscription.kind is SubscriptionType.SSE else _wish(subscription, verifies_by_default)),
    }
    etag = etag_of({**document, "Oem": own, "Revision": subscription.revision})
    if delivery := _delivery(status):
        own = {**own, "Delivery": delivery}
    if own:
        document["Oem"] = {"OdimRelay": {"@odata.type": _OWN_TYPE, **own}}
    document["Status"] = {**document["Status"], "Health": _health(status)}
    return {**document, ETAG: etag}


def _of_a_stream() -> dict[str, Any]:
    return {"EventFormatType": "Event"}


def _wish(subscription: Subscription, verifies_by_default: bool) -> dict[str, Any]:
    filters = subscription.filters
    verifies = subscription.verify_certificate
    minutes = subscription.heartbeat_minutes
    uri = uri_of(subscription.subscription_id)
    return {
        "EventFormatType": subscription.event_format,
        # Deprecated: only who uses it sees it.
        **({"EventTypes": list(filters.event_types)} if filters.event_types else {}),
        "RegistryPrefixes": list(filters.registry_prefixes),
        "MessageIds": list(filters.message_ids),
        "ExcludeRegistryPrefixes": list(filters.exclude_registry_prefixes),
        "ExcludeMessageIds": list(filters.exclude_message_ids),
        "ResourceTypes": list(filters.resource_types),
        **_links("OriginResources", filters.origin_resources),
        "SubordinateResources": filters.subordinate_resources,
        "Severities": list(filters.severities),
        "IncludeOriginOfCondition": False,
        **_links("MetricReportDefinitions", filters.metric_report_definitions),
        "BackupDestinations": list(map(without_user_info, subscription.backup_destinations)),
        "VerifyCertificate": verifies_by_default if verifies is None else verifies,
        "DeliveryRetryPolicy": subscription.retry_policy,
        "SendHeartbeat": minutes is not None,
        **({} if minutes is None else {"HeartbeatIntervalMinutes": minutes}),
        "Actions": {
            f"#EventDestination.{name}": {"target": f"{uri}/Actions/EventDestination.{name}"}
            for name in ("ResumeSubscription", "SuspendSubscription")
        },
    }


def _links(name: str, uris: tuple[str, ...]) -> dict[str, Any]:
    return {name: [{"@odata.id": uri} for uri in uris], f"{name}@odata.count": len(uris)}


def _own_of(subscription: Subscription, public_key: str) -> dict[str, Any]:
    """
    What it says beyond Redfish; empty when it says nothing of the kind.
    """
    own: dict[str, Any] = {
        "Mode": None if subscription.mode is Mode.AT_LEAST_ONCE else subscription.mode,
        "MaxInFlight": subscription.max_in_flight,
        "RatePerSecond": subscription.rate_per_s,
        "RetentionSeconds": subscription.retention_s,
        "CaFile": subscription.ca_file or None,
        "CertificateFingerprint": subscription.certificate_fingerprint or None,
        "ClientCertificateFile": subscription.client_certificate_file or None,
        "ClientKeyFile": subscription.client_key_file or None,
        "BatchSize": subscription.batch_size,
    }
    authentication = subscription.authentication
    is_signed = subscription.signing_secret or subscription.signing_key
    if not is_signed and authentication is None and all(value is None for value in own.values()):
        return {}
    return {
        **own,
        "Mode": subscription.mode,
        "SigningSecret": None,
        "SigningKey": None,
        **({"PublicKey": public_key} if public_key else {}),
        "Authentication": None if authentication is None else _authentication(authentication),
    }


def _authentication(authentication: Authentication) -> dict[str, Any]:
    """
    All of it but its secrets, which are null.
    """
    told: dict[str, Any] = {"Kind": kind_of(authentication)}
    match authentication:
        case Basic(username=username):
            told |= {"Username": username, "Password": None}
        case Bearer():
            told |= {"Token": None}
        case ClientCredentials(token_url=url, client_id=client_id, scope=scope):
            told |= {"TokenUri": without_secrets(url), "ClientId": client_id, "ClientSecret": None}
            told |= {"Scope": scope} if scope else {}
    return told


def _delivery(status: SubscriptionStatus) -> dict[str, Any]:
    """
    How the delivery goes, in figures; empty where all that came was delivered, for `Status` tells all of that, also
    that somebody suspended it.
    """
    flow, destination = status.flow, status.destination
    is_plain = destination.breaker is Breaker.CLOSED and flow.suspended_by in {"", SuspendedBy.HAND}
    if is_plain and not status.waiting_count and not status.dead_letter_count:
        return {}
    told: dict[str, Any] = {
        "BreakerState": destination.breaker,
        "WaitingCount": status.waiting_count,
        "DeadLetterCount": status.dead_letter_count,
        "InFlightCount": destination.in_flight_count,
    }
    if status.oldest_age_s is not None:
        told["OldestAgeSeconds"] = round(status.oldest_age_s)
    if flow.suspended_by:
        told["SuspendedBy"] = flow.suspended_by
        told["SuspendedTime"] = _instant(flow.suspended_at_ms)
    if destination.success_at_ms:
        told["LastSuccessTime"] = _instant(destination.success_at_ms)
    if status.last_failure:
        told["LastError"] = _in_words(status)
    return told


def _in_words(status: SubscriptionStatus) -> str:
    last = status.last_failure
    what = f"HTTP {last['status']}" if "status" in last else str(last.get("failure", "failed"))
    detail = str(last.get("detail", ""))
    return f"{what}: {detail}" if detail else what


def _health(status: SubscriptionStatus) -> str:
    """
    The destination's, as far as deliveries tell.
    """
    if status.destination.breaker is Breaker.OPEN or (status.subscription and status.subscription.sealed_by):
        return "Critical"
    is_behind = status.waiting_count and not status.flow.suspended_by
    if status.destination.breaker is Breaker.HALF_OPEN or is_behind or status.dead_letter_count:
        return "Warning"
    return "OK"


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
