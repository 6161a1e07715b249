"""
The members of a subscription as options and as JSON.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import click

from odim_relay.cli.output import instant
from odim_relay.domain.event import EventFormat
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription
from odim_relay.domain.subscription_flaws import SEVERITIES

Command = TypeVar("Command", bound=Callable[..., Any])

_FILTERS = tuple(field.name for field in fields(Filters))
CLEARABLE = (*(name.replace("_", "-") for name in _FILTERS), "context", "headers", "name")


def _split_header(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            # The value is a secret: it is not repeated, not even to say what is wrong with it.
            raise click.BadParameter("a header is given as NAME=VALUE", ctx=ctx, param=param)
        pairs.append((name, text))
    return tuple(pairs)


_MEMBERS = (
    click.option("--name", metavar="N", help="For people; need not be unique."),
    click.option("--event-type", "event_types", multiple=True, metavar="T", help="Only this EventType."),
    click.option("--message-id", "message_ids", multiple=True, metavar="M", help="Only this MessageId, any version."),
    click.option("--resource-type", "resource_types", multiple=True, metavar="R", help="Only about such a resource."),
    click.option("--origin-resource", "origin_resources", multiple=True, metavar="URI", help="Only from here."),
    click.option("--subordinate/--no-subordinate", "subordinate_resources", default=None, help="And from below it."),
    click.option(
        "--severity",
        "severities",
        multiple=True,
        type=click.Choice(SEVERITIES, case_sensitive=False),
        help="Only this.",
    ),
    click.option("--registry-prefix", "registry_prefixes", multiple=True, metavar="P", help="Only from this registry."),
    click.option(
        "--exclude-registry-prefix", "exclude_registry_prefixes", multiple=True, metavar="P", help="None of it."
    ),
    click.option("--exclude-message-id", "exclude_message_ids", multiple=True, metavar="M", help="Not this one."),
    click.option(
        "--event-format-type",
        "event_format",
        type=click.Choice([str(value) for value in EventFormat], case_sensitive=False),
        help="Event, which is the default, or MetricReport.",
    ),
    click.option(
        "--mode",
        type=click.Choice([str(mode) for mode in Mode], case_sensitive=False),
        help="at_least_once, the default; ordered: first in, first out; at_most_once: sent once and forgotten.",
    ),
    click.option(
        "--retry-policy",
        type=click.Choice([str(policy) for policy in RetryPolicy], case_sensitive=False),
        help="RetryForeverWithBackoff is the default. SuspendRetries and TerminateAfterRetries act when the attempts "
        "are used up.",
    ),
    click.option("--context", metavar="C", help="Text that stands at the root of every body."),
    click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="K=V",
        callback=_split_header,
        help="Added to every request. Its value is kept secret.",
    ),
)


def member_options(command: Command) -> Command:
    """
    Give the command an option for each member but the destination.
    """
    for option in reversed(_MEMBERS):
        command = option(command)
    return command


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
    filters = {name: given.pop(name) for name in _FILTERS if name in given}
    return replace(subscription, filters=replace(subscription.filters, **filters), **given)


def cleared(subscription: Subscription, names: tuple[str, ...]) -> Subscription:
    """
    The subscription with the members of these names, as in CLEARABLE, emptied.
    """
    empty = Subscription(subscription_id="", destination="")
    for name in (name.replace("-", "_") for name in names):
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
    The subscription for programs. Of its headers the names only: their values are secrets.
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
