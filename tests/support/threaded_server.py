"""
A listening socket, with a thread for each connection: what the servers of tests that are not the receiver are made of.
"""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_LONGEST_S = 20.0


class ThreadedServer:
    """
    Serves connections by `serve`, which subclasses write. Ends with its `with`, and every connection too.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted_count = 0
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def serve(self, connection: socket.socket) -> None:
        """
        Serve one connection; it is closed afterwards. An OSError of it is the client's affair.
        """
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.drop_connections()
        for thread in self._threads:
            thread.join()

    def drop_connections(self) -> None:
        """
        Close what is open now.
        """
        for connection in tuple(self._open):
            # Of those under TLS too only this: the state of TLS is the thread's that serves them.
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def adopt(self, connection: socket.socket) -> None:
        """
        Close this one too when all are: what a connection under TLS becomes.
        """
        self._open.add(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # shut down
                return
            self.accepted_count += 1
            connection.settimeout(_LONGEST_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.add(connection)
            thread = threading.Thread(target=self._run, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _run(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                self.serve(connection)
        finally:
            self._open.discard(connection)


def read_head(connection: socket.socket) -> bytes:
    """
    Read up to the blank line, and not a byte more; empty when the connection was closed.
    """
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        more = connection.recv(1)
        if not more:
            return b""
        received += more
    return received


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """
    Read as many bytes.
    """
    received = b""
    while len(received) < count:
        more = connection.recv(count - len(received))
        if not more:
            raise ConnectionError("closed early")
        received += more
    return received
