"""
Nothing is sent to a server that cannot prove who it is.
"""

import socket
from pathlib import Path

import pytest

from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.domain.tls import TlsTerms
from odim_relay.errors import ConfigurationError
from odim_relay.ports import OutgoingRequest
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import always, post, read_request, scripted_server
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


def post_as(sender: RequestsSender, url: str, *, is_verified: bool | None) -> Outcome:
    request = OutgoingRequest(
        url=url, body=b"{}", headers=(("webhook-id", "1"),), tls=TlsTerms(is_verified=is_verified)
    )
    outcome = sender.send(request, may_send=always, timeout_s=10)
    assert outcome is not None
    return outcome


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_request_says_for_itself_whether_its_receiver_is_verified(
    make_sender: MakeSender, certificates: Certificates, path: str, by_itself: bool
) -> None:
    sender = make_sender(verify=by_itself)
    with Receiver.start(scheme="https", certificates=certificates, certificate=Certificate.EXPIRED) as receiver:
        url = receiver.url(path)

        assert post_as(sender, url, is_verified=False).status == 200
        assert sender.accepts(url, tls=TlsTerms(is_verified=False), timeout_s=10)
        # The connection that is kept is one that nobody looked at: it must not serve who wants that.
        assert post_as(sender, url, is_verified=True).failure is Failure.TLS
        assert not sender.accepts(url, tls=TlsTerms(is_verified=True), timeout_s=10)
        assert post_as(sender, url, is_verified=None).failure is (Failure.TLS if by_itself else None)


def test_nothing_was_sent_where_tls_failed(make_sender: MakeSender, certificates: Certificates, path: str) -> None:
    with Receiver.start(scheme="https", certificates=certificates, certificate=Certificate.EXPIRED) as receiver:
        assert post(make_sender(), receiver.url(path)).is_unsent


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
