"""
The members of a subscription as options.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from odim_relay.cli.credentials import GENERATED, secret_from_stdin
from odim_relay.cli.instants import DurationType
from odim_relay.domain.event import EventFormat
from odim_relay.domain.subscription import Mode, RetryPolicy
from odim_relay.domain.subscription_flaws import SEVERITIES

Command = TypeVar("Command", bound=Callable[..., Any])


def _split_header(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name:
            # The value is a secret: it is not repeated, not even to say what is wrong with it.
            raise click.BadParameter("a header is given as NAME=VALUE", ctx=ctx, param=param)
        pairs.append((name, text))
    return tuple(pairs)


def _read_secret(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value == "-":
        value = secret_from_stdin(str(param.human_readable_name)).strip()
    if value == "":
        raise click.BadParameter(f"is empty; `--clear {param.opts[0].lstrip('-')}` removes one", ctx=ctx, param=param)
    return value


SECRET_OPTION = click.option(
    "--secret",
    "signing_secret",
    metavar="S",
    callback=_read_secret,
    help="Requests are signed with it: whsec_ and base64. `-` reads it from stdin, "
    f"`{GENERATED[0]}` makes one and prints it, once.",
)
KEY_OPTION = click.option(
    "--signing-key",
    "signing_key",
    metavar="K",
    callback=_read_secret,
    help="Requests are signed with it: whsk_ and base64 of an ed25519 key. `-` reads it from stdin, "
    f"`{GENERATED[0]}` makes one and prints its public half.",
)

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
        "--metric-report-definition",
        "metric_report_definitions",
        multiple=True,
        metavar="URI",
        help="Of MetricReports only those that this definition makes.",
    ),
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
    click.option(
        "--backup-destination",
        "backup_destinations",
        multiple=True,
        metavar="URL",
        help="Tried, in the order given, when the destination fails.",
    ),
    click.option(
        "--verify-certificate/--no-verify-certificate",
        "verify_certificate",
        default=None,
        help="Whether its certificate is verified.  [default: as DELIVERY__VERIFY says]",
    ),
    SECRET_OPTION,
    KEY_OPTION,
    click.option(
        "--ca-file",
        metavar="FILE",
        help="What its certificate is verified with; a file in the folder that DELIVERY__TLS_DIR names.",
    ),
    click.option(
        "--certificate-fingerprint",
        metavar="SHA256",
        help="Of the only certificate that is accepted of it: 64 hexadecimal digits, with or without colons.",
    ),
    click.option(
        "--client-certificate-file",
        metavar="FILE",
        help="The certificate that is shown to it, PEM with its chain; a file in that folder.",
    ),
    click.option("--client-key-file", metavar="FILE", help="Its key, where that is not in the same file."),
    click.option(
        "--basic-auth",
        "basic_user",
        metavar="USER",
        help="Authenticate to the destination by user name and password (Basic); asks for the password, or reads it "
        "from stdin.",
    ),
    click.option(
        "--bearer-auth",
        "bearer",
        is_flag=True,
        help="Authenticate by a bearer token; asks for it, or reads it from stdin.",
    ),
    click.option(
        "--oauth2-token-url",
        metavar="URL",
        help="Authenticate by tokens that this endpoint gives (OAuth 2.0 client credentials); asks for the client "
        "secret, or reads it from stdin.",
    ),
    click.option("--oauth2-client-id", metavar="ID", help="Who we are to the token endpoint."),
    click.option("--oauth2-scope", metavar="S", help="What the token is to be good for; several with spaces."),
    click.option("--heartbeat-minutes", type=int, metavar="N", help="How often a heartbeat event is sent."),
    click.option("--max-in-flight", type=int, metavar="N", help="Requests that may be under way at once."),
    click.option("--rate", "rate_per_s", type=float, metavar="N", help="Requests per second at most."),
    click.option("--batch-size", type=int, metavar="N", help="Events that wait and may go in one request, 2 to 500."),
    click.option(
        "--retention",
        "retention_s",
        type=DurationType(),
        metavar="DURATION",
        help="How long an event is kept for it, 7d.  [default: as DEAD_LETTERS__RETENTION_S says]",
    ),
)


def member_options(command: Command) -> Command:
    """
    Give the command an option for each member but the destination.
    """
    for option in reversed(_MEMBERS):
        command = option(command)
    return command
