"""
The members of a subscription as they are given, and as JSON.
"""

from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import click

from odim_relay.cli.output import instant
from odim_relay.domain.event import EventFormat
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription

_FILTERS = tuple(field.name for field in fields(Filters))
CLEARABLE = MappingProxyType(
    {
        **{name.replace("_", "-"): name for name in _FILTERS},
        "batch-size": "batch_size",
        "backup-destinations": "backup_destinations",
        "context": "context",
        "headers": "headers",
        "heartbeat-minutes": "heartbeat_minutes",
        "max-in-flight": "max_in_flight",
        "name": "name",
        "rate": "rate_per_s",
        "retention": "retention_s",
        "secret": "signing_secret",
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
        if name in _FILTERS:
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


def to_json(subscription: Subscription) -> dict[str, object]:
    """
    The subscription for programs, without its secrets: of its headers the names only, and whether it has a signing
    secret.
    """
    filters = subscription.filters
    return {
        "id": subscription.subscription_id,
        "name": subscription.name,
        "destination": subscription.destination,
        "event_format_type": str(subscription.event_format),
        "mode": str(subscription.mode),
        "retry_policy": str(subscription.retry_policy),
        **{name: value if isinstance(value := getattr(filters, name), bool) else list(value) for name in _FILTERS},
        "context": subscription.context,
        "headers": [name for name, _ in subscription.headers],
        "backup_destinations": list(subscription.backup_destinations),
        "verify_certificate": subscription.verify_certificate,
        "heartbeat_minutes": subscription.heartbeat_minutes,
        "signing_secret": "set" if subscription.signing_secret else None,
        "max_in_flight": subscription.max_in_flight,
        "rate_per_s": subscription.rate_per_s,
        "retention_s": subscription.retention_s,
        "batch_size": subscription.batch_size,
        "owner": subscription.owner,
        "created_at": instant(subscription.created_at_s * 1000),
    }


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
    words = [
        f"{name.replace('_', ' ')}: {', '.join(value)}"
        for name in _FILTERS
        if not isinstance(value := getattr(filters, name), bool) and value
    ]
    return "; ".join([*(words or ["everything"]), *how])
