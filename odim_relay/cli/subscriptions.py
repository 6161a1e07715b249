"""
`odim-relay subscriptions`.
"""

from datetime import UTC, datetime
from typing import Any

import click

from odim_relay import bootstrap
from odim_relay.cli import standing
from odim_relay.cli.attempts import attempts_to_json, print_attempts
from odim_relay.cli.credentials import authentication_of, generated
from odim_relay.cli.exits import FailedCommand
from odim_relay.cli.instants import DurationType
from odim_relay.cli.output import age, counted, json_option, print_fields, print_json, print_table, quiet_logs
from odim_relay.cli.subscription_members import (
    CLEARABLE,
    changed,
    cleared,
    in_words,
    refuse_idle_subordinate,
    to_json,
)
from odim_relay.cli.subscription_options import member_options
from odim_relay.cli.subscription_secrets import rotate_secret
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.subscription import Subscription
from odim_relay.formats.notices import delivery_test
from odim_relay.use_cases.status import read_subscriptions


@click.group()
def subscriptions() -> None:
    """
    Who gets which events.
    """
    quiet_logs()


@subscriptions.command()
@click.option("--destination", required=True, metavar="URL", help="Where events are sent: http:// or https://.")
@member_options
def create(**given: Any) -> None:
    """
    Create one and print its id, and below it the secret, or the public half of the key, that was made for it. Options
    that name a filter may be given several times; those of one name are alternatives.
    """
    told = generated(given)
    given["authentication"] = authentication_of(given)
    wish = changed(Subscription(subscription_id="", destination=""), given)
    refuse_idle_subordinate(wish)
    click.echo(bootstrap.subscribe().create(wish).subscription_id)
    for line in told:
        click.echo(line)


@subscriptions.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """
    List all, oldest first, with what is parked for each.
    """
    found = bootstrap.subscribe().everything()
    statuses = read_subscriptions(
        found,
        bootstrap.delivery_listing().backlogs(one.subscription_id for one in found),
        bootstrap.flow_listing(),
        bootstrap.ledger_figures().now_ms(),
    )
    rows = list(zip(found, statuses, strict=True))
    if as_json:
        print_json([_to_json(one) | standing.standing_to_json(status) for one, status in rows])
        return
    if not rows:
        click.echo("There are no subscriptions: `odim-relay subscriptions create --destination URL` makes one")
        return
    print_table(
        ("id", "name", "destination", "state", "waiting", "dead", "wants"),
        [
            (
                one.subscription_id,
                one.name,
                without_secrets(one.destination),
                standing.in_a_word(status),
                status.waiting_count,
                status.dead_letter_count,
                in_words(one),
            )
            for one, status in rows
        ],
    )


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@json_option
def show(subscription_id: str, *, as_json: bool) -> None:
    """
    Show one: what it wants, how it stands, what is parked for it, and its last attempts.
    """
    found = bootstrap.subscribe().find(subscription_id)
    now_ms = bootstrap.ledger_figures().now_ms()
    (status,) = read_subscriptions(
        [found], bootstrap.delivery_listing().backlogs([subscription_id]), bootstrap.flow_listing(), now_ms
    )
    document = _to_json(found)
    history = bootstrap.attempt_listing().of_subscription(subscription_id)
    if as_json:
        print_json(document | standing.standing_to_json(status) | {"history": attempts_to_json(history)})
        return
    told = {
        "verify_certificate": _yes_or_no(found.verify_certificate),
        "retention_s": None,
        "retention": None if found.retention_s is None else age(found.retention_s),
        "suspended": standing.suspension(status.flow),
        "breaker": standing.breaker(status.destination, now_ms),
        "in flight": status.destination.in_flight_count,
        "waiting": status.waiting_count,
        "dead letters": status.dead_letter_count,
        "oldest": None if status.oldest_age_s is None else age(status.oldest_age_s),
    }
    print_fields(
        (name.replace("_", " "), ", ".join(value) if isinstance(value, list) else value)
        for name, value in {**document, **told}.items()
        if value or (value == 0 and value is not False)
    )
    print_attempts(history)


def _to_json(subscription: Subscription) -> dict[str, object]:
    key = subscription.signing_key
    return to_json(subscription, bootstrap.signer().public_key(key) if key else "")


def _yes_or_no(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@click.option("--destination", metavar="URL", help="Where events are sent; what waits goes there too.")
@member_options
@click.option("--clear", multiple=True, type=click.Choice(tuple(CLEARABLE)), help="Empty this member.")
def update(subscription_id: str, *, clear: tuple[str, ...], **given: Any) -> None:
    """
    Change the members that are given; a list replaces the old one. What waits goes on at once where it is sent
    elsewhere or otherwise from now on. A secret is replaced at once; `rotate-secret` lets the old one sign for a while.
    """
    if not clear and all(value in (None, (), False) for value in given.values()):
        raise click.UsageError("nothing to change: give at least one option")
    told = generated(given)
    given["authentication"] = authentication_of(given)

    def change(subscription: Subscription) -> Subscription:
        wish = changed(cleared(subscription, clear), given)
        refuse_idle_subordinate(wish)
        return wish

    bootstrap.subscribe().update(subscription_id, change)
    for line in told:
        click.echo(line)


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
def delete(subscription_id: str) -> None:
    """
    Delete one. It gets nothing any more; what waits for it is dropped and counted.
    """
    bootstrap.subscribe().delete(subscription_id)


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@json_option
def test(subscription_id: str, *, as_json: bool) -> None:
    """
    Send it a test event, ResourceEvent.1.4.TestMessage, whatever its filters, on the way of all others: it waits where
    they wait.
    """
    bootstrap.subscribe().find(subscription_id)
    notice = delivery_test(event_id=bootstrap.new_id(), at=datetime.now(UTC))
    count = bootstrap.announce().by_hand(notice.body, only=[subscription_id])
    if not count:
        raise FailedCommand("it gets its events by a stream: there is nothing to deliver")
    if as_json:
        print_json({"id": subscription_id, "event_id": notice.event_id})
    else:
        click.echo(f"On its way: the test event {notice.event_id}")


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@json_option
def suspend(subscription_id: str, *, as_json: bool) -> None:
    """
    Suspend one: it is sent nothing, and goes on collecting up to its retention and quota.
    """
    did = bootstrap.suspend().suspend(subscription_id)
    if as_json:
        print_json({"id": subscription_id, "was_suspended": not did})
    else:
        click.echo("Suspended: it goes on collecting" if did else "It was suspended already")


@subscriptions.command()
@click.argument("subscription_id", metavar="ID")
@click.option(
    "--since",
    "within_s",
    metavar="DURATION",
    type=DurationType(),
    help="Deliver only what waited no longer than this, 2h; the rest is discarded and counted.  [default: all]",
)
@json_option
def resume(subscription_id: str, *, within_s: float | None, as_json: bool) -> None:
    """
    Resume one: what waited goes on at once, oldest first. Not what only `dead-letters replay` sends again.
    """
    resumed = bootstrap.suspend().resume(subscription_id, within_s)
    if as_json:
        print_json({"id": subscription_id, "was_suspended": resumed.was_suspended, "parked": resumed.parked_count})
        return
    parked = counted(resumed.parked_count, "delivery is parked", "deliveries are parked")
    click.echo(f"{'Resumed' if resumed.was_suspended else 'It was not suspended'}: {parked} for it")
    if within_s is not None and resumed.parked_count:
        click.echo(f"Those that came longer than {age(within_s)} ago are discarded when their turn comes")


subscriptions.add_command(rotate_secret)
