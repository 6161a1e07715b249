"""
urllib3's connections, with one deadline over everything that they do.
"""

import hmac
import select
import socket
import ssl
from hashlib import sha256

import urllib3.connection
import urllib3.exceptions
from urllib3.util.ssltransport import SSLTransport

from odim_relay.adapters.http.attempt import Attempt, AttemptError, Stage
from odim_relay.adapters.http.failures import closed, connecting_failed, exchange_failed
from odim_relay.adapters.http.proxied import WayOut
from odim_relay.adapters.http.resolver import AddressInfo, ForbiddenAddressError, Resolver
from odim_relay.adapters.http.response import Head, NotHttpError, parse_head, response_end
from odim_relay.domain.outcome import Failure
from odim_relay.domain.proxy import ProxyKind

# Semantics S5; the head has a limit of its own.
MAX_BODY_BYTES = 16_384
_MAX_HEAD_BYTES = 16_384
_READ_BYTES = 8_192


class StaleConnectionError(Exception):
    """
    A connection that had been used before was closed before any byte of an answer.
    """


class Connection(urllib3.connection.HTTPConnection):
    """
    What both schemes share. Made by a pool, used by one thread at a time.

    Unless it is opened by `open` it is urllib3's own connection.

    Attributes:
        idle_since: when its last response ended; a `time.monotonic`.
        fingerprint: as of `TlsTerms`.
        way_out: the proxy that it goes through, if any.
        address: as of an `Outcome`.
    """

    idle_since: float = 0.0
    fingerprint: str = ""
    way_out: WayOut | None = None
    address: str = ""
    _opening: tuple[Attempt, Resolver] | None = None
    _stage_after_connect = Stage.SENDING
    _dns_host: str
    # Quoted: typeshed's class is a function when the program runs.
    _poll: "select.poll | None" = None

    def open(self, attempt: Attempt, resolver: Resolver) -> None:
        """
        Connect, through the TLS handshake where there is one.

        Raises:
            AttemptError: DNS, FORBIDDEN, PROXY, CONNECT, TLS or CONNECT_TIMEOUT.
            TransientError: this process has no socket left.
        """
        self._opening = (attempt, resolver)
        try:
            self.connect()
            self._check_fingerprint()
        except ForbiddenAddressError as exc:
            raise AttemptError(Failure.FORBIDDEN, f"not connected to: {exc}") from None
        except (OSError, UnicodeError, ssl.CertificateError, urllib3.exceptions.HTTPError) as exc:
            raise connecting_failed(exc, attempt, self.way_out) from exc
        finally:
            self._opening = None
        self._poll = select.poll()
        self._poll.register(self.sock, select.POLLIN)

    def _new_conn(self) -> socket.socket:
        if self._opening is None:
            return super()._new_conn()
        attempt, resolver = self._opening
        if self.way_out is not None:
            is_secure = self._stage_after_connect is Stage.HANDSHAKE
            host = self._dns_host.strip("[]")
            sock = self.way_out.connect(attempt, host, self.port, self._connect_to_any, is_secure=is_secure)
            attempt.stage = self._stage_after_connect
            sock.settimeout(attempt.remaining_s())
            return sock
        attempt.stage = Stage.RESOLVING
        addresses = resolver.resolve(self._dns_host, self.port, attempt.remaining_s())
        attempt.stage = Stage.CONNECTING
        sock = self._connect_to_any(addresses)
        attempt.stage = self._stage_after_connect
        # The TLS handshake as a whole keeps to this one; see CPython's `_ssl.c`.
        sock.settimeout(attempt.remaining_s())
        return sock

    def _connect_to_any(self, addresses: list[AddressInfo]) -> socket.socket:
        assert self._opening is not None  # noqa: S101 - it is being opened
        attempt, _ = self._opening
        failed: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
        for index, address in enumerate(addresses):
            try:
                # An address that does not answer leaves the others their share of the time.
                attempt.address = self.address = _authority(address)
                return self._connect_to(address, attempt.remaining_s() / (len(addresses) - index))
            except OSError as exc:
                failed = exc
        raise failed

    def _check_fingerprint(self) -> None:
        """
        Overridden where there is a certificate.
        """

    def _connect_to(self, address: AddressInfo, timeout_s: float) -> socket.socket:
        family, kind, protocol, _, where = address
        sock = socket.socket(family, kind, protocol)
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(timeout_s)
            sock.connect(where)
        except BaseException:
            sock.close()
            raise
        return sock

    def has_gone(self) -> bool:
        """
        Tell whether the peer closed the idle connection, or said something nobody asked for.
        """
        if self._poll is None or self._poll.poll(0):
            return True
        if isinstance(self.sock, SSLTransport):
            return self.sock.sslobj.pending() > 0 or self.sock.incoming.pending > 0
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def exchange(self, attempt: Attempt, request: bytes, *, is_reused: bool) -> tuple[Head, bool]:
        """
        Send `request` and read the response to its end, or to 16 KiB of its body.

        Returns:
            the response's head, and whether the connection may be used again.

        Raises:
            StaleConnectionError: `is_reused`, and the connection was closed without a byte of answer.
            AttemptError: DISCONNECTED, PROTOCOL, TIMEOUT, or TLS when the peer breaks off for TLS's sake.
        """
        sock = self.sock
        received = b""
        try:
            sock.settimeout(attempt.remaining_s())
            # Of TLS within TLS the outer one.
            attempt.sock = sock.socket if isinstance(sock, SSLTransport) else sock
            attempt.stage = Stage.SENDING
            try:
                sock.sendall(request)
            except (BrokenPipeError, ConnectionResetError):
                # It may have answered before it stopped reading, 413 for one.
                received = sock.recv(_READ_BYTES)
            attempt.stage = Stage.WAITING
            received = received or sock.recv(_READ_BYTES)
            if received:
                return self._read_response(sock, attempt, received)
        except NotHttpError as exc:
            raise AttemptError(Failure.PROTOCOL, str(exc)) from None
        except OSError as exc:
            if is_reused and not received and isinstance(exc, ConnectionError | ssl.SSLEOFError):
                self._complain_of_staleness(attempt, exc)
            raise exchange_failed(exc, attempt) from exc
        if is_reused:
            self._complain_of_staleness(attempt, None)
        raise closed(attempt)

    def _complain_of_staleness(self, attempt: Attempt, cause: OSError | None) -> None:
        # A socket that the watchdog shut down looks closed by the peer.
        if not attempt.is_overdue:
            raise StaleConnectionError from cause

    def _read_response(self, sock: socket.socket, attempt: Attempt, received: bytes) -> tuple[Head, bool]:
        attempt.stage = Stage.READING
        while (head := parse_head(received)) is None or head.is_interim:
            if head is not None:
                received = received[head.end :]
                continue
            if len(received) >= _MAX_HEAD_BYTES:
                raise NotHttpError("the head of the answer is larger than 16 KiB")
            more = sock.recv(_READ_BYTES)
            if not more:
                raise closed(attempt)
            received += more
        while (end := response_end(head, received)) is None:
            room = head.end + MAX_BODY_BYTES - len(received)
            if room <= 0:
                attempt.received = received
                return head, False
            more = sock.recv(min(_READ_BYTES, room))
            if not more:
                if head.body_length is None and not head.is_chunked and not attempt.is_overdue:
                    attempt.received = received
                    return head, False
                raise closed(attempt)
            received += more
        attempt.received = received
        # Bytes that nobody asked for would be taken for the next answer.
        return head, head.is_persistent and end == len(received)


def _authority(address: AddressInfo) -> str:
    host, port = str(address[4][0]), int(address[4][1])
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class HttpConnection(Connection):
    """
    A plain connection.
    """


class HttpsConnection(Connection, urllib3.connection.HTTPSConnection):
    """
    A connection under TLS.
    """

    _stage_after_connect = Stage.HANDSHAKE

    def connect(self) -> None:
        """
        Connect, through the handshake. Within the TLS of a proxy that is another one, which urllib3 has a class for.
        """
        if self._opening is None or self.way_out is None or self.way_out.proxy.kind is not ProxyKind.HTTPS:
            return super().connect()
        assert self.ssl_context is not None  # noqa: S101 - the pool's
        attempt, _ = self._opening
        outer = self._new_conn()
        # Its timeouts are per operation: who answers by drops is cut off by the watchdog.
        attempt.sock = outer
        try:
            name = self.host.strip("[]").rstrip(".")
            self.sock = SSLTransport(outer, self.ssl_context, server_hostname=name)
        except BaseException:
            outer.close()
            raise
        return None

    def _check_fingerprint(self) -> None:
        if not self.fingerprint:
            return
        sock: ssl.SSLSocket | SSLTransport = self.sock  # type: ignore[assignment] # after the handshake
        found = sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()
        if not hmac.compare_digest(found, self.fingerprint):
            detail = f"no TLS: the certificate is not the pinned one: its SHA-256 fingerprint is {found}"
            raise AttemptError(Failure.TLS, detail)
