"""
Knocking at a destination: whether it takes connections, without a request.
"""

import os
import resource
import socket
import threading
import time

import pytest

from odim_relay.adapters.http.resolver import AddressInfo
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.errors import PermanentError, TransientError
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post, scripted_server
from tests.support.certificates import Certificate, Certificates
from tests.support.receiver import Behaviour, Mode, Receiver
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

TIMEOUT_S = 0.6


def knock(sender: RequestsSender, url: str) -> tuple[bool, float]:
    """
    Tell what came of it, and how long it took.
    """
    started_at = time.monotonic()
    accepts = sender.accepts(url, timeout_s=TIMEOUT_S)
    return accepts, time.monotonic() - started_at


def assert_not_in_time(accepts: bool, took_s: float) -> None:
    assert not accepts
    assert TIMEOUT_S * 0.9 <= took_s <= TIMEOUT_S + 0.5


def test_who_takes_connections_gets_no_request(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    before = receiver.connections()

    assert sender.accepts(receiver.url(path), timeout_s=5)

    wait_until(lambda: receiver.connections().open == before.open, timeout_s=5, what="the connection to be closed")
    after = receiver.connections()
    assert after.accepted - before.accepted == after.established - before.established == 1
    assert receiver.counts(path) == {}


def test_a_connection_that_is_kept_does_not_count(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    assert post(sender, receiver.url(path)).status == 200
    before = receiver.connections().accepted

    assert sender.accepts(receiver.url(path), timeout_s=5)

    assert receiver.connections().accepted - before == 1
    # And it is of use still.
    assert post(sender, receiver.url(path)).status == 200
    assert receiver.connections().accepted - before == 1


def test_how_it_answers_is_not_asked(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    receiver.behave(path, Behaviour(mode=Mode.DRIP_HEAD, interval_s=10))

    accepts, took_s = knock(sender, receiver.url(path))

    assert accepts
    assert took_s < TIMEOUT_S


def test_who_refuses_is_told_and_found_once_it_is_back(sender: RequestsSender, path: str) -> None:
    with Receiver.start() as receiver:
        receiver.refuse()
        assert not sender.accepts(receiver.url(path), timeout_s=5)
        receiver.listen()
        assert sender.accepts(receiver.url(path), timeout_s=5)


def test_who_lets_nobody_in_ends_in_time(sender: RequestsSender, unanswering_port: int) -> None:
    assert_not_in_time(*knock(sender, f"http://127.0.0.1:{unanswering_port}/"))


@pytest.mark.parametrize("certificate", [Certificate.WRONG_HOST, Certificate.OTHER_CA, Certificate.EXPIRED])
def test_who_cannot_prove_who_it_is_is_not_reached(
    make_sender: MakeSender, certificates: Certificates, path: str, certificate: Certificate
) -> None:
    with Receiver.start(scheme="https", certificates=certificates, certificate=certificate) as receiver:
        assert not make_sender().accepts(receiver.url(path), timeout_s=5)
        assert make_sender(verify=False).accepts(receiver.url(path), timeout_s=5)


def test_who_speaks_no_tls_is_not_reached(sender: RequestsSender, plain_receiver: Receiver) -> None:
    # It waits for a request that never comes.
    assert_not_in_time(*knock(sender, plain_receiver.url("/").replace("http:", "https:")))


def test_a_handshake_by_drops_ends_in_time(sender: RequestsSender) -> None:
    stop = threading.Event()

    def serve(connection: socket.socket) -> None:
        # A record of TLS, and all of its 16 KiB byte by byte.
        connection.sendall(b"\x16\x03\x03\x40\x00\x02")
        while not stop.wait(0.05):
            connection.sendall(b"\x00")

    with scripted_server(serve) as url:
        found = knock(sender, url.replace("http:", "https:"))
        stop.set()

    assert_not_in_time(*found)


def test_a_name_that_is_not_found_is_not_reached(make_sender: MakeSender) -> None:
    def lookup(name: str, port: int) -> list[AddressInfo]:
        raise OSError(-2, f"Name or service not known: {name}:{port}")

    assert not make_sender(lookup=lookup).accepts("http://nowhere.example/", timeout_s=5)


def test_a_lookup_that_hangs_ends_in_time(make_sender: MakeSender) -> None:
    answered = threading.Event()

    def lookup(name: str, port: int) -> list[AddressInfo]:
        answered.wait(30)
        return [(2, 1, 6, "", ("127.0.0.1", port))] if name else []

    found = knock(make_sender(lookup=lookup), "http://hangs.example:1/")
    answered.set()

    assert_not_in_time(*found)


def test_a_url_that_cannot_be_used_is_told(sender: RequestsSender) -> None:
    with pytest.raises(PermanentError):
        sender.accepts("ftp://127.0.0.1/", timeout_s=5)


def test_a_process_out_of_file_descriptors_blames_itself(sender: RequestsSender, plain_receiver: Receiver) -> None:
    next_descriptor = os.dup(0)
    os.close(next_descriptor)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_descriptor, hard))
    try:
        with pytest.raises(TransientError, match="no socket"):
            sender.accepts(plain_receiver.url("/"), timeout_s=5)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
