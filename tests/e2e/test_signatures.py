"""
Signatures of real deliveries, verified as subscribers do it: by the official libraries, also while secrets change.
"""

import json
from collections.abc import Iterator

import pytest

from odim_relay.adapters.security.sealing import new_encryption_key
from odim_relay.adapters.security.signing import Ed25519Signer, new_signing_key
from odim_relay.domain.signing import signing_secret_of
from tests.support.events import events
from tests.support.relay import Relay
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until
from tests.support.webhook_verifiers import (
    Received,
    Verify,
    verify_by_public_key,
    verify_in_javascript,
    verify_in_python,
)

pytestmark = pytest.mark.server

RELAY_SETTINGS = {**SHORT_OUTAGES, "SECRETS__ENCRYPTION_KEYS": json.dumps([new_encryption_key()])}
SECRET = signing_secret_of(bytes(range(32)))
ARRIVES_S = 60.0


def received(relay: Relay, path: str) -> list[Received]:
    """
    The requests at a path, in order of arrival.
    """
    return [
        Received({name.lower(): value for name, value in pairs}, body) for _, pairs, body in relay.receiver.bodies(path)
    ]


def subscribe(relay: Relay, path: str, *options: str, stdin: str = "") -> Iterator[str]:
    """
    Create a subscription by the command line; gives the lines that it prints, its id first.
    """
    destination = relay.receiver.url(path)
    return iter(relay.run("subscriptions", "create", "--destination", destination, *options, stdin=stdin).splitlines())


@pytest.mark.parametrize("verify", [verify_in_python, verify_in_javascript])
def test_the_official_libraries_verify_what_arrives(relay: Relay, verify: Verify) -> None:
    path = f"/{verify.__name__}"
    id_ = next(subscribe(relay, path, "--secret", "-", stdin=f"{SECRET}\n"))

    relay.publish(events(20), wanted_by=())

    relay.receiver.wait_for_accepted(path, 20, ARRIVES_S)
    requests = received(relay, path)
    assert verify(SECRET, requests) == [True] * len(requests)
    other = signing_secret_of(bytes(32))
    changed = [request._replace(body=request.body + b" ") for request in requests]
    assert not any(verify(other, requests) + verify(SECRET, changed))
    relay.run("subscriptions", "delete", id_)


def test_who_has_the_public_key_alone_verifies_what_arrives(relay: Relay) -> None:
    id_, public_key = subscribe(relay, "/public-key", "--signing-key", "generate", "--secret", SECRET)

    relay.publish(events(20), wanted_by=())

    relay.receiver.wait_for_accepted("/public-key", 20, ARRIVES_S)
    requests = received(relay, "/public-key")
    assert verify_by_public_key(public_key, requests) == [True] * len(requests)
    # Signed in both ways, each verifies by its own.
    assert all(verify_in_python(SECRET, requests))
    assert not any(verify_by_public_key(Ed25519Signer().public_key(new_signing_key()), requests))
    assert json.loads(relay.run("subscriptions", "show", id_, "--json"))["public_key"] == public_key
    relay.run("subscriptions", "delete", id_)


def test_no_request_fails_to_verify_while_the_secret_changes_under_load(relay: Relay) -> None:
    """
    The subscriber knows the old secret alone, then the new one alone.
    """
    path = "/rotation"
    id_ = next(subscribe(relay, path, "--secret", "-", stdin=f"{SECRET}\n"))
    with relay.under_load(100, wanted_by=()):
        relay.receiver.wait_for_accepted(path, 100, ARRIVES_S)
        new_secret = relay.run("subscriptions", "rotate-secret", id_, "--overlap", "1h").strip()
        wait_until(
            lambda: " " in received(relay, path)[-1].headers["webhook-signature"],
            timeout_s=ARRIVES_S,
            what="both secrets to sign",
        )
        relay.receiver.wait_for_accepted(path, relay.receiver.request_count(path) + 100, ARRIVES_S)
    wait_until(relay.is_settled, timeout_s=ARRIVES_S, what="everything to be sent")
    by_old = received(relay, path)
    # It has learnt the new one.
    with relay.under_load(100, wanted_by=()):
        relay.receiver.wait_for_accepted(path, len(by_old) + 100, ARRIVES_S)
        relay.run("subscriptions", "rotate-secret", id_, "--finish")
        wait_until(
            lambda: " " not in received(relay, path)[-1].headers["webhook-signature"],
            timeout_s=ARRIVES_S,
            what="the new secret alone to sign",
        )
        relay.receiver.wait_for_accepted(path, relay.receiver.request_count(path) + 100, ARRIVES_S)
    wait_until(relay.is_settled, timeout_s=ARRIVES_S, what="everything to be sent")
    by_new = received(relay, path)[len(by_old) :]

    for verify in (verify_in_python, verify_in_javascript):
        failures = verify(SECRET, by_old).count(False) + verify(new_secret, by_new).count(False)
        assert failures == 0
    assert not verify_in_python(SECRET, by_new[-1:])[0]
    assert min(len(by_old), len(by_new)) >= 200
    relay.run("subscriptions", "delete", id_)
    relay.check_health()


def test_what_a_worker_cannot_sign_waits_and_goes_when_it_can(relay: Relay) -> None:
    """
    A worker without the key that secrets are encrypted with: nothing is lost, and who has no secret feels nothing.
    """
    id_ = next(subscribe(relay, "/sealed", "--secret", "-", stdin=f"{SECRET}\n"))
    other = next(subscribe(relay, "/open"))
    worker = relay.worker
    keys = worker.env.pop("ODIM_RELAY_SECRETS__ENCRYPTION_KEYS")
    worker.restart()

    relay.publish(events(20), wanted_by=())

    relay.receiver.wait_for_accepted("/open", 20, ARRIVES_S)
    wait_until(lambda: relay.ledger.breaker(id_) == "open", timeout_s=ARRIVES_S, what="the breaker to open")
    waiting = relay.run("subscriptions", "show", id_, "--json")
    assert relay.receiver.request_count("/sealed") == 0
    worker.env["ODIM_RELAY_SECRETS__ENCRYPTION_KEYS"] = keys
    assert json.loads(waiting)["waiting"] + json.loads(waiting)["dead_letters"] > 0
    worker.restart()
    relay.receiver.wait_for_accepted("/sealed", 20, ARRIVES_S)
    requests = received(relay, "/sealed")
    assert verify_in_python(SECRET, requests) == [True] * len(requests)
    for subscription in (id_, other):
        relay.run("subscriptions", "delete", subscription)
