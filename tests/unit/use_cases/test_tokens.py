"""
Requests to destinations that want a token.
"""

import threading
from dataclasses import replace

import pytest

from odim_relay.domain.authentication import ClientCredentials
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import OutgoingRequest
from odim_relay.use_cases.tokens import ASK_AGAIN_AFTER_S, SendWithTokens
from tests.fakes.sender import InMemorySender
from tests.fakes.token_endpoint import InMemoryTokenEndpoint

CREDENTIALS = ClientCredentials(token_url="https://idp.example/token", client_id="me", client_secret="s")
REQUEST = OutgoingRequest(url="https://receiver.example/", body=b"{}", headers=(("A", "1"),), credentials=CREDENTIALS)
TIMEOUT_S = 15.0


class Stage:
    """
    A sender with tokens over a destination, an endpoint, and a clock, all in memory.
    """

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.destination = InMemorySender()
        self.endpoint = InMemoryTokenEndpoint()
        self.may_send_answers = True
        self.sender = SendWithTokens(sender=self.destination, endpoint=self.endpoint, monotonic_s=lambda: self.now_s)

    def send(self, request: OutgoingRequest = REQUEST) -> Outcome | None:
        return self.sender.send(request, may_send=lambda: self.may_send_answers, timeout_s=TIMEOUT_S)

    def sent(self, request: OutgoingRequest = REQUEST) -> Outcome:
        outcome = self.send(request)
        assert outcome is not None
        return outcome

    def tokens(self) -> list[str]:
        """
        What went to the destination as Authorization.
        """
        return [dict(request.headers)["Authorization"] for request in self.destination.sent]

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_who_brings_no_credentials_passes(stage: Stage) -> None:
    plain = replace(REQUEST, credentials=None)

    assert stage.sent(plain).status == 204
    assert stage.destination.sent == [plain]
    assert stage.endpoint.asked == []


def test_a_token_goes_with_the_request_and_is_kept(stage: Stage) -> None:
    for _ in range(3):
        assert stage.sent().status == 204

    assert stage.tokens() == ["Bearer token-1"] * 3
    assert dict(stage.destination.sent[0].headers)["A"] == "1"
    assert len(stage.endpoint.asked) == 1


def test_it_is_renewed_shortly_before_it_expires(stage: Stage) -> None:
    stage.send()
    stage.pass_time(3_600 - 31)
    stage.send()
    stage.pass_time(2)
    stage.send()

    assert stage.tokens() == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_one_that_hardly_lives_is_used_for_half_its_life(stage: Stage) -> None:
    stage.endpoint.lifetime_s = 24
    stage.send()
    stage.pass_time(11)
    stage.send()
    stage.pass_time(2)
    stage.send()

    assert stage.tokens() == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_where_no_lifetime_is_told_it_is_five_minutes(stage: Stage) -> None:
    stage.endpoint.lifetime_s = None
    stage.send()
    stage.pass_time(269)
    stage.send()
    stage.pass_time(2)
    stage.send()

    assert stage.tokens() == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_the_old_one_does_while_the_endpoint_fails(stage: Stage) -> None:
    stage.send()
    stage.endpoint.is_down = True
    stage.pass_time(3_590)

    assert stage.sent().status == 204
    stage.pass_time(11)
    failed = stage.sent()
    assert (failed.failure, failed.is_unsent) == (Failure.AUTHENTICATION, True)


def test_an_endpoint_that_fails_is_told_and_not_hammered(stage: Stage) -> None:
    stage.endpoint.is_down = True

    failures = [stage.sent() for _ in range(50)]

    assert {(one.failure, one.detail, one.is_unsent) for one in failures} == {
        (Failure.AUTHENTICATION, "the token endpoint answered 503", True)
    }
    assert len(stage.endpoint.asked) == 1
    assert stage.destination.sent == []
    stage.pass_time(ASK_AGAIN_AFTER_S)
    stage.endpoint.is_down = False
    assert stage.sent().status == 204


def test_a_token_that_is_refused_is_replaced_once(stage: Stage) -> None:
    stage.send()
    stage.pass_time(ASK_AGAIN_AFTER_S)
    stage.destination.answers = [Outcome(status=401)]

    assert stage.sent().status == 204
    assert stage.tokens() == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_destination_that_refuses_every_token_has_none_fetched_for_each_event(stage: Stage) -> None:
    stage.destination.default = Outcome(status=401)

    outcomes = [stage.sent() for _ in range(50)]

    assert {one.status for one in outcomes} == {401}
    assert len(stage.endpoint.asked) == 1
    stage.pass_time(ASK_AGAIN_AFTER_S)
    for _ in range(50):
        stage.send()
    assert len(stage.endpoint.asked) == 2


def test_the_destinations_own_answer_is_told_when_no_other_token_is_to_be_had(stage: Stage) -> None:
    stage.send()
    stage.pass_time(ASK_AGAIN_AFTER_S)
    stage.endpoint.is_down = True
    stage.destination.answers = [Outcome(status=401, detail="answered 401")]

    assert stage.sent().status == 401


def test_the_fetch_takes_from_the_attempts_time(stage: Stage) -> None:
    stage.endpoint.on_fetch = lambda: stage.pass_time(4)

    outcome = stage.sent()

    assert stage.endpoint.asked == [(CREDENTIALS, TIMEOUT_S)]
    assert stage.destination.timeouts == [TIMEOUT_S - 4]
    assert outcome.duration_s == 4


def test_after_a_fetch_the_right_to_send_is_asked_for_again(stage: Stage) -> None:
    stage.may_send_answers = False

    assert stage.send() is None
    assert stage.destination.sent == []


def test_other_credentials_get_a_token_of_their_own(stage: Stage) -> None:
    stage.send()
    stage.send(replace(REQUEST, credentials=replace(CREDENTIALS, scope="events")))
    stage.send(replace(REQUEST, url="https://other.example/"))

    assert stage.tokens() == ["Bearer token-1", "Bearer token-2", "Bearer token-1"]


def test_one_thread_asks_at_a_time(stage: Stage) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def answer_late() -> None:
        is_asked.set()
        assert may_answer.wait(30)

    stage.endpoint.on_fetch = answer_late
    threads = [threading.Thread(target=stage.send) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert is_asked.wait(30)
    may_answer.set()
    for thread in threads:
        thread.join(30)

    assert stage.tokens() == ["Bearer token-1"] * 8
    assert len(stage.endpoint.asked) == 1
