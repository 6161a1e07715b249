"""
A subscriber that can be made to fail and to go away, and that counts what it got. In this process.
"""

import json
import socket
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from odim_relay.dev.ports import free_port

_ACCEPTED, _REFUSED = 204, 503


class Tally:
    """
    What was accepted and what was not. Threads share it.

    Attributes:
        arrivals: when each event was accepted, by the monotonic clock, and its `EventId`.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.arrivals: list[tuple[float, str]] = []
        self.refused_count = 0

    def accept(self, body: bytes) -> None:
        """
        Count an event.
        """
        event_id = _event_id(body)
        with self._lock:
            self.arrivals.append((time.monotonic(), event_id))

    def refuse(self) -> None:
        """
        Count a request that was answered with an error.
        """
        with self._lock:
            self.refused_count += 1


def _event_id(body: bytes) -> str:
    with suppress(ValueError, KeyError, TypeError, IndexError):
        return str(json.loads(body)["Events"][0]["EventId"])
    return ""


class FickleSubscriber:
    """
    One server on one port of 127.0.0.1, off at first.
    """

    def __init__(self) -> None:
        self._port = free_port()
        self.destination = f"http://127.0.0.1:{self._port}/events"
        self.tally = Tally()
        self.is_failing = False
        self._server: _Server | None = None

    def switch_on(self) -> None:
        """
        Accept connections.
        """
        self._server = _Server(self._port, self)
        Thread(target=self._server.serve_forever, args=(0.05,), name="subscriber", daemon=True).start()

    def switch_off(self) -> None:
        """
        Refuse connections, and break those that stand. Idempotent.
        """
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, subscriber: FickleSubscriber) -> None:
        self.subscriber = subscriber
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """
        A connection that broke is no news: it was broken on purpose.
        """

    def server_close(self) -> None:
        super().server_close()
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        subscriber = self.server.subscriber
        if subscriber.is_failing:
            subscriber.tally.refuse()
            self.send_response(_REFUSED)
            self.send_header("Content-Length", "0")
        else:
            subscriber.tally.accept(body)
            self.send_response(_ACCEPTED)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """
        What happens is told by who runs it.
        """
