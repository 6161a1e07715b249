"""
The sender that workers use: a requests session, and the shortest way through it.
"""

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from time import monotonic
from urllib.parse import urlsplit

import requests

from odim_relay.adapters.http.adapter import DeadlineAdapter
from odim_relay.adapters.http.answer import Answer, body_of
from odim_relay.adapters.http.attempt import Attempt, AttemptError, Watchdog
from odim_relay.adapters.http.identity import Identity
from odim_relay.adapters.http.proxied import WayOut
from odim_relay.adapters.http.resolver import Lookup, Resolver, look_up
from odim_relay.adapters.http.response import Head
from odim_relay.adapters.http.route import Route, wire_of
from odim_relay.adapters.http.tls_files import TlsFileError
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.domain.proxy import NoProxy, Proxy
from odim_relay.domain.retry_after import STATUSES_WITH_RETRY_AFTER, retry_after_s
from odim_relay.domain.tls import USUAL, TlsTerms
from odim_relay.errors import ConfigurationError, PermanentError
from odim_relay.ports import OutgoingRequest

# Over it all are forgotten: destinations change slowly, so that costs a reconnection each, once in a long while.
_MAX_ROUTES = 4096
_PROXY_WANTS_CREDENTIALS = 407
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FIRST_REDIRECT = 300
_FIRST_CLIENT_ERROR = 400


class RequestsSender:
    """
    Sends with a requests session whose adapter keeps connections and enforces deadlines. Threads share one instance.

    URLs, authentication by user-info and pools are requests' and urllib3's. What `Session.post` does for each request
    again (environment, cookies, hooks, redirects, URL parsing) is done once per destination or not at all.
    """

    def __init__(  # noqa: PLR0913 - each is a setting of its own
        self,
        *,
        now: Callable[[], datetime],
        user_agent: str,
        egress: EgressPolicy,
        verify: bool = True,
        ca_file: Path | None = None,
        concurrency: int = 8,
        lookup: Lookup = look_up,
        tls_folder: Path | None = None,
        proxy: Proxy | None = None,
        no_proxy: NoProxy = NoProxy(),  # noqa: B008 - it is immutable
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
            tls_folder: of the files that requests name.
            proxy: that destinations are reached through.
            no_proxy: which are reached directly all the same.

        Raises:
            ConfigurationError: `ca_file` cannot be used.
        """
        self._now = now
        self._user_agent = user_agent
        self._verify = verify
        self._routes: dict[tuple[str, TlsTerms], Route] = {}
        self._identities: dict[TlsTerms, Identity] = {}
        self._lock = Lock()
        self._ca_file = ca_file
        self._tls_folder = tls_folder
        self._concurrency = concurrency
        self._watchdog = Watchdog(housekeeping=self._close_idle)
        self._resolver = Resolver(egress, lookup)
        verifying = self._identity(TlsTerms(is_verified=True))
        try:
            adapter = verifying.adapter()
        except TlsFileError as exc:
            raise ConfigurationError(f"DELIVERY__CA_FILE: {exc}") from exc
        self._no_proxy = no_proxy
        self._way_out = None
        if proxy is not None:
            self._way_out = WayOut(proxy, tls=lambda: verifying.context, egress=egress, lookups=self._resolver)
        self._session = requests.Session()
        # Neither proxies nor passwords from whatever environment the worker runs in.
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

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
        try:
            route = self._route(request.url, request.tls)
        except TlsFileError as exc:
            return Outcome(failure=Failure.TLS, detail=f"no TLS: {exc}", is_unsent=True), None
        wire = wire_of(route, request)
        try:
            head = route.pool.post(attempt, wire, is_repeatable=request.is_repeatable)
        except AttemptError as exc:
            failed = Outcome(
                failure=exc.failure,
                detail=exc.detail,
                duration_s=monotonic() - attempt.started_at,
                is_unsent=not attempt.is_connected,
                address=attempt.address,
            )
            return failed, None
        if head is None:
            return None
        if head.status == _PROXY_WANTS_CREDENTIALS and route.forwarder is not None:
            refused = route.forwarder.wants_credentials()
            failed = Outcome(
                failure=refused.failure,
                detail=refused.detail,
                duration_s=monotonic() - attempt.started_at,
                address=attempt.address,
            )
            return failed, None
        outcome = Outcome(
            status=head.status,
            detail=_detail(head.status),
            retry_after_s=self._retry_after_s(head),
            duration_s=monotonic() - attempt.started_at,
            address=attempt.address,
        )
        return outcome, head

    def accepts(self, url: str, *, timeout_s: float, tls: TlsTerms = USUAL) -> bool:
        """
        See `odim_relay.ports.Connector`.

        Raises:
            PermanentError: the URL cannot be used.
            TransientError: this process is out of sockets.
        """
        try:
            self._route(url, tls).pool.connect(Attempt(timeout_s, lambda: True))
        except (AttemptError, TlsFileError):
            return False
        return True

    def close(self) -> None:
        """
        Close every connection: idle ones now, others when their attempt ends. Closing twice is harmless.
        """
        self._watchdog.close()
        self._forget_routes()
        self._session.close()

    def _retry_after_s(self, head: Head) -> float | None:
        if head.retry_after is None or head.status not in STATUSES_WITH_RETRY_AFTER:
            return None
        return retry_after_s(head.retry_after, self._now())

    def _identity(self, terms: TlsTerms) -> Identity:
        """
        Apart, with their pools: a connection that is good enough for one must not carry what needs more.
        """
        if terms.is_verified is None:
            terms = replace(terms, is_verified=self._verify)
        # Two threads may make one each: one of them is kept.
        return self._identities.get(terms) or self._identities.setdefault(
            terms,
            Identity(
                terms,
                folder=self._tls_folder,
                usual_ca=self._ca_file,
                is_verified=self._verify,
                new_adapter=self._new_adapter,
            ),
        )

    def _new_adapter(self, tls: ssl.SSLContext, fingerprint: str) -> DeadlineAdapter:
        return DeadlineAdapter(
            tls=tls,
            fingerprint=fingerprint,
            concurrency=self._concurrency,
            resolver=self._resolver,
            watchdog=self._watchdog,
        )

    def _route(self, url: str, terms: TlsTerms) -> Route:
        route = self._routes.get((url, terms))
        if route is not None and route.identity.adapter() is route.adapter:
            return route
        return self._add_route(url, terms)

    def _add_route(self, url: str, terms: TlsTerms) -> Route:
        try:
            prepared = self._session.prepare_request(requests.Request("POST", url))
            # Refuses schemes other than ours.
            self._session.get_adapter(str(prepared.url))
            parts = urlsplit(str(prepared.url))
            host, port = str(parts.hostname), parts.port
        except (ValueError, requests.RequestException) as exc:
            raise PermanentError(f"the destination's URL cannot be used: {type(exc).__name__}") from None
        defaults = {"accept": ("Accept", "*/*"), "user-agent": ("User-Agent", self._user_agent)}
        if "Authorization" in prepared.headers:
            defaults["authorization"] = ("Authorization", str(prepared.headers["Authorization"]))
        # Of http:// nothing of it is used: not even a file that is missing keeps anything back.
        identity = self._identity(terms if parts.scheme == "https" else TlsTerms(is_verified=True))
        adapter = identity.adapter()
        way_out = None if self._no_proxy.has(host) else self._way_out
        forwarder = way_out if way_out is not None and way_out.proxy.is_http and parts.scheme == "http" else None
        named = f"[{host}]" if ":" in host else host
        authority = named if port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{named}:{port}"
        start = [f"POST {prepared.path_url} HTTP/1.1", f"Host: {authority}"]
        if forwarder is not None:
            start[0] = f"POST http://{authority}{prepared.path_url} HTTP/1.1"
            if forwarder.authorization is not None:
                start.append(f"Proxy-Authorization: {forwarder.authorization}")
        route = Route(
            pool=adapter.pool_for(parts.scheme, host, port, way_out=way_out),
            identity=identity,
            adapter=adapter,
            forwarder=forwarder,
            start=tuple(start),
            defaults=defaults,
        )
        if len(self._routes) >= _MAX_ROUTES:
            self._forget_routes()
        with self._lock:
            replaced, self._routes[url, terms] = self._routes.get((url, terms)), route
        if replaced is not None and replaced.pool is not route.pool:
            # Connections in use are closed when their response ends.
            replaced.pool.close()
        return route

    def _forget_routes(self) -> None:
        routes, self._routes = self._routes, {}
        self._identities = {}
        for route in routes.values():
            route.pool.close()
            route.adapter.poolmanager.clear()

    def _close_idle(self) -> None:
        for route in list(self._routes.values()):
            route.pool.close_idle()


def _detail(status: int) -> str:
    if status < _FIRST_REDIRECT:
        return ""
    if status < _FIRST_CLIENT_ERROR:
        return f"answered {status}; redirects are not followed"
    return f"answered {status}"
