"""
Token endpoints, asked over real connections.
"""

import json
from base64 import b64encode
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.adapters.http.token_endpoint import OAuthTokenEndpoint
from odim_relay.domain.authentication import ClientCredentials
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import Token
from tests.integration.http.conftest import MakeSender
from tests.support.receiver import Behaviour, Mode, Receiver

pytestmark = pytest.mark.server

TOKEN = {"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "Bearer", "expires_in": 3600}


def fetch(
    sender: RequestsSender,
    receiver: Receiver,
    path: str,
    behaviour: Behaviour,
    *,
    scope: str = "",
    timeout_s: float = 10,
) -> Token | Outcome:
    receiver.behave(path, behaviour)
    credentials = ClientCredentials(
        token_url=receiver.url(path), client_id="me: &", client_secret="s+ecret/", scope=scope
    )
    return OAuthTokenEndpoint(sender.ask).fetch(credentials, timeout_s=timeout_s)


def problem_of(answer: Token | Outcome) -> str:
    assert isinstance(answer, Outcome)
    assert (answer.failure, answer.is_unsent, answer.status) == (Failure.AUTHENTICATION, True, None)
    return answer.detail


@pytest.mark.parametrize("behaviour", [Behaviour(), Behaviour(is_chunked=True), Behaviour(says_close=True)])
def test_a_token_is_asked_for_and_read(
    sender: RequestsSender, secure_receiver: Receiver, path: str, behaviour: Behaviour
) -> None:
    answer = fetch(sender, secure_receiver, path, replace(behaviour, body=json.dumps(TOKEN)), scope="one two")

    assert answer == Token(text="2YotnFZFEjr1zCsicMWpAA", lifetime_s=3600)
    ((_, pairs, body),) = secure_receiver.bodies(path)
    headers = dict(pairs)
    # RFC 6749, 2.3.1: both halves are form-encoded before.
    assert headers["Authorization"] == f"Basic {b64encode(b'me%3A+%26:s%2Becret%2F').decode()}"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode()) == {"grant_type": ["client_credentials"], "scope": ["one two"]}


@pytest.mark.parametrize(
    ("changes", "lifetime_s"),
    [
        ({"expires_in": "1800"}, 1800),
        ({"expires_in": None}, None),
        ({"expires_in": 10**12}, 2_592_000),
        ({"token_type": "bearer", "scope": "narrower"}, 3600),
    ],
)
def test_what_is_unusual_and_clear_is_taken(
    sender: RequestsSender, secure_receiver: Receiver, path: str, changes: dict[str, object], lifetime_s: float | None
) -> None:
    answer = fetch(sender, secure_receiver, path, Behaviour(body=json.dumps(TOKEN | changes)), scope="wide")

    assert answer == Token(text="2YotnFZFEjr1zCsicMWpAA", lifetime_s=lifetime_s)


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (401, '{"error": "invalid_client", "error_description": "hunter2"}', "answered 401 invalid_client"),
        (400, '{"error": "hunter2"}', "answered 400"),
        (400, json.dumps(TOKEN), "answered 400 and no token"),
        (302, "", "answered 302"),
        (503, "<html>hunter2</html>", "answered 503"),
        (200, "", "answered 200"),
        (200, "[]", "answered 200 and no token"),
        (200, "null", "answered 200 and no token"),
        (200, '"hunter2"', "answered 200 and no token"),
        (200, "{", "answered 200"),
        (200, "[" * 9_000, "answered 200 and no token"),
        (200, json.dumps(TOKEN | {"access_token": 7}), "answered 200 and no token"),
        (200, json.dumps(TOKEN | {"access_token": ""}), "answered 200 and no token"),
        (200, json.dumps(TOKEN | {"access_token": "hunter2\r\nX: y"}), "answered 200 and no token"),
        (200, json.dumps(TOKEN | {"access_token": "x" * 10_000}), "answered 200 and no token"),
        (200, json.dumps(TOKEN | {"token_type": "mac"}), "answered 200 and no token"),
        (200, json.dumps(TOKEN | {"padding": "x" * 20_000}), "answered 200"),
    ],
)
def test_garbage_is_told_as_a_failure_without_a_word_of_it(
    sender: RequestsSender, secure_receiver: Receiver, path: str, status: int, body: str, problem: str
) -> None:
    told = problem_of(fetch(sender, secure_receiver, path, Behaviour(status=status, body=body)))

    assert told.startswith(f"the token endpoint {problem}")
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        (Behaviour(mode=Mode.HANG), "not done within 0.5 s: still waiting for the answer"),
        (Behaviour(mode=Mode.DRIP_BODY, body=json.dumps(TOKEN), interval_s=0.2), "not done within 0.5 s"),
        (Behaviour(mode=Mode.CLOSE), "the connection was closed"),
        (Behaviour(mode=Mode.NOT_HTTP), "the answer is not HTTP/1"),
    ],
)
def test_an_endpoint_that_does_not_answer_is_told_in_time(
    sender: RequestsSender, secure_receiver: Receiver, path: str, behaviour: Behaviour, problem: str
) -> None:
    answer = fetch(sender, secure_receiver, path, behaviour, timeout_s=0.5)

    assert problem in problem_of(answer)
    assert isinstance(answer, Outcome)
    assert answer.duration_s < 5


def test_it_is_held_to_the_egress_policy_and_the_certificates_of_deliveries(
    make_sender: MakeSender, secure_receiver: Receiver, path: str
) -> None:
    body = Behaviour(body=json.dumps(TOKEN))

    assert "loopback" in problem_of(fetch(make_sender(egress=EgressPolicy()), secure_receiver, path, body))
    told = problem_of(fetch(make_sender(ca_file=None), secure_receiver, path, body))
    assert "the certificate is not accepted" in told
    assert secure_receiver.request_count(path) == 0
