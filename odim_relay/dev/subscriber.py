"""
A sample subscriber: takes every event, and tells what it got last.

    python -m odim_relay.dev.subscriber --port PORT

`POST` anywhere is an event, answered 204; `GET /events?after=N` is JSON: the events that came after the N-th.
"""

import argparse
import json
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

_KEPT = 200


class Inbox:
    """
    The last events, numbered from 1. Threads share it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._last: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def add(self, body: bytes, headers: dict[str, str], at_s: float) -> None:
        """
        Keep what a person would look at.
        """
        try:
            records = json.loads(body)["Events"]
        except (ValueError, KeyError, TypeError):
            records = []
        first = records[0] if records else {}
        origin = first.get("OriginOfCondition") or {}
        with self._lock:
            self._count += 1
            self._last.append(
                {
                    "number": self._count,
                    "at_s": at_s,
                    "message_id": first.get("MessageId", ""),
                    "severity": first.get("MessageSeverity") or first.get("Severity", ""),
                    "message": first.get("Message", ""),
                    "origin": origin.get("@odata.id", "") if isinstance(origin, dict) else str(origin),
                    "delivery_id": headers.get("webhook-id", ""),
                    "attempt": headers.get("x-odim-relay-attempt", ""),
                }
            )

    def after(self, number: int) -> dict[str, Any]:
        """
        How many came in all, and those after `number` that are still kept.
        """
        with self._lock:
            return {"count": self._count, "events": [event for event in self._last if event["number"] > number]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    inbox: ClassVar[Inbox] = Inbox()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.inbox.add(body, headers, time.time())
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != "/events":
            self.send_error(404)
            return
        after = parse_qs(parts.query).get("after", ["0"])[0]
        body = json.dumps(self.inbox.after(int(after) if after.isdecimal() else 0)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """
        The last events are told at /events; nothing else is worth a line.
        """


def serve(port: int) -> None:
    """
    Serve on this port of 127.0.0.1 until killed.
    """
    with ThreadingHTTPServer(("127.0.0.1", port), _Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A sample subscriber on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True)
    serve(parser.parse_args().port)
