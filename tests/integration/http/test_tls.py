"""
Nothing is sent to a server that cannot prove who it is.
"""

import socket
from pathlib import Path

import pytest

from odim_relay.domain.outcome import Failure
from odim_relay.errors import ConfigurationError
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post, read_request, scripted_server
from tests.support.certificates import Certificate, Certificates
from tests.support.receiver import Receiver

pytestmark = pytest.mark.server

REASONS = {
    Certificate.WRONG_HOST: "certificate is not valid for '127.0.0.1'",
    Certificate.OTHER_CA: "unable to get local issuer certificate",
    Certificate.EXPIRED: "certificate has expired",
}


@pytest.mark.parametrize("certificate", REASONS)
def test_a_certificate_that_proves_nothing_gets_nothing(
    make_sender: MakeSender, certificates: Certificates, path: str, certificate: Certificate
) -> None:
    with Receiver.start(scheme="https", certificates=certificates, certificate=certificate) as receiver:
        refused = post(make_sender(), receiver.url(path))
        assert receiver.counts(path) == {}
        unverified = post(make_sender(verify=False), receiver.url(path))
        assert receiver.counts(path) == {"delivery-1": 1}

    assert (refused.status, refused.failure) == (None, Failure.TLS)
    assert REASONS[certificate] in refused.detail
    assert unverified.status == 200


def test_a_ca_of_our_own_is_unknown_to_the_system(
    make_sender: MakeSender, secure_receiver: Receiver, path: str
) -> None:
    outcome = post(make_sender(ca_file=None), secure_receiver.url(path))

    assert outcome.failure is Failure.TLS
    assert secure_receiver.counts(path) == {}


def test_the_system_store_is_used_without_a_file(
    make_sender: MakeSender,
    certificates: Certificates,
    secure_receiver: Receiver,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # OpenSSL's own way of saying where the system's store is.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))

    assert post(make_sender(ca_file=None), secure_receiver.url(path)).status == 200


def test_names_are_verified_as_well_as_addresses(make_sender: MakeSender, secure_receiver: Receiver, path: str) -> None:
    assert post(make_sender(), secure_receiver.url(path, host="localhost")).status == 200


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 No TLS here\r\n\r\n"], ids=["closes", "speaks-http"])
def test_a_server_without_tls_is_a_failure_of_tls(make_sender: MakeSender, answer: bytes) -> None:
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        received.append(read_request(connection))
        connection.sendall(answer)

    with scripted_server(serve) as url:
        outcome = post(make_sender(), url.replace("http:", "https:"))

    assert outcome.failure is Failure.TLS
    assert b"POST" not in received[0]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_that_cannot_be_used_stops_the_start(
    make_sender: MakeSender, tmp_path: Path, content: str | None
) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)

    with pytest.raises(ConfigurationError, match="DELIVERY__CA_FILE"):
        make_sender(ca_file=ca_file)
