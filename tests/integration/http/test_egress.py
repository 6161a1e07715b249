"""
Nothing is connected to that the egress policy forbids, whatever the URL calls it.
"""

import socket
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import cycle

import pytest

from odim_relay.adapters.http.resolver import AddressInfo
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.outcome import Failure, Standing, Verdict, standing_of, verdict_of
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post, read_request, scripted_server
from tests.support.receiver import Receiver

pytestmark = pytest.mark.server

SHIPPED = EgressPolicy()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """
    Takes whatever connection comes.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield listener


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def was_connected_to(listener: socket.socket) -> bool:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "rebound.example"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_forbidden_address_is_not_connected_to(
    make_sender: MakeSender, listener: socket.socket, scheme: str, host: str
) -> None:
    def lookup(name: str, port: int) -> list[AddressInfo]:
        assert name == "rebound.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    sender = make_sender(lookup=lookup, egress=SHIPPED)
    url = f"{scheme}://{host}:{port_of(listener)}/"
    outcome = post(sender, url)

    assert not sender.accepts(url, timeout_s=5)
    assert not was_connected_to(listener)
    assert (outcome.failure, outcome.is_unsent) == (Failure.FORBIDDEN, True)
    assert outcome.detail.endswith("127.0.0.1 is loopback, which EGRESS__ALLOW does not allow")
    # Nothing is lost when the operator mends the policy: it is retried, and knocked for.
    assert (verdict_of(outcome), standing_of(outcome)) == (Verdict.TRANSIENT, Standing.UNREACHABLE)


def test_what_is_allowed_is_sent_to(make_sender: MakeSender, plain_receiver: Receiver, path: str) -> None:
    sender = make_sender(egress=EgressPolicy(allow=(ip_network("127.0.0.0/8"),)))

    assert post(sender, plain_receiver.url(path)).status == 200


def test_a_name_is_sent_to_by_those_of_its_addresses_that_are_allowed(
    make_sender: MakeSender, plain_receiver: Receiver, listener: socket.socket, path: str
) -> None:
    forbidden = port_of(listener)

    def lookup(name: str, port: int) -> list[AddressInfo]:
        del name
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", forbidden)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", port)),
        ]

    sender = make_sender(lookup=lookup, egress=EgressPolicy(allow=(ip_network("127.0.0.2/32"),)))
    outcome = post(sender, plain_receiver.url(path, host="both.example"))

    assert not was_connected_to(listener)
    # The receiver listens at 127.0.0.1 only: what matters is where was knocked.
    assert outcome.failure is Failure.CONNECT


def test_a_name_that_means_another_address_each_time_is_judged_each_time(
    make_sender: MakeSender, listener: socket.socket
) -> None:
    addresses = cycle(["127.0.0.2", "127.0.0.1"])

    def lookup(name: str, port: int) -> list[AddressInfo]:
        assert name == "rebound.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(addresses), port))]

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    sender = make_sender(lookup=lookup, egress=EgressPolicy(allow=(ip_network("127.0.0.2/32"),)))
    with scripted_server(serve, "127.0.0.2", port_of(listener)):
        outcomes = [post(sender, f"http://rebound.example:{port_of(listener)}/") for _ in range(20)]

    assert {outcome.status or outcome.failure for outcome in outcomes} == {204, Failure.FORBIDDEN}
    assert not was_connected_to(listener)
