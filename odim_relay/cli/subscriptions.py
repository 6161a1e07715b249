"""
`odim-relay subscriptions`.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import click

from odim_relay import bootstrap
from odim_relay.cli.output import instant, json_option, print_fields, print_json, print_table, quiet_logs
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.event import EventFormat
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.use_cases.subscribe import SEVERITIES

Command = TypeVar("Command", bound=Callable[..., Any])

_FILTERS = tuple(field.name for field in fields(Filters))
_CLEARABLE = (*(name.replace("_", "-") for name in _FILTERS), "context", "headers", "name")


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


def _member_options(command: Command) -> Command:
    for option in reversed(_MEMBERS):
        command = option(command)
    return command


def _changed(subscription: Subscription, given: dict[str, Any]) -> Subscription:
    """
    The subscription with the members that were given.
    """
    given = {name: value for name, value in given.items() if value not in (None, ())}
    if "event_format" in given:
        given["event_format"] = EventFormat(given["event_format"])
    filters = {name: given.pop(name) for name in _FILTERS if name in given}
    return replace(subscription, filters=replace(subscription.filters, **filters), **given)


def _cleared(subscription: Subscription, names: tuple[str, ...]) -> Subscription:
    empty = Subscription(subscription_id="", destination="")
    for name in (name.replace("-", "_") for name in names):
        if name in _FILTERS:
            filters = replace(subscription.filters, **{name: getattr(empty.filters, name)})
            subscription = replace(subscription, filters=filters)
        else:
            subscription = replace(subscription, **{name: getattr(empty, name)})
    return subscription


def _refuse_idle_subordinate(subscription: Subscription) -> None:
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
        **{name: value if isinstance(value := getattr(filters, name), bool) else list(value) for name in _FILTERS},
        "context": subscription.context,
        "headers": [name for name, _ in subscription.headers],
        "created_at": instant(subscription.created_at_s * 1000),
    }


def _in_words(subscription: Subscription) -> str:
    filters = subscription.filters
    words = [
        f"{name.replace('_', ' ')}: {', '.join(value)}"
        for name in _FILTERS
        if not isinstance(value := getattr(filters, name), bool) and value
    ]
    return "; ".join(words) or "everything"


@click.group()
def subscriptions() -> None:
    """
    Who gets which events.
    """
    quiet_logs()


@subscriptions.command()
@click.option("--destination", required=True, metavar="URL", help="Where events are sent: http:// or https://.")
@_member_options
def create(**given: Any) -> None:
    """
    Create one and print its id. Options that name a filter may be given several times; those of one name are
    alternatives.
    """
    wish = _changed(Subscription(subscription_id="", destination=""), given)
    _refuse_idle_subordinate(wish)
    click.echo(bootstrap.subscribe().create(wish).subscription_id)


@subscriptions.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """
    List all, oldest first.
    """
    found = bootstrap.subscribe().everything()
    if as_json:
        print_json([to_json(subscription) for subscription in found])
        return
    print_table(
        ("id", "name", "destination", "format", "wants"),
        [(s.subscription_id, s.name, without_secrets(s.destination), s.event_format, _in_words(s)) for s in found],
    )


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@json_option
def show(subscription_id: str, *, as_json: bool) -> None:
    """
    Show one.
    """
    document = to_json(bootstrap.subscribe().find(subscription_id))
    if as_json:
        print_json(document)
        return
    print_fields((name, ", ".join(value) if isinstance(value, list) else value) for name, value in document.items())


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@click.option("--destination", metavar="URL", help="Where events are sent; what waits goes there too.")
@_member_options
@click.option("--clear", multiple=True, type=click.Choice(_CLEARABLE), help="Empty this member.")
def update(subscription_id: str, *, clear: tuple[str, ...], **given: Any) -> None:
    """
    Change the members that are given; a list replaces the old one.
    """
    if not clear and all(value in (None, ()) for value in given.values()):
        raise click.UsageError("nothing to change: give at least one option")

    def change(subscription: Subscription) -> Subscription:
        changed = _changed(_cleared(subscription, clear), given)
        _refuse_idle_subordinate(changed)
        return changed

    bootstrap.subscribe().update(subscription_id, change)


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
def delete(subscription_id: str) -> None:
    """
    Delete one. It gets nothing any more; what waits for it is dropped and counted.
    """
    bootstrap.subscribe().delete(subscription_id)
