"""
How events are sent to a subscription, as the command line sets and tells it.
"""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from odim_relay.adapters.security.sealing import new_encryption_key
from odim_relay.adapters.security.signing import Ed25519Signer
from odim_relay.cli.main import main
from odim_relay.domain.authentication import Authentication, Basic, Bearer, ClientCredentials
from odim_relay.domain.signing import check_signing_key, check_signing_secret, signing_secret_of
from odim_relay.domain.subscription import Subscription, SubscriptionType
from tests.integration.operator.filled import Filled
from tests.support.command_line import as_before
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
    ("--certificate-fingerprint", "AB" * 32, "certificate_fingerprint", "AB" * 32),
    ("--client-certificate-file", "site/client.crt", "client_certificate_file", "site/client.crt"),
    ("--client-key-file", "site/client.key", "client_key_file", "site/client.key"),
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

    assert (told["client_certificate_file"], told["client_key_file"]) == ("site/client.crt", "site/client.key")
    assert (told["ca_file"], told["certificate_fingerprint"]) == (None, "AB" * 32)
    assert told["batch_size"] == 50

    names = (
        *("backup-destinations", "batch-size", "heartbeat-minutes", "max-in-flight", "rate", "retention", "secret"),
        *("certificate-fingerprint", "client-certificate-file", "client-key-file"),
    )
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


def test_of_a_key_that_is_made_the_public_half_is_printed_and_shown(cli: CliRunner, filled: Filled) -> None:
    id_, public_key = create(cli, "--signing-key", "generate")

    key = stored(filled, id_).signing_key
    assert check_signing_key(key) is None
    assert public_key == Ed25519Signer().public_key(key)
    told = json.loads(ok(cli.invoke(main, ["subscriptions", "show", id_, "--json"])))
    assert told["public_key"] == public_key
    assert key[5:20] not in json.dumps(told)


# --- rotation ---


def test_a_rotation_prints_the_new_secret_and_lets_the_old_one_sign_for_a_day(cli: CliRunner, filled: Filled) -> None:
    (id_,) = create(cli, "--secret", SECRET)

    result = cli.invoke(main, ["subscriptions", "rotate-secret", id_])

    found = stored(filled, id_)
    assert ok(result).strip() == found.signing_secret != SECRET
    assert "The old one signs too until" in result.stderr
    (retired,) = found.retired_secrets
    assert retired.secret == SECRET
    assert 86_300 < retired.until_s - time.time() <= 86_400
    told = json.loads(ok(cli.invoke(main, ["subscriptions", "show", id_, "--json"])))
    assert len(told["old_secrets_sign_until"]) == 1

    ok(cli.invoke(main, ["subscriptions", "rotate-secret", id_, "--finish"]))
    assert stored(filled, id_) == replace(found, retired_secrets=(), revision=found.revision + 1)


def test_secrets_and_keys_can_be_given_with_their_overlap(cli: CliRunner, filled: Filled) -> None:
    id_, _ = create(cli, "--secret", SECRET, "--signing-key", "generate")
    key = stored(filled, id_).signing_key
    other = signing_secret_of(bytes(24))
    options = ["--secret", "-", "--signing-key", "generate", "--overlap", "2h", "--json"]

    result = cli.invoke(main, ["subscriptions", "rotate-secret", id_, *options], input=f"{other}\n")

    told, found = json.loads(ok(result)), stored(filled, id_)
    assert found.signing_secret == other
    assert told["generated"] == [Ed25519Signer().public_key(found.signing_key)]
    assert [one.secret for one in found.retired_secrets] == [SECRET, key]
    assert all(7_100 < one.until_s - time.time() <= 7_200 for one in found.retired_secrets)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--finish", "--overlap", "1h"], "--finish ends a rotation"),
        (["--finish", "--secret", "generate"], "--finish ends a rotation"),
        (["--overlap", "31d"], "--overlap is longer than 30 days"),
        (["--secret", "whsec_hunter2"], "SigningSecret has something behind whsec_ that is not base64"),
        (["--secret", ""], "is empty"),
    ],
)
def test_a_rotation_that_cannot_be_changes_nothing(
    cli: CliRunner, filled: Filled, options: list[str], problem: str
) -> None:
    (id_,) = create(cli, "--secret", SECRET)
    before = stored(filled, id_)

    result = cli.invoke(main, ["subscriptions", "rotate-secret", id_, *options])

    assert result.exit_code != 0
    assert problem in result.stderr
    assert "hunter2" not in result.output
    assert stored(filled, id_) == before


# --- authentication ---


@pytest.mark.parametrize(
    ("options", "authentication", "told"),
    [
        (["--basic-auth", "ann"], Basic(username="ann", password="hunter2"), "Basic: ann"),
        (["--bearer-auth"], Bearer(token="hunter2"), "Bearer"),
        (
            ["--oauth2-token-url", "https://idp.example/t?q=1", "--oauth2-client-id", "me", "--oauth2-scope", "a b"],
            ClientCredentials(
                token_url="https://idp.example/t?q=1", client_id="me", client_secret="hunter2", scope="a b"
            ),
            "OAuth2ClientCredentials: me at https://idp.example/t",
        ),
    ],
)
def test_the_secret_to_authenticate_with_comes_by_stdin_and_is_not_told(
    cli: CliRunner, filled: Filled, options: list[str], authentication: Authentication, told: str
) -> None:
    (id_,) = create(cli, *options, stdin="hunter2\n")
    assert stored(filled, id_).authentication == authentication

    shown = [ok(cli.invoke(main, ["subscriptions", "show", id_, *more])) for more in ([], ["--json"])]
    assert json.loads(shown[1])["authentication"] == told
    assert "hunter2" not in str(shown)

    ok(cli.invoke(main, ["subscriptions", "update", id_, "--clear", "authentication"]))
    assert stored(filled, id_).authentication is None
    ok(cli.invoke(main, ["subscriptions", "update", id_, *options], input="hunter2\n"))
    assert stored(filled, id_).authentication == authentication


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--basic-auth", "ann", "--bearer-auth"], "they exclude each other"),
        (["--oauth2-scope", "a"], "need --oauth2-token-url"),
        (["--oauth2-token-url", "https://idp.example/"], "needs --oauth2-client-id"),
        (["--bearer-auth"], "reads a secret from stdin, and got none"),
    ],
)
def test_what_does_not_go_together_is_refused(cli: CliRunner, options: list[str], problem: str) -> None:
    result = cli.invoke(main, ["subscriptions", "create", "--destination", URL, *options], input="")

    assert result.exit_code != 0
    assert problem in result.stderr


# --- encryption ---


def test_with_a_key_secrets_are_encrypted_and_rotated(
    cli: CliRunner, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id_,) = create(cli, "--secret", SECRET)
    key = ok(cli.invoke(main, ["secrets", "new-key"])).strip()
    assert SECRET in str(filled.client.hgetall(f"{filled.prefix}subscriptions"))

    refused = cli.invoke(main, ["secrets", "rotate"])
    assert (refused.exit_code, "SECRETS__ENCRYPTION_KEYS is not set" in refused.stderr) == (2, True)
    with as_before():
        monkeypatch.setenv("ODIM_RELAY_SECRETS__ENCRYPTION_KEYS", json.dumps([key]))
        told = ok(cli.invoke(main, ["secrets", "rotate"]))
        assert told == "Encrypted with the newest key: 1 secret now, 0 before\n"
        assert json.loads(ok(cli.invoke(main, ["subscriptions", "show", id_, "--json"])))["signing_secret"] == "set"
    assert SECRET not in str(filled.client.hgetall(f"{filled.prefix}subscriptions"))

    with as_before():
        monkeypatch.setenv("ODIM_RELAY_SECRETS__ENCRYPTION_KEYS", json.dumps([new_encryption_key()]))
        result = cli.invoke(main, ["subscriptions", "update", id_, "--name", "n"])
        assert (result.exit_code, "SECRETS__ENCRYPTION_KEYS has no key" in result.stderr) == (2, True)
        assert cli.invoke(main, ["secrets", "rotate"]).exit_code == 1
        assert json.loads(ok(cli.invoke(main, ["subscriptions", "show", id_, "--json"])))["sealed_by"]
        examined = json.loads(cli.invoke(main, ["doctor", "--stores", "--json"]).stdout)
        (wrong,) = [one for one in examined if one["subject"] == "secrets that cannot be read"]
        assert wrong["is_wrong"]
        assert id_ in wrong["found"]


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


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--ca-file", "/etc/ca.pem"), "CaFile begins with /"),
        (("--ca-file", "../ca.pem"), "CaFile is no plain path into the folder that DELIVERY__TLS_DIR names"),
        (("--ca-file", "ca.pem", "--no-verify-certificate"), "CaFile is what the certificate is verified with"),
        (("--client-key-file", "k.pem"), "ClientKeyFile is the key of a certificate"),
        (("--certificate-fingerprint", "ab:cd"), "CertificateFingerprint is no SHA-256 fingerprint"),
    ],
)
def test_what_cannot_be_about_tls_is_told_when_it_is_saved(cli: CliRunner, options: tuple[str, ...], told: str) -> None:
    result = cli.invoke(main, ["subscriptions", "create", "--destination", URL, *options])

    assert result.exit_code == 1
    assert told in " ".join(result.output.split())


def test_a_ca_of_its_own_is_stored(cli: CliRunner, filled: Filled) -> None:
    (id_,) = create(cli, "--ca-file", "site/ca.pem")

    assert stored(filled, id_).ca_file == "site/ca.pem"
    ok(cli.invoke(main, ["subscriptions", "update", id_, "--clear", "ca-file"]))
    assert stored(filled, id_).ca_file == ""
