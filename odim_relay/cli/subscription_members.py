"""
The members of a subscription as they are given, and as JSON.
"""

from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import click

from odim_relay.cli.output import instant
from odim_relay.domain.authentication import Authentication, Basic, ClientCredentials, kind_of
from odim_relay.domain.destination import without_secrets, without_user_info
from odim_relay.domain.event import EventFormat
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.rotation import rotated_key, rotated_secret
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription

_ROTATED = MappingProxyType({"signing_secret": rotated_secret, "signing_key": rotated_key})
_FILTERS = tuple(field.name for field in fields(Filters))
CLEARABLE = MappingProxyType(
    {
        **{name.replace("_", "-"): name for name in _FILTERS},
        "authentication": "authentication",
        "batch-size": "batch_size",
        "backup-destinations": "backup_destinations",
        "ca-file": "ca_file",
        "certificate-fingerprint": "certificate_fingerprint",
        "client-certificate-file": "client_certificate_file",
        "client-key-file": "client_key_file",
        "context": "context",
        "headers": "headers",
        "heartbeat-minutes": "heartbeat_minutes",
        "max-in-flight": "max_in_flight",
        "name": "name",
        "rate": "rate_per_s",
        "retention": "retention_s",
        "secret": "signing_secret",
        "signing-key": "signing_key",
        "verify-certificate": "verify_certificate",
    }
)
"""
What can be emptied, by the name that it is called by, and its member.
"""


def changed(subscription: Subscription, given: dict[str, Any]) -> Subscription:
    """
    The subscription with the members that were given.
    """
    given = {name: value for name, value in given.items() if value not in (None, ())}
    # At once, without overlap: `rotate-secret` has one.
    if "signing_secret" in given:
        subscription = rotated_secret(subscription, given.pop("signing_secret"), now_s=0, overlap_s=0)
    if "signing_key" in given:
        subscription = rotated_key(subscription, given.pop("signing_key"), now_s=0, overlap_s=0)
    if "event_format" in given:
        given["event_format"] = EventFormat(given["event_format"])
    if "mode" in given:
        given["mode"] = Mode(given["mode"])
    if "retry_policy" in given:
        given["retry_policy"] = RetryPolicy(given["retry_policy"])
    if "retention_s" in given:
        given["retention_s"] = round(given["retention_s"])
    filters = {name: given.pop(name) for name in _FILTERS if name in given}
    return replace(subscription, filters=replace(subscription.filters, **filters), **given)


def cleared(subscription: Subscription, names: tuple[str, ...]) -> Subscription:
    """
    The subscription with the members of these names, as in CLEARABLE, emptied.
    """
    empty = Subscription(subscription_id="", destination="")
    for name in (CLEARABLE[name] for name in names):
        if name in _ROTATED:
            subscription = _ROTATED[name](subscription, "", now_s=0, overlap_s=0)
        elif name in _FILTERS:
            filters = replace(subscription.filters, **{name: getattr(empty.filters, name)})
            subscription = replace(subscription, filters=filters)
        else:
            subscription = replace(subscription, **{name: getattr(empty, name)})
    return subscription


def refuse_idle_subordinate(subscription: Subscription) -> None:
    """
    Refuse a flag that would do nothing.

    Raises:
        click.UsageError: `--subordinate` without `--origin-resource`.
    """
    if subscription.filters.subordinate_resources and not subscription.filters.origin_resources:
        raise click.UsageError("--subordinate needs --origin-resource: it says what lies below that")


def to_json(subscription: Subscription, public_key: str = "") -> dict[str, object]:
    """
    The subscription for programs, without its secrets: of its headers the names only, and whether it has a signing
    secret.

    Args:
        public_key: the public half of its signing key; empty for none.
    """
    filters = subscription.filters
    return {
        "id": subscription.subscription_id,
        "name": subscription.name,
        "destination": without_user_info(subscription.destination),
        "event_format_type": str(subscription.event_format),
        "mode": str(subscription.mode),
        "retry_policy": str(subscription.retry_policy),
        **{name: value if isinstance(value := getattr(filters, name), bool) else list(value) for name in _FILTERS},
        "context": subscription.context,
        "headers": [name for name, _ in subscription.headers],
        "backup_destinations": list(map(without_user_info, subscription.backup_destinations)),
        "verify_certificate": subscription.verify_certificate,
        "ca_file": subscription.ca_file or None,
        "certificate_fingerprint": subscription.certificate_fingerprint or None,
        "client_certificate_file": subscription.client_certificate_file or None,
        "client_key_file": subscription.client_key_file or None,
        "heartbeat_minutes": subscription.heartbeat_minutes,
        "signing_secret": "set" if subscription.signing_secret else None,
        "public_key": public_key or None,
        "old_secrets_sign_until": [instant(one.until_s * 1000) for one in subscription.retired_secrets],
        "authentication": _authentication(subscription.authentication),
        "sealed_by": subscription.sealed_by or None,
        "max_in_flight": subscription.max_in_flight,
        "rate_per_s": subscription.rate_per_s,
        "retention_s": subscription.retention_s,
        "batch_size": subscription.batch_size,
        "owner": subscription.owner,
        "keeper": str(subscription.keeper),
        "created_at": instant(subscription.created_at_s * 1000),
    }


def _authentication(authentication: Authentication | None) -> str | None:
    match authentication:
        case None:
            return None
        case Basic(username=username):
            return f"{kind_of(authentication)}: {username}"
        case ClientCredentials(token_url=url, client_id=client_id):
            return f"{kind_of(authentication)}: {client_id} at {without_secrets(url)}"
        case _:
            return str(kind_of(authentication))


def in_words(subscription: Subscription) -> str:
    """
    Which events it wants, and how, where that is not as usual.
    """
    filters = subscription.filters
    usual = Subscription(subscription_id="", destination="")
    how = [
        str(value)
        for value, default in (
            (subscription.event_format, usual.event_format),
            (subscription.mode, usual.mode),
            (subscription.retry_policy, usual.retry_policy),
        )
        if value != default
    ]
    if subscription.keeper is Keeper.ODIM:
        how.append("kept by ODIM")
    words = [
        f"{name.replace('_', ' ')}: {', '.join(value)}"
        for name in _FILTERS
        if not isinstance(value := getattr(filters, name), bool) and value
    ]
    return "; ".join([*(words or ["everything"]), *how])
