"""
A receiver that counts the events in what it is sent, whatever company they come in.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Set as AbstractSet
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class CountingReceiver:
    """
    One HTTP server in this process; threads of the test may look at it while it runs.

    Attributes:
        poison: `EventId`s that a body must not hold: 400 is the answer.
        is_away: whether everything is answered 503.
    """

    def __init__(self, *, poison: AbstractSet[str] = frozenset(), delay_s: float = 0.0) -> None:
        self.poison = poison
        self.is_away = False
        self._delay_s = delay_s
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._taken: Counter[str] = Counter()
        self._sizes: list[int] = []
        self._times: list[float] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def taken(self) -> Counter[str]:
        """
        How often each event was in a body that was answered 2xx.
        """
        with self._lock:
            return Counter(self._taken)

    def sizes(self) -> list[int]:
        """
        How many events each request held, in the order they came, refused ones too.
        """
        with self._lock:
            return list(self._sizes)

    def times(self) -> list[float]:
        """
        When each request came, by the monotonic clock.
        """
        with self._lock:
            return list(self._times)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):  # a killed worker's
                    super().handle()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver._take([record["EventId"] for record in json.loads(body)["Events"]])
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        return Handler

    def _take(self, ids: list[str]) -> HTTPStatus:
        if self._delay_s:
            self._closing.wait(self._delay_s)
        with self._lock:
            self._sizes.append(len(ids))
            self._times.append(time.monotonic())
            if self.is_away:
                return HTTPStatus.SERVICE_UNAVAILABLE
            if self.poison & set(ids):
                return HTTPStatus.BAD_REQUEST
            self._taken.update(ids)
        return HTTPStatus.NO_CONTENT
