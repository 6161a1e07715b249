"""
Certificates of the API that are renewed while it runs (the operator's files; its own needs nothing).
"""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.support.api_process import ApiProcess
from tests.support.redfish_client import open_client
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

SERVED_WITHIN_S = 5.0


class Files:
    """
    A certificate and its key, as a mounted secret has them: both change at once, with the link to their folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.ca_file = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(self.ca_file)
        self.cert, self.key = folder / "current" / "tls.crt", folder / "current" / "tls.key"
        self._versions = 0
        self.renew()

    def renew(self) -> str:
        """
        Put another in place; returns its serial number, as Python's `getpeercert` tells it.
        """
        made = self.authority.issue_cert("localhost", "127.0.0.1")
        self._versions += 1
        version = self.folder / f"version-{self._versions}"
        version.mkdir()
        made.private_key_pem.write_to_path(version / "tls.key")
        with (version / "tls.crt").open("wb") as file:
            for pem in made.cert_chain_pems:
                file.write(pem.bytes())
        link = self.folder / "next"
        link.symlink_to(version)
        link.rename(self.folder / "current")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(version / "tls.crt", version / "tls.key")
        return _serial(version / "tls.crt")


def _serial(path: Path) -> str:
    told = ssl._ssl._test_decode_cert(str(path))  # type: ignore[attr-defined]  # there is no other reader in Python
    return str(told["serialNumber"])


@pytest.fixture
def files(tmp_path: Path) -> Files:
    folder = tmp_path / "tls"
    folder.mkdir()
    return Files(folder)


@pytest.fixture
def api(tmp_path: Path, files: Files, empty_redis: RedisServer) -> Iterator[ApiProcess]:
    settings = {"API__TLS_CERT_FILE": files.cert, "API__TLS_KEY_FILE": files.key}
    with ApiProcess(tmp_path, redis=empty_redis, settings=settings) as process:
        yield process


def served(api: ApiProcess, files: Files) -> str:
    """
    The serial number of the certificate that a new connection gets; it must verify.
    """
    context = ssl.create_default_context(cafile=str(files.ca_file))
    with (
        socket.create_connection(("127.0.0.1", api.port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        found = wrapped.getpeercert()
        assert found
        return str(found["serialNumber"])


def test_a_renewed_certificate_is_served_within_seconds_and_open_connections_stay(
    api: ApiProcess, files: Files
) -> None:
    with open_client(api.url, files.ca_file) as client:
        before = served(api, files)
        assert client.get("/redfish").status_code == 200

        renewed = files.renew()

        wait_until(lambda: served(api, files) == renewed, timeout_s=SERVED_WITHIN_S, what="the new certificate")
        assert renewed != before
        assert client.get("/redfish").status_code == 200
    wait_until(lambda: api.lines("certificate.changed"), timeout_s=SERVED_WITHIN_S, what="a word of it")
    assert len(api.lines("certificate.changed")) == 1


def test_no_handshake_fails_while_certificates_change(api: ApiProcess, files: Files) -> None:
    ended = threading.Event()
    seen: set[str] = set()
    failures: list[Exception] = []

    def connect() -> None:
        while not ended.is_set():
            try:
                seen.add(served(api, files))
            except (OSError, AssertionError) as exc:
                failures.append(exc)

    threads = [threading.Thread(target=connect) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            renewed = files.renew()
            wait_until(lambda: renewed in seen, timeout_s=2 * SERVED_WITHIN_S, what="the new certificate")  # noqa: B023
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(seen) == 5


def test_a_key_of_another_certificate_is_told_once_and_nobody_notices(api: ApiProcess, files: Files) -> None:
    before = served(api, files)
    other = files.authority.issue_cert("localhost", "127.0.0.1")
    good = files.key.read_bytes()
    _replace(files.key, other.private_key_pem.bytes())

    wait_until(lambda: api.lines("certificate.not_usable"), timeout_s=SERVED_WITHIN_S, what="the complaint")

    assert served(api, files) == before
    (told,) = api.lines("certificate.not_usable")
    assert told["level"] == "error"
    assert told["remedy"]
    _replace(files.key, good)
    renewed = files.renew()
    wait_until(lambda: served(api, files) == renewed, timeout_s=SERVED_WITHIN_S, what="the new certificate")
    assert len(api.lines("certificate.not_usable")) == 1


def test_files_that_are_gone_are_told_and_the_certificate_is_served_on(api: ApiProcess, files: Files) -> None:
    before = served(api, files)
    with contextlib.ExitStack() as stack:
        gone = files.cert.with_suffix(".gone")
        files.cert.rename(gone)
        stack.callback(os.rename, gone, files.cert)

        wait_until(lambda: api.lines("certificate.not_usable"), timeout_s=SERVED_WITHIN_S, what="the complaint")

        assert "API__TLS_CERT_FILE" in api.lines("certificate.not_usable")[0]["detail"]
        assert served(api, files) == before


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.rename(path)
