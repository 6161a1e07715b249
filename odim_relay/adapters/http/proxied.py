"""
Connections through a proxy.
"""

import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from python_socks import ProxyError, ProxyType
from python_socks.sync import Proxy as SocksProxy

from odim_relay.adapters.http.attempt import Attempt, AttemptError, Stage
from odim_relay.adapters.http.resolver import AddressInfo, ForbiddenAddressError, Resolver
from odim_relay.adapters.http.response import NotHttpError, parse_head
from odim_relay.domain.egress import ANYWHERE, EgressPolicy, check_egress
from odim_relay.domain.outcome import Failure
from odim_relay.domain.proxy import Proxy, ProxyKind

_MAX_HEAD_BYTES = 16_384
_READ_BYTES = 4_096
_WRONG_CREDENTIALS = 407

ConnectToAny = Callable[[list[AddressInfo]], socket.socket]
"""
Connects to the first of these addresses that lets it.
"""


class WayOut:
    """
    The way through one proxy. Threads share one instance.

    The proxy's own address is the operator's choice: no policy is asked about it. A destination's is judged where it is
    known here: when the URL has one, and with `socks5`, where we look the name up.
    """

    def __init__(
        self, proxy: Proxy, *, tls: Callable[[], ssl.SSLContext], egress: EgressPolicy, lookups: Resolver
    ) -> None:
        """
        Args:
            tls: gives what a proxy's certificate is verified with.
            lookups: finds the addresses of destinations.
        """
        self.proxy = proxy
        self._tls = tls
        self._egress = egress
        self._lookups = lookups
        self._own_lookups = Resolver(ANYWHERE, lookups.lookup)

    @property
    def authorization(self) -> str | None:
        """
        The value of `Proxy-Authorization`; None without credentials.
        """
        if not self.proxy.username:
            return None
        return "Basic " + b64encode(f"{self.proxy.username}:{self.proxy.password}".encode()).decode()

    def connect(
        self, attempt: Attempt, host: str, port: int, connect_to_any: ConnectToAny, *, is_secure: bool
    ) -> socket.socket:
        """
        Connect to the proxy and, unless it is to be given the request itself, have it connect to the destination.

        Args:
            host: of the destination, without brackets.
            is_secure: whether the destination's scheme is https.

        Raises:
            AttemptError: PROXY, when that is why there is no connection.
            ForbiddenAddressError: the destination is.
            OSError: the destination's name cannot be looked up here.
            TimeoutError: the time is up.
        """
        where = f"[{host}]" if ":" in host else host
        problem = check_egress(f"//{where}", self._egress)
        if problem is not None:
            raise ForbiddenAddressError(f"the host {problem}")
        targets = [host]
        if self.proxy.kind is ProxyKind.SOCKS5:
            attempt.stage = Stage.RESOLVING
            targets = [str(one[4][0]) for one in self._lookups.resolve(host, port, attempt.remaining_s())] or [host]
        for index, target in enumerate(targets):
            try:
                return self._connect(attempt, target, port, connect_to_any, is_secure=is_secure)
            except AttemptError:
                if index == len(targets) - 1:
                    raise
        raise AssertionError  # the last one either returned or raised

    def _connect(
        self, attempt: Attempt, target: str, port: int, connect_to_any: ConnectToAny, *, is_secure: bool
    ) -> socket.socket:
        sock = self._connect_to_proxy(attempt, connect_to_any)
        try:
            if not self.proxy.is_http:
                self._ask_by_socks(sock, attempt, target, port)
            elif is_secure:
                self._ask_by_connect(sock, attempt, target, port)
        except BaseException:
            sock.close()
            raise
        return sock

    def _connect_to_proxy(self, attempt: Attempt, connect_to_any: ConnectToAny) -> socket.socket:
        attempt.stage = Stage.PROXY
        sock = connect_to_any(self._own_lookups.resolve(self.proxy.host, self.proxy.port, attempt.remaining_s()))
        attempt.stage = Stage.PROXY
        sock.settimeout(attempt.remaining_s())
        if self.proxy.kind is not ProxyKind.HTTPS:
            return sock
        try:
            return self._tls().wrap_socket(sock, server_hostname=self.proxy.host)
        except BaseException:
            sock.close()
            raise

    def _ask_by_connect(self, sock: socket.socket, attempt: Attempt, host: str, port: int) -> None:
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if self.authorization is not None:
            lines.append(f"Proxy-Authorization: {self.authorization}")
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        received = b""
        try:
            while (head := parse_head(received)) is None or head.is_interim:
                if head is not None:
                    received = received[head.end :]
                    continue
                if len(received) >= _MAX_HEAD_BYTES:
                    raise self._failed("its answer to CONNECT has no end")
                # Each time anew: one that answers byte by byte has no more time for it than another.
                sock.settimeout(attempt.remaining_s())
                more = sock.recv(_READ_BYTES)
                if not more:
                    raise self._failed("it closed the connection instead of an answer to CONNECT")
                received += more
        except NotHttpError:
            raise self._failed("its answer to CONNECT is not HTTP/1") from None
        if head.status == _WRONG_CREDENTIALS:
            raise self.wants_credentials()
        if not 200 <= head.status <= 299:  # noqa: PLR2004 - the range is the definition
            raise self._failed(f"it answered {head.status} to CONNECT")
        if head.end != len(received):
            raise self._failed("it sent something before the destination can have")

    def _ask_by_socks(self, sock: socket.socket, attempt: Attempt, host: str, port: int) -> None:
        proxy = self.proxy
        socks = SocksProxy(
            ProxyType.SOCKS5,
            proxy.host,
            proxy.port,
            username=proxy.username or None,
            password=proxy.password if proxy.username else None,
            rdns=True,  # what it is to look up is given by name, all else by address
            forward=_Connected(sock, attempt),
        )
        try:
            socks.connect(host, port)
        except ProxyError as exc:
            raise self._failed(f"SOCKS: {str(exc).lower()}") from exc

    def wants_credentials(self) -> AttemptError:
        """
        Make the failure of a request that the proxy answered with 407.
        """
        given = "others than" if self.proxy.username else "some, and there are none in"
        return self._failed(f"it asks for credentials (407): {given} EGRESS__PROXY")

    def _failed(self, what: str) -> AttemptError:
        return AttemptError(Failure.PROXY, f"no way through the proxy {self.proxy}: {what}")


class _Timed:
    """
    A socket each of whose operations has the time that the attempt has left.
    """

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._attempt.remaining_s())
        self._sock.sendall(data)

    def recv(self, count: int) -> bytes:
        self._sock.settimeout(self._attempt.remaining_s())
        return self._sock.recv(count)

    def close(self) -> None:
        self._sock.close()


class _Connected(SocksProxy):
    """
    Stands for a proxy before the proxy: what that gave is a connection that we made already.
    """

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        super().__init__(ProxyType.SOCKS5, "", 0)
        self._timed = _Timed(sock, attempt)

    def connect(self, dest_host: str, dest_port: int, timeout: float | None = None, **kwargs: Any) -> socket.socket:
        del dest_host, dest_port, timeout, kwargs
        return self._timed  # type: ignore[return-value] # as much of a socket as is used
