import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs

from odim_relay.api.certificates import CertificateFiles, CertificateWatch, server_tls
from odim_relay.errors import ConfigurationError, TransientError


def certificate(name: str = "localhost") -> str:
    pem: bytes = trustme.CA().issue_cert(name).private_key_and_cert_chain_pem.bytes()
    return pem.decode()


class World:
    """
    What is to be served, and what the server's event loop was asked to do.
    """

    def __init__(self, pem: str) -> None:
        self.pem = self.failure = ""
        self.pem = pem
        self.loaded: list[str] = []
        self.watch = CertificateWatch(self.read, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self.in_loop, served=pem)

    def read(self) -> str:
        if self.failure:
            raise TransientError(self.failure)
        return self.pem

    def in_loop(self, load: Callable[..., None], context: ssl.SSLContext, pem: str) -> None:
        load(context, pem)
        self.loaded.append(pem)

    def look(self) -> list[str]:
        with capture_logs() as logs:
            self.watch.look()
        return [line["event"] for line in logs]


def test_what_is_served_already_is_not_loaded_again() -> None:
    world = World(certificate())

    assert world.look() == []
    assert world.loaded == []


def test_another_certificate_is_loaded_once_and_told_of() -> None:
    world = World(certificate())
    world.pem = certificate()

    assert world.look() == ["certificate.changed"]
    assert world.look() == []
    assert world.loaded == [world.pem]


def test_half_of_a_change_is_not_served_and_not_told_of_when_the_other_half_comes() -> None:
    old, new = certificate(), certificate()
    world = World(old)
    world.pem = new.partition("-----BEGIN CERTIFICATE")[0] + "".join(old.partition("-----BEGIN CERTIFICATE")[1:])

    assert world.look() == []
    assert world.loaded == []
    world.pem = new
    assert world.look() == ["certificate.changed"]
    assert world.loaded == [new]


@pytest.mark.parametrize(
    "wrong", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_stays_wrong_is_told_once_and_the_one_before_is_served(wrong: str) -> None:
    world = World(certificate())
    world.pem = wrong

    assert [world.look() for _ in range(4)] == [[], ["certificate.not_usable"], [], []]
    assert world.loaded == []


def test_what_is_wrong_again_is_told_again() -> None:
    good = certificate()
    world = World(good)
    for _ in range(2):
        world.failure = "the file cannot be read"
        assert [world.look(), world.look()] == [[], ["certificate.not_usable"]]
        world.failure = ""
        assert world.look() == []
    assert world.loaded == []


def test_comments_in_any_encoding_and_a_key_in_a_file_of_its_own_are_fine(tmp_path: Path) -> None:
    pem = certificate()
    cut = pem.index("-----BEGIN CERTIFICATE")
    (tmp_path / "cert.pem").write_bytes("# Zürich\n".encode("latin-1") + pem[cut:].encode())
    (tmp_path / "key.pem").write_text(pem[:cut])

    tls = server_tls(tmp_path / "cert.pem", tmp_path / "key.pem")

    assert tls.files == CertificateFiles(cert_file=tmp_path / "cert.pem", key_file=tmp_path / "key.pem")
    assert tls.context.minimum_version == ssl.TLSVersion.TLSv1_2
    with pytest.raises(ConfigurationError, match="no PEM certificate with its key in the same file"):
        server_tls(tmp_path / "cert.pem", None)
