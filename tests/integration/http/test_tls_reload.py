"""
Files of certificates that change are picked up, and no request is lost by it.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from odim_relay.adapters.http import identity as identity_module
from odim_relay.adapters.http.adapter import DeadlineAdapter
from odim_relay.adapters.http.attempt import Watchdog
from odim_relay.adapters.http.identity import Identity
from odim_relay.adapters.http.resolver import Resolver
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.adapters.http.tls_files import TlsFile, TlsFileError
from odim_relay.domain.egress import ANYWHERE
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.domain.tls import TlsTerms
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post
from tests.support.certificates import Certificate, Certificates
from tests.support.tls_server import TlsServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

TERMS = TlsTerms(ca_file="ca.pem", client_certificate_file="client.pem")
PICKED_UP_S = 5.0


class Folder:
    """
    What `DELIVERY__TLS_DIR` names, changed as a mounted secret is: each file is another one at once.
    """

    def __init__(self, path: Path, certificates: Certificates) -> None:
        self.path = path
        self._certificates = certificates
        self.put("ca.pem", certificates.ca_file.read_bytes())
        self.show(Certificate.CLIENT)

    def put(self, name: str, content: bytes) -> None:
        new = self.path / f"{name}.new"
        new.write_bytes(content)
        new.replace(self.path / name)

    def show(self, kind: Certificate) -> None:
        self.put("client.pem", self._certificates.chain_files[kind].read_bytes())

    def trust(self, ca_file: Path) -> None:
        self.put("ca.pem", ca_file.read_bytes())


@pytest.fixture
def folder(tmp_path: Path, certificates: Certificates) -> Folder:
    return Folder(tmp_path, certificates)


@pytest.fixture
def server(certificates: Certificates) -> Iterator[TlsServer]:
    with TlsServer(certificates.chain_files[Certificate.GOOD], client_ca=certificates.ca_file) as server:
        yield server


@pytest.fixture
def sender(make_sender: MakeSender, folder: Folder) -> RequestsSender:
    return make_sender(tls_folder=folder.path)


def until(sender: RequestsSender, server: TlsServer, is_so: Callable[[Outcome], bool], what: str) -> Outcome:
    """
    Post until it is so, at most as long as a change may take to be picked up.
    """
    found: list[Outcome] = []

    def ask() -> bool:
        found.append(post(sender, server.url(), tls=TERMS))
        return is_so(found[-1])

    wait_until(ask, timeout_s=PICKED_UP_S, what=what)
    return found[-1]


def test_another_ca_is_picked_up_and_kept_connections_with_it(
    sender: RequestsSender, server: TlsServer, folder: Folder, certificates: Certificates
) -> None:
    assert post(sender, server.url(), tls=TERMS).status == 200

    folder.trust(certificates.other_ca_file)
    # The connection that is kept would still do.
    refused = until(sender, server, lambda outcome: outcome.failure is Failure.TLS, "the other CA to be picked up")
    assert "the certificate is not accepted" in refused.detail
    seen = len(server.requests)
    assert post(sender, server.url(), tls=TERMS).failure is Failure.TLS
    assert len(server.requests) == seen

    folder.trust(certificates.ca_file)
    until(sender, server, lambda outcome: outcome.status == 200, "the CA to be back")


def test_another_client_certificate_is_picked_up(sender: RequestsSender, server: TlsServer, folder: Folder) -> None:
    assert post(sender, server.url(), tls=TERMS).status == 200

    # That of a server, which this authority signed too.
    folder.show(Certificate.GOOD)

    until(sender, server, lambda _: "localhost" in server.shown[-1], "the other certificate to be shown")
    assert "relay.example" in server.shown[0]
    assert server.handshake_count == 2


@pytest.mark.parametrize("content", [b"", b"no certificate", None], ids=["empty", "no certificate", "absent"])
def test_files_that_cannot_be_used_leave_what_was_read_and_are_told_once(
    make_sender: MakeSender,
    server: TlsServer,
    folder: Folder,
    content: bytes | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity_module, "_LOOK_EVERY_S", 0.0)
    sender = make_sender(tls_folder=folder.path)
    assert post(sender, server.url(), tls=TERMS).status == 200
    with capture_logs() as logs:
        if content is None:
            (folder.path / "ca.pem").unlink()
        else:
            folder.put("ca.pem", content)

        until(sender, server, lambda _: logs != [], "the broken file to be told")
        # Each look finds it as it is.
        assert {post(sender, server.url(), tls=TERMS).status for _ in range(10)} == {200}

    (told,) = logs
    assert (told["event"], told["goes_on_with_what_was_read"]) == ("tls.files_not_usable", True)
    assert "the file ca.pem" in told["detail"]
    assert server.handshake_count == 1


def test_files_that_come_late_are_told_once_and_picked_up(
    make_sender: MakeSender, server: TlsServer, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_module, "_LOOK_EVERY_S", 0.0)
    sender = make_sender(tls_folder=folder.path)
    content = (folder.path / "client.pem").read_bytes()
    (folder.path / "client.pem").unlink()
    with capture_logs() as logs:
        for _ in range(5):
            assert "client.pem cannot be read" in post(sender, server.url(), tls=TERMS).detail
    assert [one["event"] for one in logs] == ["tls.files_not_usable"]
    assert server.accepted_count == 0

    folder.put("client.pem", content)

    until(sender, server, lambda outcome: outcome.status == 200, "the file to be found")


def test_a_file_that_changes_between_its_certificate_and_its_key_is_read_again(
    sender: RequestsSender, server: TlsServer, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, reads = TlsFile.read, Counter[str]()

    def read_with_a_change(file: TlsFile) -> bytes:
        reads[file.name] += 1
        if (file.name, reads[file.name]) == ("client.pem", 2):
            folder.show(Certificate.GOOD)
        return read(file)

    monkeypatch.setattr(TlsFile, "read", read_with_a_change)

    assert post(sender, server.url(), tls=TERMS).status == 200
    assert ["localhost" in one for one in server.shown] == [True]
    assert reads["client.pem"] == 4


def test_the_usual_ca_is_picked_up_too(make_sender: MakeSender, certificates: Certificates, folder: Folder) -> None:
    sender = make_sender(ca_file=folder.path / "ca.pem")
    with TlsServer(certificates.chain_files[Certificate.GOOD]) as server:
        assert post(sender, server.url()).status == 200

        folder.trust(certificates.other_ca_file)

        wait_until(
            lambda: post(sender, server.url()).failure is Failure.TLS, timeout_s=PICKED_UP_S, what="the other CA"
        )


def test_no_request_is_lost_or_doubled_while_files_change(
    make_sender: MakeSender, server: TlsServer, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_module, "_LOOK_EVERY_S", 0.01)
    sender = make_sender(tls_folder=folder.path, concurrency=4)
    outcomes: dict[str, Outcome] = {}
    is_over = threading.Event()

    def send(name: str) -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            id_ = f"{name}-{number}"
            outcomes[id_] = post(sender, server.url(), webhook_id=id_, tls=TERMS)

    threads = [threading.Thread(target=send, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for kind in (Certificate.GOOD, Certificate.CLIENT) * 5:
            before = len(server.shown)
            folder.show(kind)
            name = "relay.example" if kind is Certificate.CLIENT else "localhost"
            wait_until(
                lambda before=before, name=name: any(name in one for one in server.shown[before:]),  # type: ignore[misc]
                timeout_s=20,
                what="the certificate to be shown",
            )
    finally:
        is_over.set()
        for thread in threads:
            thread.join()

    assert {outcome.status for outcome in outcomes.values()} == {200}
    assert sorted(server.requests) == sorted(outcomes)


def test_a_certificate_that_expires_while_it_is_used_is_not_used_any_more(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_module, "_LOOK_EVERY_S", 0.0)
    now_s = [1.9e9]  # 2030, when trustme's certificates are good
    watchdog = Watchdog(housekeeping=lambda: None)
    used = Identity(
        TERMS,
        folder=folder.path,
        usual_ca=None,
        is_verified=True,
        new_adapter=lambda tls, fingerprint: DeadlineAdapter(
            tls=tls, fingerprint=fingerprint, concurrency=1, resolver=Resolver(ANYWHERE), watchdog=watchdog
        ),
        clock=lambda: now_s[0],
    )
    assert used.adapter() is used.adapter()

    now_s[0] = 4.2e10  # beyond 3000
    with capture_logs() as logs, pytest.raises(TlsFileError, match=r"client\.pem has expired|ca\.pem has expired"):
        used.adapter()
    with pytest.raises(TlsFileError, match="expired"):
        used.adapter()

    assert [one["event"] for one in logs] == ["tls.files_not_usable"]
