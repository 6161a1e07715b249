"""
The certificate that the API shows: at first, and when there is another.
"""

import asyncio
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Thread

from odim_relay import bootstrap
from odim_relay.errors import ConfigurationError, OdimRelayError
from odim_relay.telemetry import logger

log = logger(__name__)

LOOK_EVERY_S = 1.0
ASK_EVERY_S = 3_600.0


@dataclass(slots=True, kw_only=True)
class ShownCertificate:
    """
    What new connections get.

    Attributes:
        expires_at_s: seconds since the epoch; None without TLS.
    """

    expires_at_s: float | None = None


@cache
def shown_certificate() -> ShownCertificate:
    """
    That of this process.
    """
    return ShownCertificate()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """
    The files that the operator gave.

    Attributes:
        key_file: None when the key is in the same file.
    """

    cert_file: Path
    key_file: Path | None = None

    def read(self) -> str:
        """
        Read both, as PEM one after the other.

        Raises:
            ConfigurationError: one of them cannot be read.
        """
        parts = []
        for setting, path in (("CERT", self.cert_file), ("KEY", self.key_file)):
            try:
                if path is not None:
                    # Comments may be in any encoding; OpenSSL passes them over.
                    parts.append(path.read_bytes().decode("latin-1"))
            except OSError as exc:
                raise ConfigurationError(f"API__TLS_{setting}_FILE: {path} cannot be read: {exc.strerror}") from exc
        return "\n".join(parts)

    def load(self, context: ssl.SSLContext) -> str:
        """
        Let new connections have what the files hold now, and return it.

        Raises:
            ConfigurationError: that is no certificate with its key.
        """
        pem = self.read()
        try:
            load_certificate(context, pem)
        except (ssl.SSLError, ValueError) as exc:
            raise ConfigurationError(
                f"API__TLS_CERT_FILE, API__TLS_KEY_FILE: {self.cert_file} is no PEM certificate with its key in "
                f"{self.key_file or 'the same file'}, without a pass phrase: {exc}"
            ) from exc
        return pem


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """
    What the server's connections are made with.

    Attributes:
        files: None when the certificate is the one that is kept in Redis, which has to come yet.
        served: what the files held; empty without any.
    """

    context: ssl.SSLContext
    files: CertificateFiles | None = None
    served: str = ""


class CertificateWatch:
    """
    Looks for another certificate, and has new connections get it; open ones keep theirs. One that cannot be used is
    told of once, and the one before goes on being served.
    """

    def __init__(
        self, read: Callable[[], str], context: ssl.SSLContext, in_loop: Callable[..., object], *, served: str = ""
    ) -> None:
        """
        Args:
            read: gives the certificate and its key, PEM; may raise what is ours.
            context: what the server's connections are made with.
            in_loop: has a function called in the server's event loop, where no handshake is under way: one must not
                meet the new certificate with the old key.
            served: what is served by now; empty when that is not known.
        """
        self._read = read
        self._context = context
        self._in_loop = in_loop
        self._served = served
        self._complaint = ""
        self._is_told = False

    def begin(self, every_s: float) -> None:
        """
        Look every so often, in a thread of its own, until the process ends.
        """
        Thread(target=self._go_on, args=(every_s,), name="certificate", daemon=True).start()

    def look(self) -> None:
        """
        Look once.
        """
        try:
            pem = self._read()
            if pem != self._served:
                check_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pem)
                sha256 = bootstrap.fingerprint(pem)
        except (OdimRelayError, OSError, ValueError) as exc:  # an SSLError is an OSError
            self._complain(str(exc))
            return
        self._complaint, self._is_told = "", False
        if pem == self._served:
            return
        is_known, self._served = bool(self._served), pem
        self._in_loop(load_certificate, self._context, pem)
        if is_known:
            log.info("certificate.changed", sha256=sha256)

    def _complain(self, complaint: str) -> None:
        # Two files do not change at the same moment: what is wrong is told when it still is at the next look.
        if complaint != self._complaint:
            self._complaint, self._is_told = complaint, False
        elif not self._is_told:
            self._is_told = True
            log.error("certificate.not_usable", detail=complaint, remedy="mend it; the one before is served meanwhile")

    def _go_on(self, every_s: float) -> None:
        while not bootstrap.stopping.wait(every_s):
            self.look()


def server_tls(cert_file: Path | None, key_file: Path | None) -> ServerTls:
    """
    TLS 1.2 or newer, with the certificate that is given.

    Raises:
        ConfigurationError: the files cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert_file is None:
        if key_file is not None:
            raise ConfigurationError("API__TLS_KEY_FILE is set without API__TLS_CERT_FILE: set both, or neither")
        return ServerTls(context=context)
    files = CertificateFiles(cert_file=cert_file, key_file=key_file)
    return ServerTls(context=context, files=files, served=files.load(context))


def watch_certificate(tls: ServerTls) -> None:
    """
    Serve changed certificates from now on; called in the server's event loop.
    """
    in_loop = asyncio.get_running_loop().call_soon_threadsafe
    if tls.files is None:
        CertificateWatch(_own_certificate, tls.context, in_loop).begin(ASK_EVERY_S)
    else:
        CertificateWatch(tls.files.read, tls.context, in_loop, served=tls.served).begin(LOOK_EVERY_S)


def _own_certificate() -> str:
    """
    The one that is kept in Redis, which may be away; a new one when it runs out.
    """
    return bootstrap.service_identity().certificate()


def load_certificate(context: ssl.SSLContext, pem: str) -> None:
    """
    Let new connections have this certificate, with its key in the same text.

    Raises:
        ssl.SSLError, ValueError: it is none; what the context had is not to be relied on then.
    """
    check_certificate(context, pem)
    shown_certificate().expires_at_s = bootstrap.certificate_expires_at_s(pem)


def check_certificate(context: ssl.SSLContext, pem: str) -> None:
    """
    The same for a context that is shown to nobody.
    """
    # OpenSSL reads files only.
    with tempfile.TemporaryDirectory(prefix="odim-relay-") as folder:
        path = Path(folder) / "certificate.pem"
        path.touch(mode=0o600)
        path.write_text(pem, encoding="latin-1")
        # Without a password, rather than asking for one on the terminal.
        context.load_cert_chain(path, password="")
