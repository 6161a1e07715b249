"""
The sender that workers use: a requests session, and the shortest way through it.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import requests

from odim_relay.adapters.http.adapter import DeadlineAdapter, DeadlinePool
from odim_relay.adapters.http.answer import Answer, body_of
from odim_relay.adapters.http.attempt import Attempt, AttemptError, Watchdog
from odim_relay.adapters.http.resolver import Lookup, Resolver, look_up
from odim_relay.adapters.http.response import Head
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.retry_after import STATUSES_WITH_RETRY_AFTER, retry_after_s
from odim_relay.errors import ConfigurationError, PermanentError
from odim_relay.ports import OutgoingRequest

# Over it all are forgotten: destinations change slowly, so that costs a reconnection each, once in a long while.
_MAX_ROUTES = 4096
# They are the connection's own business; from a subscription they could smuggle a second request in.
_NOT_FROM_CALLERS = ("host", "content-length", "transfer-encoding", "connection")
_FIRST_REDIRECT = 300
_FIRST_CLIENT_ERROR = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """
    What stays the same from one POST to a URL to the next.

    Attributes:
        start: the request line and `Host`, as text.
        defaults: headers that the caller may replace, by lower-case name.
    """

    pool: DeadlinePool
    start: str
    defaults: dict[str, tuple[str, str]]


class RequestsSender:
    """
    Sends with a requests session whose adapter keeps connections and enforces deadlines. Threads share one instance.

    URLs, authentication by user-info and pools are requests' and urllib3's. What `Session.post` does for each request
    again (environment, cookies, hooks, redirects, URL parsing) is done once per destination or not at all.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        user_agent: str,
        egress: EgressPolicy,
        verify: bool = True,
        ca_file: Path | None = None,
        concurrency: int = 8,
        lookup: Lookup = look_up,
    ) -> None:
        """
        Args:
            now: gives the time, aware; a `Retry-After` date is relative to it.
            user_agent: for requests that bring none.
            egress: which addresses may be connected to.
            verify: whether certificates are verified where a request does not say.
            ca_file: what certificates are verified with, instead of the system's store.
            concurrency: how many threads will send.
            lookup: resolves a name and may hang.

        Raises:
            ConfigurationError: `ca_file` cannot be used.
        """
        self._now = now
        self._user_agent = user_agent
        self._verify = verify
        self._routes: dict[tuple[str, bool], _Route] = {}
        self._watchdog = Watchdog(housekeeping=self._close_idle)
        resolver = Resolver(egress, lookup)
        # Apart, with their pools: a connection whose certificate nobody looked at must not carry what needs that.
        self._adapters = {
            is_verified: DeadlineAdapter(tls=tls, concurrency=concurrency, resolver=resolver, watchdog=self._watchdog)
            for is_verified, tls in ((True, _verifying_context(ca_file)), (False, _unverifying_context()))
        }
        self._session = requests.Session()
        # Neither proxies nor passwords from whatever environment the worker runs in.
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.mount("http://", self._adapters[True])
        self._session.mount("https://", self._adapters[True])

    def send(self, request: OutgoingRequest, *, may_send: Callable[[], bool], timeout_s: float) -> Outcome | None:
        """
        See `odim_relay.ports.Sender`.

        Raises:
            PermanentError: the URL or a header cannot be sent. Nothing was.
            TransientError: this process is out of sockets; or whatever `may_send` raises. Nothing was sent.
        """
        answer = self._post(request, Attempt(timeout_s, may_send))
        return None if answer is None else answer[0]

    def ask(self, request: OutgoingRequest, timeout_s: float) -> Answer:
        """
        POST as `send` does, for the answer's body.

        Raises:
            PermanentError, TransientError: as `send`.
        """
        attempt = Attempt(timeout_s, lambda: True)
        answer = self._post(request, attempt)
        assert answer is not None  # noqa: S101 - it may send
        outcome, head = answer
        return Answer(outcome=outcome, body=b"" if head is None else body_of(head, attempt.received))

    def _post(self, request: OutgoingRequest, attempt: Attempt) -> tuple[Outcome, Head | None] | None:
        route = self._route(request.url, request.is_verified)
        wire = _wire(route, request)
        try:
            head = route.pool.post(attempt, wire, is_repeatable=request.is_repeatable)
        except AttemptError as exc:
            failed = Outcome(
                failure=exc.failure,
                detail=exc.detail,
                duration_s=monotonic() - attempt.started_at,
                is_unsent=not attempt.is_connected,
            )
            return failed, None
        if head is None:
            return None
        outcome = Outcome(
            status=head.status,
            detail=_detail(head.status),
            retry_after_s=self._retry_after_s(head),
            duration_s=monotonic() - attempt.started_at,
        )
        return outcome, head

    def accepts(self, url: str, *, timeout_s: float, is_verified: bool | None = None) -> bool:
        """
        See `odim_relay.ports.Connector`.

        Raises:
            PermanentError: the URL cannot be used.
            TransientError: this process is out of sockets.
        """
        route = self._route(url, is_verified)
        try:
            route.pool.connect(Attempt(timeout_s, lambda: True))
        except AttemptError:
            return False
        return True

    def close(self) -> None:
        """
        Close every connection: idle ones now, others when their attempt ends. Closing twice is harmless.
        """
        self._watchdog.close()
        self._forget_routes()
        self._adapters[False].close()
        self._session.close()

    def _retry_after_s(self, head: Head) -> float | None:
        if head.retry_after is None or head.status not in STATUSES_WITH_RETRY_AFTER:
            return None
        return retry_after_s(head.retry_after, self._now())

    def _route(self, url: str, is_verified: bool | None) -> _Route:
        key = (url, self._verify if is_verified is None else is_verified)
        return self._routes.get(key) or self._add_route(key)

    def _add_route(self, key: tuple[str, bool]) -> _Route:
        url, is_verified = key
        try:
            prepared = self._session.prepare_request(requests.Request("POST", url))
            # Refuses schemes other than ours.
            self._session.get_adapter(str(prepared.url))
            parts = urlsplit(str(prepared.url))
            host, port = parts.hostname, parts.port
        except (ValueError, requests.RequestException) as exc:
            raise PermanentError(f"the destination's URL cannot be used: {type(exc).__name__}") from None
        defaults = {"accept": ("Accept", "*/*"), "user-agent": ("User-Agent", self._user_agent)}
        if "Authorization" in prepared.headers:
            defaults["authorization"] = ("Authorization", str(prepared.headers["Authorization"]))
        pool = self._adapters[is_verified].pool_for(parts.scheme, str(host), port)
        named = f"[{host}]" if ":" in str(host) else host
        authority = named if port in {None, pool.ConnectionCls.default_port} else f"{named}:{port}"
        route = _Route(pool=pool, start=f"POST {prepared.path_url} HTTP/1.1\r\nHost: {authority}", defaults=defaults)
        if len(self._routes) >= _MAX_ROUTES:
            self._forget_routes()
        self._routes[key] = route
        return route

    def _forget_routes(self) -> None:
        routes, self._routes = self._routes, {}
        for route in routes.values():
            route.pool.close()
        for adapter in self._adapters.values():
            adapter.poolmanager.clear()

    def _close_idle(self) -> None:
        for route in list(self._routes.values()):
            route.pool.close_idle()


def _wire(route: _Route, request: OutgoingRequest) -> bytes:
    """
    Write the request as it goes over the wire, in one piece: one system call, one TLS record where it fits.
    """
    headers = route.defaults.copy()
    for pair in request.headers:
        headers[pair[0].lower()] = pair
    for name in _NOT_FROM_CALLERS:
        headers.pop(name, None)
    lines = [route.start, f"Content-Length: {len(request.body)}"]
    lines += [f"{name}: {value}" for name, value in headers.values()]
    text = "\r\n".join(lines)
    # Exactly the line ends that were put in: none came with a header.
    if text.count("\n") != len(lines) or text.count("\r") != len(lines):
        raise PermanentError("a header has a line end in it")
    try:
        return b"%b\r\n\r\n%b" % (text.encode("latin-1"), request.body)
    except UnicodeEncodeError:
        raise PermanentError("a header has a character that HTTP cannot carry") from None


def _detail(status: int) -> str:
    if status < _FIRST_REDIRECT:
        return ""
    if status < _FIRST_CLIENT_ERROR:
        return f"answered {status}; redirects are not followed"
    return f"answered {status}"


def _verifying_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as exc:  # SSLError is one
        raise ConfigurationError(f"DELIVERY__CA_FILE: {ca_file} cannot be read: {exc.strerror or exc}") from exc


def _unverifying_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
