"""
An outcome tells which address the request went to, or was to go to.
"""

import socket
from contextlib import closing

import pytest

from odim_relay.adapters.http.resolver import AddressInfo
from odim_relay.domain.outcome import Failure
from odim_relay.domain.tls import TlsTerms
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post
from tests.support.certificates import Certificate, Certificates
from tests.support.proxy_server import ProxyServer
from tests.support.receiver import Receiver
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.server


def free_port() -> int:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def address_of(receiver: Receiver) -> str:
    return f"127.0.0.1:{receiver.port}"


def test_a_new_connection_and_a_kept_one_tell_the_address_that_the_name_stands_for(
    make_sender: MakeSender, receiver: Receiver, path: str
) -> None:
    sender = make_sender()
    before = receiver.connections().accepted

    outcomes = [post(sender, receiver.url(path)) for _ in range(2)]

    assert [outcome.address for outcome in outcomes] == [address_of(receiver)] * 2
    assert receiver.connections().accepted == before + 1


def test_a_destination_that_takes_no_connection_tells_the_last_address_that_was_tried(make_sender: MakeSender) -> None:
    port = free_port()

    def lookup(name: str, port: int) -> list[AddressInfo]:
        del name
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, ("127.0.0.2", port)), (*kind, ("127.0.0.3", port))]

    outcome = post(make_sender(lookup=lookup), f"http://receiver.example:{port}/")

    assert outcome.failure is Failure.CONNECT
    assert outcome.address == f"127.0.0.3:{port}"


def test_an_ipv6_address_stands_in_brackets(make_sender: MakeSender) -> None:
    port = free_port()

    assert post(make_sender(), f"http://[::1]:{port}/").address == f"[::1]:{port}"


def test_a_name_that_is_not_known_has_no_address(make_sender: MakeSender) -> None:
    outcome = post(make_sender(), "http://nowhere.invalid/")

    assert (outcome.failure, outcome.address) == (Failure.DNS, "")


def test_who_proves_nothing_by_tls_has_an_address_all_the_same(
    make_sender: MakeSender, certificates: Certificates
) -> None:
    with TlsServer(certificates.chain_files[Certificate.EXPIRED]) as server:
        outcome = post(make_sender(), server.url("/"), tls=TlsTerms(is_verified=True))

    assert outcome.failure is Failure.TLS
    assert outcome.address.startswith("127.0.0.1:")


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_through_a_proxy_it_is_the_proxys(make_sender: MakeSender, receiver: Receiver, path: str, scheme: str) -> None:
    with ProxyServer() as proxy:
        outcome = post(make_sender(proxy=proxy.url(scheme)), receiver.url(path))

        assert outcome.status == 200
        assert proxy.url(scheme).rpartition("@")[2].endswith(outcome.address.rpartition(":")[2])
        assert outcome.address != address_of(receiver)
