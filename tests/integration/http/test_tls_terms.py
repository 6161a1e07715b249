"""
What a subscription says about TLS is kept to, or nothing is sent.
"""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from odim_relay.adapters.security.certificate import self_signed
from odim_relay.domain.outcome import Failure, Standing, standing_of
from odim_relay.domain.tls import TlsTerms
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post
from tests.support.certificates import Certificate, Certificates
from tests.support.receiver import Receiver
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.server

MTLS = TlsTerms(ca_file="ca.pem", client_certificate_file="client.pem")
OWN_CA = TlsTerms(ca_file="ca.pem")
OTHER_PIN = "ab" * 32


def fingerprint(chain_file: Path) -> str:
    pem = chain_file.read_text()
    first = pem[pem.index("-----BEGIN CERTIFICATE") :].partition("-----END CERTIFICATE-----")
    return sha256(ssl.PEM_cert_to_DER_cert(first[0] + first[1])).hexdigest()


@pytest.fixture
def folder(tmp_path: Path, certificates: Certificates) -> Path:
    """
    What `DELIVERY__TLS_DIR` names: every file by its kind, and some that are of no use.
    """
    folder = tmp_path / "tls"
    folder.mkdir()
    for name, source in {
        "ca.pem": certificates.ca_file,
        "other_ca.pem": certificates.other_ca_file,
        **{f"{kind}.pem": path for kind, path in certificates.chain_files.items()},
    }.items():
        (folder / name).write_bytes(source.read_bytes())
    client = certificates.chain_files[Certificate.CLIENT].read_text()
    at = client.index("-----BEGIN CERTIFICATE")
    (folder / "client.key").write_text(client[:at])
    (folder / "client.crt").write_text(client[at:])
    (folder / "old_ca.pem").write_text(self_signed(["old.example"], datetime.now(UTC) - timedelta(days=1_000)))
    (folder / "empty.pem").write_text("\n")
    (folder / "garbage.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "words.pem").write_text("no certificate")
    (folder / "folder.pem").mkdir()
    key = serialization.load_pem_private_key(client[:at].encode(), password=None)
    (folder / "locked.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    outside = tmp_path / "outside.pem"
    outside.write_bytes(certificates.ca_file.read_bytes())
    (folder / "link.pem").symlink_to(outside)
    (folder / "..data").symlink_to(folder)
    (folder / "mounted.pem").symlink_to(Path("..data") / "ca.pem")
    return folder


@dataclass(frozen=True, kw_only=True)
class Case:
    """
    A server, and what is asked of it.
    """

    terms: TlsTerms
    shows: Certificate = Certificate.GOOD
    asks_for_client: bool = False
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    told: str = ""


def serve(case: Case, certificates: Certificates) -> TlsServer:
    return TlsServer(
        certificates.chain_files[case.shows],
        client_ca=certificates.ca_file if case.asks_for_client else None,
        newest=case.newest,
    )


def _files(**members: str) -> TlsTerms:
    return TlsTerms(**({"ca_file": "ca.pem"} | members))  # type: ignore[arg-type]


FAILS_CLOSED = {
    "wrong CA": Case(terms=TlsTerms(ca_file="other_ca.pem"), told="unable to get local issuer certificate"),
    "wrong CA, verified whatever else is said": Case(
        terms=TlsTerms(is_verified=False, ca_file="other_ca.pem"), told="certificate is not accepted"
    ),
    "wrong host": Case(terms=OWN_CA, shows=Certificate.WRONG_HOST, told="not valid for '127.0.0.1'"),
    "expired": Case(terms=OWN_CA, shows=Certificate.EXPIRED, told="certificate has expired"),
    "not yet valid": Case(terms=OWN_CA, shows=Certificate.NOT_YET_VALID, told="certificate is not yet valid"),
    "self-signed": Case(terms=OWN_CA, shows=Certificate.SELF_SIGNED, told="self-signed certificate"),
    "pin mismatch": Case(terms=TlsTerms(ca_file="ca.pem", fingerprint=OTHER_PIN), told="not the pinned one"),
    "pin mismatch, not verified": Case(
        terms=TlsTerms(is_verified=False, fingerprint=OTHER_PIN), told="not the pinned one"
    ),
    "no client certificate, TLS 1.3": Case(terms=OWN_CA, asks_for_client=True, told="certificate required"),
    "no client certificate, TLS 1.2": Case(
        terms=OWN_CA, asks_for_client=True, newest=ssl.TLSVersion.TLSv1_2, told="handshake failure"
    ),
    "client certificate of another CA": Case(
        terms=_files(client_certificate_file="client_of_other_ca.pem"), asks_for_client=True, told="unknown ca"
    ),
    "client certificate expired": Case(
        terms=_files(client_certificate_file="client_expired.pem"),
        asks_for_client=True,
        told="the client certificate in the file client_expired.pem has expired",
    ),
    "client certificate not yet valid": Case(
        terms=_files(client_certificate_file="client_not_yet_valid.pem"),
        asks_for_client=True,
        told="the client certificate in the file client_not_yet_valid.pem is not valid yet",
    ),
    "TLS 1.1": Case(terms=OWN_CA, newest=ssl.TLSVersion.TLSv1_1, told="version"),
    "TLS 1.1, not verified": Case(terms=TlsTerms(is_verified=False), newest=ssl.TLSVersion.TLSv1_1, told="version"),
    "key of another certificate": Case(
        terms=_files(client_certificate_file="client.crt", client_key_file="good.pem"),
        told="the private key in the file good.pem is not that of the client certificate",
    ),
    "no key": Case(terms=_files(client_certificate_file="client.crt"), told="client.crt holds no private key"),
    "encrypted key": Case(
        terms=_files(client_certificate_file="client.crt", client_key_file="locked.key"),
        told="the private key in the file locked.key is encrypted",
    ),
    "no client certificate in its file": Case(
        terms=_files(client_certificate_file="client.key"), told="the file client.key holds no certificate"
    ),
    "no file": Case(terms=TlsTerms(ca_file="absent.pem"), told="absent.pem cannot be read: no such file"),
    "empty file": Case(terms=TlsTerms(ca_file="empty.pem"), told="the file empty.pem is empty"),
    "no certificate": Case(terms=TlsTerms(ca_file="words.pem"), told="the file words.pem holds no certificate"),
    "broken certificate": Case(terms=TlsTerms(ca_file="garbage.pem"), told="garbage.pem holds a certificate that"),
    "no file but a folder": Case(terms=TlsTerms(ca_file="folder.pem"), told="folder.pem is no regular file"),
    "out of the folder": Case(terms=TlsTerms(ca_file="../outside.pem"), told="has an empty part, . or .."),
    "out of the folder by a link": Case(terms=TlsTerms(ca_file="link.pem"), told="link.pem leads out of the folder"),
    "expired CA": Case(
        terms=TlsTerms(ca_file="old_ca.pem"), told="every certificate in the file old_ca.pem has expired"
    ),
}


@pytest.mark.parametrize("case", FAILS_CLOSED.values(), ids=FAILS_CLOSED)
def test_what_is_not_proven_gets_nothing(
    make_sender: MakeSender, certificates: Certificates, folder: Path, case: Case
) -> None:
    sender = make_sender(tls_folder=folder)
    with serve(case, certificates) as server:
        outcome = post(sender, server.url(), tls=case.terms)

    assert (outcome.failure, outcome.status) == (Failure.TLS, None)
    assert case.told in outcome.detail
    assert standing_of(outcome) is Standing.UNREACHABLE
    assert server.requests == []


GOOD = {
    "own CA": Case(terms=OWN_CA),
    "own CA, which verifies whatever else is said": Case(terms=TlsTerms(is_verified=False, ca_file="ca.pem")),
    "own CA through the links of a mounted secret": Case(terms=TlsTerms(ca_file="mounted.pem")),
    "self-signed, and known": Case(terms=TlsTerms(ca_file="self_signed.pem"), shows=Certificate.SELF_SIGNED),
    "client certificate": Case(terms=MTLS, asks_for_client=True),
    "client certificate, TLS 1.2": Case(terms=MTLS, asks_for_client=True, newest=ssl.TLSVersion.TLSv1_2),
    "client certificate, key apart": Case(
        terms=_files(client_certificate_file="client.crt", client_key_file="client.key"), asks_for_client=True
    ),
    "client certificate that nobody asks for": Case(terms=MTLS),
    "nothing asked": Case(terms=TlsTerms(is_verified=False), shows=Certificate.EXPIRED),
}


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_what_is_proven_gets_it(make_sender: MakeSender, certificates: Certificates, folder: Path, case: Case) -> None:
    sender = make_sender(tls_folder=folder, ca_file=None)
    with serve(case, certificates) as server:
        assert post(sender, server.url(), tls=case.terms).status == 200
        assert sender.accepts(server.url(), timeout_s=10, tls=case.terms)

    assert server.requests == ["delivery-1"]
    assert ("relay.example" in server.shown[0]) == case.asks_for_client


def test_a_server_of_tls_1_1_is_one_that_others_reach(certificates: Certificates) -> None:
    case = FAILS_CLOSED["TLS 1.1"]
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.minimum_version = ssl.TLSVersion.TLSv1_1
    with serve(case, certificates) as server:
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        with raw, client.wrap_socket(raw) as secure:
            assert secure.version() == "TLSv1.1"


@pytest.mark.parametrize("shows", [Certificate.GOOD, Certificate.SELF_SIGNED, Certificate.EXPIRED])
def test_a_pin_takes_its_certificate_and_no_other(
    make_sender: MakeSender, certificates: Certificates, shows: Certificate
) -> None:
    pinned = TlsTerms(is_verified=False, fingerprint=fingerprint(certificates.chain_files[shows]))
    sender = make_sender()
    with TlsServer(certificates.chain_files[shows]) as server:
        assert post(sender, server.url(), tls=pinned).status == 200
        server.present(certificates.chain_files[Certificate.OTHER_CA])
        server.drop_connections()
        refused = post(sender, server.url(), webhook_id="2", tls=pinned)

    assert refused.failure is Failure.TLS
    assert fingerprint(certificates.chain_files[Certificate.OTHER_CA]) in refused.detail
    assert server.requests == ["delivery-1"]


def test_a_pin_does_not_make_up_for_a_certificate_that_is_to_be_verified(
    make_sender: MakeSender, certificates: Certificates
) -> None:
    expired = certificates.chain_files[Certificate.EXPIRED]
    with TlsServer(expired) as server:
        outcome = post(make_sender(), server.url(), tls=TlsTerms(is_verified=True, fingerprint=fingerprint(expired)))

    assert outcome.failure is Failure.TLS
    assert server.requests == []


def test_files_without_a_folder_for_them_are_told(make_sender: MakeSender, certificates: Certificates) -> None:
    sender = make_sender()
    with TlsServer(certificates.chain_files[Certificate.GOOD]) as server:
        outcome = post(sender, server.url(), tls=OWN_CA)

        assert not sender.accepts(server.url(), timeout_s=5, tls=OWN_CA)
    assert (outcome.failure, outcome.is_unsent) == (Failure.TLS, True)
    assert "DELIVERY__TLS_DIR names no folder" in outcome.detail
    assert server.accepted_count == 0


def test_who_proves_less_does_not_ride_on_a_connection_of_who_proved_more(
    make_sender: MakeSender, certificates: Certificates, folder: Path
) -> None:
    sender = make_sender(tls_folder=folder)
    pin = fingerprint(certificates.chain_files[Certificate.GOOD])
    identities = [OWN_CA, MTLS, TlsTerms(fingerprint=pin), TlsTerms(), TlsTerms(is_verified=False)]
    with TlsServer(certificates.chain_files[Certificate.GOOD]) as server:
        for _ in range(2):
            for terms in identities:
                assert post(sender, server.url(), tls=terms).status == 200

        assert server.handshake_count == len(identities)


def test_what_says_the_same_in_two_ways_shares_its_connections(
    make_sender: MakeSender, certificates: Certificates
) -> None:
    sender = make_sender(verify=True)
    with TlsServer(certificates.chain_files[Certificate.GOOD]) as server:
        for terms in (TlsTerms(), TlsTerms(is_verified=True)):
            assert post(sender, server.url(), tls=terms).status == 200

        assert server.handshake_count == 1


def test_files_are_not_asked_for_where_there_is_no_tls(
    make_sender: MakeSender, plain_receiver: Receiver, path: str
) -> None:
    assert post(make_sender(), plain_receiver.url(path), tls=OWN_CA).status == 200
