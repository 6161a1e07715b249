"""
A small real proxy: HTTP (requests as they are, and CONNECT), with or without TLS, and SOCKS5.
"""

import re
import select
import socket
import ssl
import threading
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.threaded_server import ThreadedServer, read_exactly, read_head

_CHUNK = 65_536
_ABSOLUTE = re.compile(rb"^([A-Z]+) http://[^/ ]*")
_FOR_US = re.compile(rb"\r\nProxy-[A-Za-z]+: [^\r]*")


@dataclass(kw_only=True)
class Manner:
    """
    How the proxy is; may be changed while it runs.

    Attributes:
        credentials: user and password that it asks for.
        refuses: status that it answers to every CONNECT, or reply code of SOCKS.
        raw: sent instead of any answer, before it closes.
        drips: answers byte by byte, for ever.
        hangs: never answers.
        names: what it knows that no resolver does.
    """

    credentials: tuple[str, str] | None = None
    refuses: int | None = None
    raw: bytes | None = None
    drips: bool = False
    hangs: bool = False
    names: dict[str, str] = field(default_factory=dict)


class ProxyServer(ThreadedServer):
    """
    One proxy. SOCKS or HTTP, as the client speaks.

    Attributes:
        asked: what was asked for: kind, host, port.
        heads: the heads of HTTP requests, as they came.
    """

    def __init__(self, *, manner: Manner | None = None, chain_file: Path | None = None) -> None:
        """
        Args:
            chain_file: certificate and key of a proxy under TLS.
        """
        super().__init__()
        self.manner = manner or Manner()
        self._tls: ssl.SSLContext | None = None
        if chain_file is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(chain_file)
        self.asked: list[tuple[str, str, int]] = []
        self.heads: list[bytes] = []
        self._over = threading.Event()

    def url(self, scheme: str = "http", *, credentials: str = "") -> str:
        """
        Give the URL that the proxy is spoken to by.
        """
        return f"{scheme}://{credentials}{'@' if credentials else ''}127.0.0.1:{self.port}"

    def drop_connections(self) -> None:
        """
        Also of those that hang.
        """
        self._over.set()
        super().drop_connections()

    def serve(self, connection: socket.socket) -> None:
        """
        Do what the client asks for.
        """
        client = connection
        if self._tls is not None:
            client = self._tls.wrap_socket(connection, server_side=True)
            self.adopt(client)
        with client:
            first = client.recv(1)
            if first == b"\x05":
                self._serve_socks(client)
            elif first:
                self._serve_http(client, first + read_head(client))

    def _misbehaves(self, client: socket.socket, beginning: bytes) -> bool:
        manner = self.manner
        if manner.raw is not None:
            client.sendall(manner.raw)
            return True
        if manner.hangs:
            self._over.wait(20)
            return True
        if manner.drips:
            with suppress(OSError):
                client.sendall(beginning)
                while not self._over.wait(0.05):
                    client.sendall(b"x")
            return True
        return False

    def _serve_http(self, client: socket.socket, head: bytes) -> None:
        self.heads.append(head)
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        if self._misbehaves(client, b"HTTP/1.1 200 Connection established\r\nX-Filler: "):
            return
        if self.manner.credentials is not None:
            given = "Basic " + b64encode(":".join(self.manner.credentials).encode()).decode()
            if f"Proxy-Authorization: {given}\r\n".encode() not in head:
                client.sendall(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
                return
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            self._connect(client, "CONNECT", host.strip("[]"), int(port))
            return
        parts = urlsplit(target)
        self.asked.append((method, parts.hostname or "", parts.port or 80))
        with socket.create_connection((self._address(parts.hostname or ""), parts.port or 80)) as there:
            there.sendall(_forwarded(head))
            self._relay(client, there)

    def _connect(self, client: socket.socket, kind: str, host: str, port: int) -> None:
        self.asked.append((kind, host, port))
        is_http = kind == "CONNECT"
        refusal = self.manner.refuses
        if refusal is not None:
            client.sendall(f"HTTP/1.1 {refusal} No\r\n\r\n".encode() if is_http else _socks_reply(refusal))
            return
        try:
            there = socket.create_connection((self._address(host), port), timeout=5)
        except OSError:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n" if is_http else _socks_reply(5))
            return
        with there:
            client.sendall(b"HTTP/1.1 200 Connection established\r\nVia: us\r\n\r\n" if is_http else _socks_reply(0))
            self._relay(client, there)

    def _serve_socks(self, client: socket.socket) -> None:
        methods = read_exactly(client, read_exactly(client, 1)[0])
        # No credentials; granted, to an address that is a name of 255 bytes.
        if self._misbehaves(client, b"\x05\x00\x05\x00\x00\x03\xff"):
            return
        if self.manner.credentials is None:
            client.sendall(b"\x05\x00")
        elif 2 not in methods:
            client.sendall(b"\x05\xff")
            return
        else:
            client.sendall(b"\x05\x02")
            read_exactly(client, 1)
            given = tuple(read_exactly(client, read_exactly(client, 1)[0]).decode() for _ in range(2))
            client.sendall(b"\x01\x00" if given == self.manner.credentials else b"\x01\x01")
            if given != self.manner.credentials:
                return
        kind = read_exactly(client, 4)[3]
        if kind == 3:
            host = read_exactly(client, read_exactly(client, 1)[0]).decode()
        else:
            family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, read_exactly(client, length))
        port = int.from_bytes(read_exactly(client, 2), "big")
        self._connect(client, "SOCKS name" if kind == 3 else "SOCKS address", host, port)

    def _address(self, host: str) -> str:
        return self.manner.names.get(host, host)

    def _relay(self, client: socket.socket, there: socket.socket) -> None:
        while True:
            pending = isinstance(client, ssl.SSLSocket) and client.pending() > 0
            ready = [client] if pending else select.select([client, there], [], [], 20)[0]
            if not ready:
                return
            for one, other in ((client, there), (there, client)):
                if one in ready:
                    data = one.recv(_CHUNK)
                    if not data:
                        return
                    # Our client sends each request in one piece.
                    other.sendall(_forwarded(data) if one is client else data)


def _forwarded(data: bytes) -> bytes:
    """
    What begins with a request for a proxy, as a destination is to get it; all else as it is.
    """
    if not _ABSOLUTE.match(data):
        return data
    return _FOR_US.sub(b"", _ABSOLUTE.sub(rb"\1 ", data), count=1)


def _socks_reply(code: int) -> bytes:
    return bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
