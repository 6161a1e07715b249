"""
Receives events of odim-relay: verifies who sent them, takes each of them once, answers at once, works afterwards.

    python3 receiver.py --new-secret receiver.secret
    python3 receiver.py --secret-file receiver.secret --certificate server.pem --port 9443

Python 3.11 or newer, and nothing else. README.md beside it says what to change, and why it is as it is.
"""

import argparse
import hmac
import json
import os
import secrets
import signal
import sqlite3
import ssl
import sys
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

TOLERANCE_S = 300
MOST_BYTES = 2 * 1024 * 1024  # the relay sends at most half of it
MOST_DIGITS = 12
REMEMBERED_S = 31 * 86_400  # a relay keeps an event for 30 days at most

SCHEMA = """
CREATE TABLE IF NOT EXISTS arrived (
    number INTEGER PRIMARY KEY,         -- in the order of arrival
    webhook_id TEXT NOT NULL UNIQUE,    -- by which a second time is known
    arrived_at REAL NOT NULL,
    body BLOB,                          -- until it is handled
    trouble TEXT                        -- why it could not be
);
CREATE INDEX IF NOT EXISTS unhandled ON arrived (number) WHERE body IS NOT NULL AND trouble IS NULL;
CREATE TABLE IF NOT EXISTS alerts (webhook_id TEXT, severity TEXT, message_id TEXT, origin TEXT, message TEXT);
"""


class Alert(NamedTuple):
    """
    What this receiver makes of an EventRecord.
    """

    webhook_id: str
    severity: str
    message_id: str
    origin: str
    message: str


def alerts_of(webhook_id: str, body: bytes) -> list[Alert]:
    """
    Your own work begins here. It may take its time: the relay was answered long ago.

    It is done again when the receiver was killed before the end. What it does to this database counts once all the
    same; what it does elsewhere must bear a second time: send `webhook_id` along, and let the other side look for it.
    """
    records = json.loads(body).get("Events", [])
    return [
        Alert(
            webhook_id,
            record.get("MessageSeverity") or record.get("Severity", ""),
            record.get("MessageId", ""),
            (record.get("OriginOfCondition") or {}).get("@odata.id", ""),
            record.get("Message", ""),
        )
        for record in records
    ]


def number_in(header: str) -> int | None:
    """
    The whole number that a header holds; None when that is something else, or absurd.
    """
    return int(header) if header.isdecimal() and len(header) <= MOST_DIGITS else None


def is_signed(keys: Sequence[bytes], webhook_id: str, timestamp: str, signatures: str, body: bytes) -> bool:
    """
    Whether somebody signed this, who has one of the keys, within the last minutes.
    """
    signed_at = number_in(timestamp)
    if signed_at is None or abs(time.time() - signed_at) > TOLERANCE_S:
        return False
    content = b"%b.%b.%b" % (webhook_id.encode(), timestamp.encode(), body)
    expected = [f"v1,{b64encode(hmac.digest(key, content, 'sha256')).decode()}" for key in keys]
    # While a secret is changed there are two signatures, and here may be two keys. Compared as bytes: a header may
    # hold anything.
    return any(
        hmac.compare_digest(given.encode(), wanted.encode()) for given in signatures.split() for wanted in expected
    )


class Inbox:
    """
    What has arrived, on the disk. Threads share it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._taking = self._open()
        self._taking.executescript(SCHEMA)

    def take(self, webhook_id: str, body: bytes) -> bool:
        """
        Keep a request, and tell whether it is new. When this returns, a power cut does not matter any more.
        """
        with self._lock, self._taking:
            done = self._taking.execute(
                "INSERT INTO arrived (webhook_id, arrived_at, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (webhook_id, time.time(), body),
            )
        self._news.set()
        return done.rowcount == 1

    def handle_all(self) -> None:
        """
        Handle what there is, oldest first, and what comes, for ever.
        """
        working = self._open()
        while True:
            self._news.clear()
            while row := working.execute(
                "SELECT number, webhook_id, body FROM arrived WHERE body IS NOT NULL AND trouble IS NULL"
                " ORDER BY number LIMIT 1"
            ).fetchone():
                self._handle(working, *row)
            with working:
                too_old = time.time() - REMEMBERED_S
                working.execute("DELETE FROM arrived WHERE arrived_at < ? AND body IS NULL", (too_old,))
            self._news.wait(3600)

    def _handle(self, working: sqlite3.Connection, number: int, webhook_id: str, body: bytes) -> None:
        try:
            found = alerts_of(webhook_id, body)
        except Exception as exc:  # noqa: BLE001 - one that cannot be handled does not hold up what is behind it
            with working:
                working.execute("UPDATE arrived SET trouble = ? WHERE number = ?", (repr(exc), number))
            print(f"cannot handle {webhook_id}: {exc!r}", file=sys.stderr, flush=True)
            return
        # What was made of it, and that it is done: both, or neither.
        with working:
            working.executemany("INSERT INTO alerts VALUES (?, ?, ?, ?, ?)", found)
            working.execute("UPDATE arrived SET body = NULL WHERE number = ?", (number,))
        for alert in found:
            print(*alert[1:], sep="  ", flush=True)

    def tell(self) -> None:
        """
        Print the alerts, each with the id of the request that it came with.
        """
        for row in self._taking.execute("SELECT * FROM alerts ORDER BY rowid"):
            print(*row, sep="\t")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection


class Handler(BaseHTTPRequestHandler):
    """
    Answers the relay. What is not 2xx comes again, but for the 4xx that say it never shall: 400, 411, 413.
    """

    protocol_version = "HTTP/1.1"  # connections are kept
    timeout = 60
    inbox: Inbox
    keys: Sequence[bytes]

    def do_POST(self) -> None:
        """
        Take an event.
        """
        body, refusal = self.read_body()
        self.answer(refusal or self.take(body))

    def read_body(self) -> tuple[bytes, int]:
        """
        The body, or with which status it is refused.
        """
        length = number_in(self.headers.get("Content-Length", ""))
        if length is None:
            return b"", 411
        if length > MOST_BYTES:
            return b"", 413
        body = self.rfile.read(length)
        return body, 0 if len(body) == length else 400  # that is to nobody: it was cut off

    def take(self, body: bytes) -> int:
        """
        Keep the request if it is what it says; what is to be answered.
        """
        webhook_id, timestamp, signatures = (
            self.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
        )
        if self.keys and not is_signed(self.keys, webhook_id, timestamp, signatures, body):
            return 401  # it comes again: nothing is lost when it is we who have the wrong secret
        if not webhook_id:
            return 400
        try:
            return 201 if self.inbox.take(webhook_id, body) else 200
        except sqlite3.Error as exc:
            print(f"cannot keep {webhook_id}: {exc}", file=sys.stderr, flush=True)
            return 503

    def answer(self, status: int) -> None:
        """
        Answer without a body; after a refusal nobody knows what else stands on the connection.
        """
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if status >= 400:  # noqa: PLR2004 - errors
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """
        What was handled is told; the requests are not.
        """


class Server(ThreadingHTTPServer):
    """
    One thread for each connection, of which the relay keeps a few.
    """

    daemon_threads = True
    request_queue_size = 128


def tls(certificate: Path, client_ca: Path | None) -> ssl.SSLContext:
    """
    TLS 1.2 or newer; with `client_ca` only for those who show a certificate of it.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def write_new_secret(path: Path) -> None:
    """
    Make a secret that nobody else can read; one that is there stays.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"whsec_{b64encode(secrets.token_bytes(32)).decode()}\n")


def keys_in(path: Path) -> list[bytes]:
    """
    The secrets of a file, one a line: two while one takes the place of the other.
    """
    keys = [b64decode(line.removeprefix("whsec_"), validate=True) for line in path.read_text().split()]
    if not keys:
        sys.exit(f"{path} holds no secret")
    return keys


def main() -> None:
    """
    Receive, until SIGTERM or Ctrl-C. It may be killed at any time: what was answered is kept, what was not comes again.
    """
    parser = argparse.ArgumentParser(description="Receives events of odim-relay.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9443)
    parser.add_argument("--database", type=Path, default=Path("receiver.db"))
    parser.add_argument("--certificate", type=Path, help="PEM: key and chain; without it, plain HTTP")
    parser.add_argument("--client-ca", type=Path, help="PEM: who the relay's own certificate must be of")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--secret-file", type=Path, help="whsec_ secrets, one a line")
    what.add_argument("--unsigned", action="store_true", help="believe everybody")
    what.add_argument("--new-secret", type=Path, metavar="FILE", help="write a new secret to this file, and end")
    what.add_argument("--list", action="store_true", help="print what was handled, and end")
    given = parser.parse_args()
    if given.new_secret:
        write_new_secret(given.new_secret)
        return
    inbox = Inbox(given.database)
    if given.list:
        inbox.tell()
        return
    Handler.inbox, Handler.keys = inbox, [] if given.unsigned else keys_in(given.secret_file)
    with Server((given.host, given.port), Handler) as server:
        if given.certificate:
            # The handshake is left to the connection's own thread: one that dawdles holds up nobody else.
            server.socket = tls(given.certificate, given.client_ca).wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"listening at http{'s' if given.certificate else ''}://{given.host}:{server.server_port}", flush=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            inbox.handle_all()
        server.shutdown()


if __name__ == "__main__":
    main()
