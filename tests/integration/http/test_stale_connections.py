"""
A kept connection may be closed at any time, also while a request is on its way.
"""

import socket
import struct
import threading

import pytest

from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.domain.outcome import Failure
from tests.integration.http.posting import post, read_request, scripted_server
from tests.support.receiver import Behaviour, Mode, Receiver
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server


def test_bytes_after_an_answer_are_not_taken_for_the_next(sender: RequestsSender) -> None:
    statuses = iter((b"200", b"201"))

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        answer = b"HTTP/1.1 %b X\r\nContent-Length: 0\r\n\r\n" % next(statuses)
        connection.sendall(answer + b"HTTP/1.1 500 Not asked for\r\nContent-Length: 0\r\n\r\n")
        connection.recv(1)

    with scripted_server(serve) as url:
        assert post(sender, url).status == 200
        assert post(sender, url).status == 201


def test_what_a_server_says_on_an_idle_connection_is_no_answer(sender: RequestsSender) -> None:
    may_hang_up = threading.Event()
    hung_up = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        may_hang_up.wait(5)
        # As some servers do when a connection was idle for too long.
        connection.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        hung_up.set()

    with scripted_server(serve) as url:
        assert post(sender, url).status == 200
        may_hang_up.set()
        hung_up.wait(5)
        assert post(sender, url).status == 200


@pytest.mark.parametrize("is_reused", [False, True], ids=["new", "kept"])
def test_a_reset_connection_is_a_disconnection(sender: RequestsSender, is_reused: bool) -> None:
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"] if is_reused else []
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            requests.append(request)
            if not answers:
                # Closing resets now.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            connection.sendall(answers.pop())

    with scripted_server(serve) as url:
        if is_reused:
            post(sender, url)
        outcome = post(sender, url)

    assert outcome.failure is Failure.DISCONNECTED
    assert len(requests) == (3 if is_reused else 1)


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_before_anything_is_sent(
    sender: RequestsSender, receiver: Receiver, path: str
) -> None:
    post(sender, receiver.url(path), webhook_id="before")
    before = receiver.connections().accepted
    receiver.drop_connections()
    wait_until(lambda: receiver.connections().open == 0, timeout_s=5, what="the connection to be closed")

    assert post(sender, receiver.url(path)).status == 200

    assert receiver.counts(path) == {"before": 1, "delivery-1": 1}
    assert receiver.connections().accepted - before == 1


def test_a_kept_connection_that_is_closed_under_the_request_is_replaced_at_once(
    sender: RequestsSender, receiver: Receiver, path: str
) -> None:
    receiver.behave(path, Behaviour(mode=Mode.CLOSE_REUSED))
    post(sender, receiver.url(path), webhook_id="before")

    outcome = post(sender, receiver.url(path))

    assert (outcome.status, outcome.failure) == (200, None)
    # It came twice: the subscriber tells so by the id.
    assert receiver.counts(path) == {"before": 1, "delivery-1": 2}


def test_what_may_not_be_repeated_is_not_sent_again(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    receiver.behave(path, Behaviour(mode=Mode.CLOSE_REUSED))
    post(sender, receiver.url(path), webhook_id="before", is_repeatable=False)

    outcome = post(sender, receiver.url(path), is_repeatable=False)

    assert (outcome.status, outcome.failure) == (None, Failure.DISCONNECTED)
    assert outcome.detail == "the kept connection was closed under the request"
    assert receiver.counts(path) == {"before": 1, "delivery-1": 1}
    # The connection is not used again.
    assert post(sender, receiver.url(path), webhook_id="after", is_repeatable=False).status == 200


def test_what_may_not_be_repeated_goes_over_a_new_connection_where_the_kept_one_is_known_to_be_closed(
    sender: RequestsSender, receiver: Receiver, path: str
) -> None:
    post(sender, receiver.url(path), webhook_id="before")
    receiver.drop_connections()
    wait_until(lambda: receiver.connections().open == 0, timeout_s=5, what="the connection to be closed")

    assert post(sender, receiver.url(path), is_repeatable=False).status == 200

    assert receiver.counts(path) == {"before": 1, "delivery-1": 1}


def test_a_request_is_sent_again_once_only(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    post(sender, receiver.url(path), webhook_id="before")
    receiver.behave(path, Behaviour(mode=Mode.CLOSE))

    assert post(sender, receiver.url(path)).failure is Failure.DISCONNECTED

    assert receiver.counts(path)["delivery-1"] == 2


def test_a_request_is_not_sent_again_over_a_new_connection(
    sender: RequestsSender, receiver: Receiver, path: str
) -> None:
    receiver.behave(path, Behaviour(mode=Mode.CLOSE))

    assert post(sender, receiver.url(path)).failure is Failure.DISCONNECTED

    assert receiver.counts(path) == {"delivery-1": 1}


def test_a_request_is_not_sent_again_when_an_answer_had_begun(
    sender: RequestsSender, receiver: Receiver, path: str
) -> None:
    post(sender, receiver.url(path), webhook_id="before")
    receiver.behave(path, Behaviour(mode=Mode.CUT_HEAD))

    assert post(sender, receiver.url(path)).failure is Failure.DISCONNECTED

    assert receiver.counts(path)["delivery-1"] == 1
