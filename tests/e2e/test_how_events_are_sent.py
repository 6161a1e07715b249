"""
What a subscription says about the way to it, over every process: backups, certificates, signatures.
"""

import json
from collections.abc import Iterator

import pytest

from odim_relay.domain.signing import signature, signing_secret_of
from tests.support.events import event, events
from tests.support.receiver import Behaviour, Certificate, Receiver
from tests.support.relay import Relay, Subscriber
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

# Nothing answers at 127.0.0.3, and nothing may be sent to 127.0.0.2.
RELAY_SETTINGS = {
    "DELIVERY__RETRY_ATTEMPTS": 3,
    "DELIVERY__RETRY_INTERVAL_S": 0.3,
    "EGRESS__DENY": '["127.0.0.2/32"]',
}
ARRIVES_S = 30.0


@pytest.fixture
def unproven() -> Iterator[Receiver]:
    """
    A receiver whose certificate proves nothing.
    """
    with Receiver.start(scheme="https", certificate=Certificate.EXPIRED) as receiver:
        yield receiver


def failure_of(relay: Relay, subscriber: Subscriber) -> tuple[str, str]:
    """
    How the last attempt of its one delivery failed, with the detail; empty before that.
    """
    kept = [*relay.ledger.deliveries().values(), *relay.ledger.dead_letters().values()]
    lasts = [one.get("last") or {} for one in kept if one["subscription"] == subscriber.id]
    last = json.loads(lasts[0]) if lasts and isinstance(lasts[0], str) else (lasts or [{}])[0]
    return last.get("failure") or "", last.get("detail") or ""


def wait_until_settled(relay: Relay) -> None:
    wait_until(relay.is_settled, timeout_s=ARRIVES_S, what="everything to be sent")
    relay.check_health()


@pytest.mark.parametrize("is_reachable", [True, False])
def test_a_backup_gets_what_the_destination_does_not_take(relay: Relay, is_reachable: bool) -> None:
    subscriber = relay.subscribe()
    meant = relay.receiver.url("/meant") if is_reachable else "https://127.0.0.3:9/"
    relay.receiver.behave("/meant", Behaviour(status=503))
    relay.change(subscriber, destination=meant, backup_destinations=(relay.receiver.url(subscriber.path),))

    relay.publish(events(20))

    wait_until_settled(relay)
    assert len(relay.receiver.counts(subscriber.path)) == 20
    # It rests: not every event is held up by it.
    assert len(relay.receiver.counts("/meant")) < 20


def test_a_request_is_signed_over_its_id_its_time_and_its_bytes(relay: Relay) -> None:
    secret = signing_secret_of(bytes(range(32)))
    subscriber = relay.subscribe()
    relay.change(subscriber, signing_secret=secret)

    relay.publish([event(1)])

    wait_until_settled(relay)
    ((webhook_id, pairs, body),) = relay.receiver.bodies(subscriber.path)
    headers = {name.lower(): value for name, value in pairs}
    assert headers["webhook-signature"] == signature(secret, webhook_id, headers["webhook-timestamp"], body)
    for process in relay.processes:
        assert secret.removeprefix("whsec_") not in process.log()


def test_who_wants_no_proof_gets_events_where_others_do_not(relay: Relay, unproven: Receiver) -> None:
    trusting, wary = (relay.subscribe(destination=unproven.url(path)) for path in ("/trusting", "/wary"))
    relay.change(trusting, verify_certificate=False)
    relay.change(wary, verify_certificate=True)

    relay.publish([event(1)], wanted_by=())

    wait_until(lambda: unproven.counts("/trusting") != {}, timeout_s=ARRIVES_S, what="the event of the trusting one")
    wait_until(lambda: failure_of(relay, wary) != ("", ""), timeout_s=ARRIVES_S, what="the other's to fail")
    failure, detail = failure_of(relay, wary)
    assert (failure, "the certificate is not accepted" in detail) == ("tls", True)
    assert unproven.counts("/wary") == {}


def test_what_the_policy_forbids_is_kept_and_goes_when_it_is_mended(relay: Relay) -> None:
    subscriber = relay.subscribe(destination="https://127.0.0.2:1/")

    relay.publish([event(1)])

    wait_until(lambda: failure_of(relay, subscriber) != ("", ""), timeout_s=ARRIVES_S, what="it to be refused")
    failure, detail = failure_of(relay, subscriber)
    assert (failure, "127.0.0.2 is in 127.0.0.2/32, which EGRESS__DENY forbids" in detail) == ("forbidden", True)
    relay.change(subscriber, destination=relay.receiver.url(subscriber.path))
    wait_until_settled(relay)
    assert len(relay.receiver.counts(subscriber.path)) == 1
