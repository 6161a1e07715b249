"""
A server under TLS that can ask for a client certificate, speak an old version, and change its mind.
"""

import re
import socket
import ssl
import warnings
from pathlib import Path

from tests.support.threaded_server import ThreadedServer, read_exactly, read_head

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"\r\nwebhook-id: *([^\r]*)", re.IGNORECASE)


class TlsServer(ThreadedServer):
    """
    Answers 200 to every request and keeps connections.

    Attributes:
        requests: the webhook-id of each, in order of arrival.
        shown: subject of the client's certificate of each handshake that succeeded; empty without one.
        handshake_count: of those that succeeded.
    """

    def __init__(
        self,
        chain_file: Path,
        *,
        client_ca: Path | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        closes: bool = False,
    ) -> None:
        """
        Args:
            client_ca: what the certificates of clients are verified with, who then need one.
            newest: version that it speaks; older ones than 1.2 it speaks alone.
            closes: answers with `Connection: close`, and closes.
        """
        super().__init__()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain_file)
        self._closes = closes
        if newest < ssl.TLSVersion.TLSv1_2:
            # What OpenSSL would refuse to do by itself.
            self._context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self._context.minimum_version = newest
                self._context.maximum_version = newest
        else:
            self._context.maximum_version = newest
        if client_ca is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(client_ca)
        self.requests: list[str] = []
        self.shown: list[str] = []
        self.handshake_count = 0

    def present(self, chain_file: Path) -> None:
        """
        Show another certificate from the next handshake on.
        """
        self._context.load_cert_chain(chain_file)

    def url(self, path: str = "/hook", *, host: str = "127.0.0.1") -> str:
        """
        Give the URL of a path.
        """
        return f"https://{host}:{self.port}{path}"

    def serve(self, connection: socket.socket) -> None:
        """
        Serve requests until the client goes.
        """
        with self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secure:
            self.adopt(secure)
            try:
                secure.do_handshake()
            except ssl.SSLError:
                _let_go(secure)
                return
            self.handshake_count += 1
            certificate = secure.getpeercert() or {}
            self.shown.append(str(certificate.get("subjectAltName", "")))
            while head := read_head(secure):
                length = _LENGTH.search(head)
                read_exactly(secure, int(length[1]) if length else 0)
                id_ = _ID.search(head)
                self.requests.append(id_[1].decode() if id_ else "")
                close = b"Connection: close\r\n" if self._closes else b""
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + close + b"\r\n")
                if self._closes:
                    return


def _let_go(secure: ssl.SSLSocket) -> None:
    """
    Wait until the client has read why: closing with bytes of its unread would take that from it.
    """
    socket.socket.shutdown(secure, socket.SHUT_WR)
    while socket.socket.recv(secure, 65_536):
        pass
