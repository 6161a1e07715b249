"""
An event listener as DMTF's is: one connection at a time, which it keeps until the client closes it, and no chunks.
"""

import re
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.threaded_server import read_exactly, read_head

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_ID = re.compile(rb"\r\nwebhook-id: *([^\r]*)", re.IGNORECASE)


class SerialListener:
    """
    Answers 204, or what it is told; 411 to who sends no length. One thread for everything.

    Attributes:
        requests: the webhook-id of each that it took.
        connection_count: how many it has served.
    """

    def __init__(self, *, chain_file: Path | None = None, answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._tls: ssl.SSLContext | None = None
        if chain_file is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(chain_file)
        self._answer = answer
        self._current: socket.socket | None = None
        self._thread = threading.Thread(target=self._run)
        self.requests: list[str] = []
        self.connection_count = 0
        port = self._listener.getsockname()[1]
        self.url = f"{'http' if chain_file is None else 'https'}://127.0.0.1:{port}/redfish-events"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        current = self._current
        if current is not None:
            with suppress(OSError):
                socket.socket.shutdown(current, socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # shut down
                return
            connection.settimeout(60)
            with suppress(OSError):
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self._current = connection
                self.connection_count += 1
                self._serve(connection)
            self._current = None
            connection.close()

    def _serve(self, connection: socket.socket) -> None:
        while head := read_head(connection):
            length = _LENGTH.search(head)
            if length is None or _CHUNKED.search(head):
                connection.sendall(b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n")
                return
            read_exactly(connection, int(length[1]))
            id_ = _ID.search(head)
            self.requests.append(id_[1].decode() if id_ else "")
            connection.sendall(self._answer)
