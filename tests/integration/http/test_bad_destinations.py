"""
Whatever a destination does, there is an outcome, in bounded time and memory.
"""

import socket
import time
import tracemalloc
from contextlib import suppress

import pytest

from odim_relay.adapters.http.resolver import AddressInfo
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.domain.outcome import Failure
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post, read_request, scripted_server
from tests.support.receiver import Receiver

pytestmark = pytest.mark.server

TIMEOUT_S = 2.0
MIB = 1_048_576


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", Failure.DISCONNECTED),
        (b"<html><body>It works!</body></html>", Failure.DISCONNECTED),
        (b"<html>\n\n<body>It works!</body></html>", Failure.PROTOCOL),
        (b"\x00" * 1_000, Failure.DISCONNECTED),
        (b"\r\n\r\n", Failure.PROTOCOL),
        (b"HTTP/2 200\r\n\r\n", Failure.PROTOCOL),
        (b"HTTP/0.9 200 OK\r\n\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 600 Beyond\r\n\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 99 Below\r\n\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 2000 Too many digits\r\n\r\n", Failure.PROTOCOL),
        (b"220 mail.example ESMTP\r\n\r\n", Failure.PROTOCOL),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", Failure.PROTOCOL),
    ],
)
def test_what_is_no_answer_is_a_failure(sender: RequestsSender, answer: bytes, failure: Failure) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    with scripted_server(serve) as url:
        outcome = post(sender, url, timeout_s=TIMEOUT_S)

    assert (outcome.status, outcome.failure) == (None, failure)
    assert outcome.detail
    assert outcome.duration_s < TIMEOUT_S


@pytest.mark.parametrize(
    ("head", "unit", "failure"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"x" * 1_000 + b"\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nX-Filler: ", b"x" * 1_000, Failure.PROTOCOL),
        (b"", b"x" * 1_000, Failure.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", b"x" * 65_536, None),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65_536 + b"\r\n", None),
    ],
    ids=["headers", "a header", "no head", "100 MB", "until it closes", "chunks"],
)
def test_an_answer_without_end_is_read_to_its_limit_and_no_further(
    sender: RequestsSender, head: bytes, unit: bytes, failure: Failure | None
) -> None:
    sent = 0

    def serve(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(head)
        while sent < 100 * MIB:
            connection.sendall(unit)
            sent += len(unit)

    tracemalloc.start()
    try:
        with scripted_server(serve) as url:
            outcome = post(sender, url, timeout_s=TIMEOUT_S * 5)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert outcome.failure is failure
    assert outcome.status == (None if failure else 200)
    # What is on the way in the kernel's buffers was sent too.
    assert sent < 50 * MIB
    assert peak < MIB


def test_interim_answers_without_end_end_in_time(sender: RequestsSender) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        # Nobody reads any more once the time is up, and some kernels do not tell.
        connection.settimeout(2)
        with suppress(TimeoutError):
            while True:
                connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)

    with scripted_server(serve) as url:
        started_at = time.monotonic()
        outcome = post(sender, url, timeout_s=0.6)
        took_s = time.monotonic() - started_at

    assert outcome.failure is Failure.TIMEOUT
    assert took_s <= 1.6


def fifty(last: str, port: int) -> list[AddressInfo]:
    hosts = [*(f"127.0.1.{number}" for number in range(1, 50)), last]
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in hosts]


def test_of_fifty_addresses_the_one_that_answers_is_found(
    make_sender: MakeSender, plain_receiver: Receiver, path: str
) -> None:
    sender = make_sender(lookup=lambda _, port: fifty("127.0.0.1", port))

    assert post(sender, plain_receiver.url(path, host="many.example")).status == 200


def test_fifty_addresses_that_refuse_are_one_failure(make_sender: MakeSender, plain_receiver: Receiver) -> None:
    sender = make_sender(lookup=lambda _, port: fifty("127.0.1.50", port))

    outcome = post(sender, plain_receiver.url("/", host="many.example"), timeout_s=TIMEOUT_S)

    assert outcome.failure is Failure.CONNECT
    assert outcome.is_unsent


def test_fifty_addresses_that_do_not_answer_have_one_deadline(make_sender: MakeSender, unanswering_port: int) -> None:
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", unanswering_port))] * 50
    sender = make_sender(lookup=lambda _, __: addresses)
    started_at = time.monotonic()

    outcome = post(sender, f"http://many.example:{unanswering_port}/", timeout_s=1.0)

    assert time.monotonic() - started_at <= 2.0
    assert outcome.failure is Failure.CONNECT_TIMEOUT


def test_a_name_without_an_address_is_a_failure_of_dns(make_sender: MakeSender) -> None:
    outcome = post(make_sender(lookup=lambda _, __: []), "http://empty.example/")

    assert (outcome.failure, outcome.detail) == (Failure.DNS, "the name has no address")
