"""
How events are sent to a subscription, as the command line sets and tells it.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from odim_relay.cli.main import main
from odim_relay.domain.signing import check_signing_secret, signing_secret_of
from odim_relay.domain.subscription import Subscription, SubscriptionType
from tests.integration.operator.filled import Filled
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

SECRET = signing_secret_of(bytes(range(32)))
URL = "https://meant.example/"


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def create(cli: CliRunner, *options: str, stdin: str | None = None) -> list[str]:
    """
    Create one; gives the lines that are printed.
    """
    return ok(cli.invoke(main, ["subscriptions", "create", "--destination", URL, *options], input=stdin)).splitlines()


def stored(filled: Filled, id_: str) -> Subscription:
    found = filled.store.get(id_)
    assert found is not None
    return found


OPTIONS = (
    ("--backup-destination", "https://b.example/", "backup_destinations", ("https://b.example/", "https://c.example/")),
    ("--backup-destination", "https://c.example/", "backup_destinations", ("https://b.example/", "https://c.example/")),
    ("--heartbeat-minutes", "5", "heartbeat_minutes", 5),
    ("--max-in-flight", "3", "max_in_flight", 3),
    ("--rate", "0.5", "rate_per_s", 0.5),
    ("--batch-size", "50", "batch_size", 50),
    ("--retention", "2h", "retention_s", 7_200),
    ("--secret", SECRET, "signing_secret", SECRET),
)


def test_what_is_given_is_stored_told_and_cleared(cli: CliRunner, filled: Filled) -> None:
    (id_,) = create(
        cli, *(part for option, value, *_ in OPTIONS for part in (option, value)), "--no-verify-certificate"
    )
    found = stored(filled, id_)

    assert all(getattr(found, member) == expected for *_, member, expected in OPTIONS)
    assert found.verify_certificate is False
    told: dict[str, Any] = json.loads(ok(cli.invoke(main, ["subscriptions", "show", id_, "--json"])))
    assert told["backup_destinations"] == ["https://b.example/", "https://c.example/"]
    assert (told["verify_certificate"], told["heartbeat_minutes"], told["signing_secret"]) == (False, 5, "set")
    assert (told["max_in_flight"], told["rate_per_s"], told["retention_s"]) == (3, 0.5, 7_200)

    assert told["batch_size"] == 50

    names = ("backup-destinations", "batch-size", "heartbeat-minutes", "max-in-flight", "rate", "retention", "secret")
    clearing = [part for name in (*names, "verify-certificate") for part in ("--clear", name)]
    ok(cli.invoke(main, ["subscriptions", "update", id_, *clearing]))

    empty = Subscription(subscription_id="", destination="")
    found = stored(filled, id_)
    assert all(getattr(found, member) == getattr(empty, member) for *_, member, _ in OPTIONS)
    assert found.verify_certificate is None


def test_people_are_told_in_words(cli: CliRunner) -> None:
    (id_,) = create(cli, "--no-verify-certificate", "--retention", "2h", "--secret", SECRET)

    shown = [" ".join(line.split()) for line in ok(cli.invoke(main, ["subscriptions", "show", id_])).splitlines()]

    assert {"verify certificate no", "signing secret set", "retention 2 h 0 min"} <= set(shown)


def test_reports_can_be_asked_for_by_their_definition(cli: CliRunner, filled: Filled) -> None:
    uri = "/redfish/v1/TelemetryService/MetricReportDefinitions/One"

    (id_,) = create(cli, "--event-format-type", "MetricReport", "--metric-report-definition", uri)

    assert stored(filled, id_).filters.metric_report_definitions == (uri,)


# --- secrets ---


def test_a_secret_is_made_and_printed_once(cli: CliRunner, filled: Filled) -> None:
    id_, secret = create(cli, "--secret", "generate")
    assert check_signing_secret(secret) is None
    assert stored(filled, id_).signing_secret == secret

    other = ok(cli.invoke(main, ["subscriptions", "update", id_, "--secret", "generate"])).strip()
    assert check_signing_secret(other) is None
    assert other != secret
    assert stored(filled, id_).signing_secret == other


def test_a_secret_is_read_from_stdin(cli: CliRunner, filled: Filled) -> None:
    (id_,) = create(cli, "--secret", "-", stdin=f"{SECRET}\n")

    assert stored(filled, id_).signing_secret == SECRET


@pytest.mark.parametrize("command", [["show"], ["show", "--json"], ["list"], ["list", "--json"]])
def test_no_secret_is_told(cli: CliRunner, command: list[str]) -> None:
    (id_,) = create(cli, "--secret", SECRET)

    verb, *options = command
    arguments = [verb, *([id_] if verb == "show" else []), *options]

    assert SECRET.removeprefix("whsec_")[:8] not in ok(cli.invoke(main, ["subscriptions", *arguments]))


@pytest.mark.parametrize("secret", ["hunter2", "-"])
def test_what_is_no_secret_is_refused_without_it(cli: CliRunner, secret: str) -> None:
    command = ["subscriptions", "create", "--destination", URL, "--secret", secret]

    refused = cli.invoke(main, command, input="" if secret == "-" else None)

    assert refused.exit_code in {1, 2}
    assert "hunter2" not in refused.output


# --- a test event ---


def test_a_test_event_goes_to_that_subscription_whatever_its_filters(
    cli: CliRunner, filled: Filled, redis_server: RedisServer
) -> None:
    (id_,) = create(cli, "--severity", "Critical")
    create(cli)

    told: dict[str, Any] = json.loads(ok(cli.invoke(main, ["subscriptions", "test", id_, "--json"])))

    with redis_server.client(1) as broker:
        assert broker.llen("deliveries") == 1
    (delivery,) = filled.client.keys(f"{filled.prefix}delivery:*")
    assert filled.client.hget(delivery, "subscription") == id_.encode()
    assert told["id"] == id_
    assert "the test event " in ok(cli.invoke(main, ["subscriptions", "test", id_]))


def test_who_follows_a_stream_is_sent_no_test_event(cli: CliRunner, filled: Filled) -> None:
    (id_,) = create(cli)
    filled.store.save(replace(stored(filled, id_), kind=SubscriptionType.SSE))

    refused = cli.invoke(main, ["subscriptions", "test", id_])

    assert (refused.exit_code, "by a stream" in refused.stderr) == (1, True)
