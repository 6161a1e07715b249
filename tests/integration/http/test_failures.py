"""
Destinations that do not answer as they should, and what is told of them.
"""

import os
import resource
import socket

import pytest

from odim_relay.adapters.http.resolver import AddressInfo
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.domain.outcome import Failure
from odim_relay.errors import TransientError
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post, read_request, scripted_server
from tests.support.receiver import Behaviour, Mode, Receiver

pytestmark = pytest.mark.server


def test_a_process_out_of_file_descriptors_blames_itself(sender: RequestsSender, plain_receiver: Receiver) -> None:
    next_descriptor = os.dup(0)
    os.close(next_descriptor)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_descriptor, hard))
    try:
        with pytest.raises(TransientError, match="no socket"):
            post(sender, plain_receiver.url("/"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_nobody_listening_is_a_failure_to_connect(sender: RequestsSender, path: str) -> None:
    with Receiver.start() as receiver:
        receiver.refuse()
        refused = post(sender, receiver.url(path))
        receiver.listen()
        accepted = post(sender, receiver.url(path))

    assert (refused.status, refused.failure) == (None, Failure.CONNECT)
    assert refused.detail == "no connection: connection refused"
    assert accepted.status == 200


@pytest.mark.parametrize("host", ["does-not-exist.invalid", "a..b", "x" * 64 + ".invalid"])
def test_a_name_that_does_not_exist_is_a_failure_of_dns(make_sender: MakeSender, host: str) -> None:
    def lookup(name: str, port: int) -> list[AddressInfo]:
        name.encode("idna")
        raise OSError(-2, f"Name or service not known, port {port}")

    outcome = post(make_sender(lookup=lookup), f"http://{host}/")

    assert outcome.failure is Failure.DNS


def test_every_address_of_a_name_is_tried(make_sender: MakeSender, plain_receiver: Receiver, path: str) -> None:
    def lookup(name: str, port: int) -> list[AddressInfo]:
        del name
        # Nobody listens at the first two, and the third is of no family that there is.
        return [
            (2, 1, 6, "", ("127.0.0.1", 1)),
            (10, 1, 6, "", ("::1", port, 0, 0)),
            (99, 1, 6, "", ("x", port)),
            (2, 1, 6, "", ("127.0.0.1", port)),
        ]

    assert post(make_sender(lookup=lookup), plain_receiver.url(path, host="somewhere.example")).status == 200


def test_a_name_is_resolved_by_the_system(sender: RequestsSender, plain_receiver: Receiver, path: str) -> None:
    assert post(sender, plain_receiver.url(path, host="localhost")).status == 200


@pytest.mark.parametrize(
    ("mode", "failure"),
    [
        (Mode.CLOSE, Failure.DISCONNECTED),
        (Mode.CUT_HEAD, Failure.DISCONNECTED),
        (Mode.CUT_BODY, Failure.DISCONNECTED),
        (Mode.NOT_HTTP, Failure.PROTOCOL),
    ],
)
def test_a_broken_answer_is_a_failure(
    sender: RequestsSender, receiver: Receiver, path: str, mode: Mode, failure: Failure
) -> None:
    receiver.behave(path, Behaviour(mode=mode, body="half of this"))

    outcome = post(sender, receiver.url(path))

    assert (outcome.status, outcome.failure, outcome.is_unsent) == (None, failure, False)
    assert receiver.counts(path) == {"delivery-1": 1}


@pytest.mark.parametrize(
    "mode", [Mode.CLOSE, Mode.CUT_HEAD, Mode.CUT_BODY, Mode.NOT_HTTP, Mode.HANG, Mode.DRIP_HEAD, Mode.ANSWER]
)
def test_no_secret_gets_into_a_detail(sender: RequestsSender, receiver: Receiver, path: str, mode: Mode) -> None:
    receiver.behave(path, Behaviour(mode=mode, status=401, body="s3cret", headers=(("X-S", "s3cret"),)))
    url = receiver.url(path).replace("://", "://alice:s3cret@") + "?token=s3cret"

    outcome = post(sender, url, body=b"s3cret", headers=(("X-Token", "s3cret"),), timeout_s=0.3)

    assert "s3cret" not in outcome.detail
    assert outcome.detail
    assert "\n" not in outcome.detail


def test_interim_answers_are_passed_over(sender: RequestsSender) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    with scripted_server(serve) as url:
        assert post(sender, url).status == 202


def test_an_answer_before_the_end_of_the_request_is_an_answer(sender: RequestsSender) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with scripted_server(serve) as url:
        assert post(sender, url, body=bytes(20_000_000)).status == 413


def test_a_head_without_end_is_no_http(sender: RequestsSender) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000)
        connection.recv(1)

    with scripted_server(serve) as url:
        assert post(sender, url).failure is Failure.PROTOCOL
