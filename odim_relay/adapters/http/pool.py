"""
The connections to one host and port, each attempt within its deadline.
"""

import time
from collections import deque
from typing import Any

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from odim_relay.adapters.http.attempt import Attempt, AttemptError, Watchdog
from odim_relay.adapters.http.connection import Connection, HttpConnection, HttpsConnection, StaleConnectionError
from odim_relay.adapters.http.proxied import WayOut
from odim_relay.adapters.http.resolver import Resolver
from odim_relay.adapters.http.response import Head
from odim_relay.domain.outcome import Failure

# A server that serves one connection at a time hears nobody else meanwhile, not even our other processes: they have to
# get in within their deadline. Well below the times after which servers, load balancers and firewalls drop connections.
_MAX_IDLE_S = 10.0
# A new connection that got no answer for so long, or for this share of its deadline, may be waiting for another one to
# end. For a while none is kept then, which costs a server that is just slow a handshake for each of its slow answers.
_SLOW_AFTER_S = 3.0
_SLOW_AFTER_SHARE = 1 / 3
_ONE_BY_ONE_FOR_S = 60.0


class DeadlinePool(HTTPConnectionPool):
    """
    The connections to one host and port.

    `post` replaces `urlopen`, most of which is about what a sender must not do: redirects, proxies, retries by count.
    """

    ConnectionCls: type[Connection] = HttpConnection
    _watchdog: Watchdog
    _resolver: Resolver
    _max_idle_count: int
    _fingerprint: str
    _way_out: WayOut | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The one used last stands right. A deque's own operations are atomic; it needs no lock.
        self._idle: deque[Connection] = deque()
        self._is_closed = False
        self._one_by_one_until = 0.0

    def equip(
        self,
        *,
        watchdog: Watchdog,
        resolver: Resolver,
        max_idle_count: int,
        fingerprint: str = "",
        way_out: WayOut | None = None,
    ) -> None:
        """
        Give the pool what it needs before the first `post`; doing so again is harmless.
        """
        self._fingerprint = fingerprint
        self._way_out = way_out
        self._watchdog = watchdog
        self._resolver = resolver
        self._max_idle_count = max_idle_count

    def post(self, attempt: Attempt, request: bytes, *, is_repeatable: bool) -> Head | None:
        """
        Send `request` over a connection that is kept, else over a new one, and read the response.

        A repeatable one whose *kept* connection turns out to be closed, without a byte of answer, is sent again over a
        new one, once and at once. A server may close an idle connection at any time, also while a request is on its way
        (RFC 9112, 9.3.1); a client may repeat a POST by itself if it knows that repeating it is safe (RFC 9110, 9.2.2),
        and it is: a delivery's `webhook-id` tells the subscriber of duplicates, which at-least-once has anyway.

        Returns:
            None when the attempt may not begin; no byte was sent then.

        Raises:
            AttemptError: there is no response.
        """
        kept = self._take()
        if kept is not None:
            try:
                return self._post_over(kept, attempt, request, is_reused=True)
            except StaleConnectionError:
                if not is_repeatable:
                    raise AttemptError(
                        Failure.DISCONNECTED, "the kept connection was closed under the request"
                    ) from None
        return self._post_over(self._fresh(), attempt, request, is_reused=False)

    def connect(self, attempt: Attempt) -> None:
        """
        Open a connection, through the TLS handshake, and close it.

        Raises:
            AttemptError: there is none.
        """
        fresh = self._fresh()
        self._watchdog.watch(attempt)
        try:
            fresh.open(attempt, self._resolver)
        finally:
            self._watchdog.leave(attempt)
            fresh.close()

    def _post_over(self, connection: Connection, attempt: Attempt, request: bytes, *, is_reused: bool) -> Head | None:
        is_reusable = False
        attempt.address = connection.address
        if not is_reused:
            attempt.when_slow = self._go_one_by_one
            attempt.slow_at = time.monotonic() + min(_SLOW_AFTER_S, attempt.timeout_s * _SLOW_AFTER_SHARE)
        self._watchdog.watch(attempt)
        try:
            if not is_reused:
                connection.open(attempt, self._resolver)
            if not attempt.may_begin():
                is_reusable = True
                return None
            head, is_reusable = connection.exchange(attempt, request, is_reused=is_reused)
            return head
        finally:
            self._watchdog.leave(attempt)
            if is_reusable and not attempt.is_overdue:
                self._keep(connection)
            else:
                connection.close()

    def _fresh(self) -> Connection:
        fresh = self._new_conn()
        assert isinstance(fresh, Connection)  # noqa: S101 - `ConnectionCls` says so
        fresh.fingerprint = self._fingerprint
        fresh.way_out = self._way_out
        return fresh

    def _take(self) -> Connection | None:
        oldest_allowed = time.monotonic() - _MAX_IDLE_S
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            if connection.idle_since >= oldest_allowed and not connection.has_gone():
                return connection
            connection.close()
        return None

    def _keep(self, connection: Connection) -> None:
        now = connection.idle_since = time.monotonic()
        if len(self._idle) < self._max_idle_count and now >= self._one_by_one_until:
            self._idle.append(connection)
        else:
            connection.close()
        if self._is_closed:
            self.close()

    def _go_one_by_one(self) -> None:
        """
        Keep no connection for a while, so that a server that serves one at a time gets to those that wait.
        """
        self._one_by_one_until = time.monotonic() + _ONE_BY_ONE_FOR_S
        self._drop_idle()

    def _drop_idle(self) -> None:
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:  # another thread took the last one
                return

    def close_idle(self) -> None:
        """
        Close the connections that have not been used for 10 s.
        """
        oldest_allowed = time.monotonic() - _MAX_IDLE_S
        while self._idle:
            try:
                connection = self._idle.popleft()
            except IndexError:
                return
            if connection.idle_since >= oldest_allowed:
                self._idle.appendleft(connection)
                return
            connection.close()

    def close(self) -> None:
        """
        Close the idle connections; those in use are closed when their response ends.
        """
        self._is_closed = True
        self._drop_idle()
        super().close()


class DeadlineSecurePool(DeadlinePool, HTTPSConnectionPool):
    """
    The same under TLS.
    """

    ConnectionCls = HttpsConnection
