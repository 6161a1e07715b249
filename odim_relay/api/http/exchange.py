"""
The one place that every request goes through.

In this order: its first lines are checked, its resource is found, who asks is asked for, the body is read, the handler
is called, the answer is sent, one line is logged. What fails on the way is answered as Redfish says.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from odim_relay.api.http import checks, sending
from odim_relay.api.http.call import Call
from odim_relay.api.http.errors import RedfishError, error_body, missing_resource, refusal
from odim_relay.api.http.receiving import BodyReader
from odim_relay.api.http.reply import Reply, StreamReply
from odim_relay.api.http.resource import Resource
from odim_relay.api.http.routes import Routes
from odim_relay.domain.account import Account, Session
from odim_relay.domain.actor import Actor, Channel
from odim_relay.errors import ConfigurationError, TransientError
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import act_as

log = logger(__name__)

T = TypeVar("T")

_RETRY_AFTER_S = 5
_UNANSWERED = 499
_CLOSE = {"Connection": "close"}

Authenticate = Callable[[Mapping[str, str], str], tuple[Account, Session | None]]
"""
Who asks, by the request's headers and the client's address. Raises RedfishError 401, or 503 when too many tries failed.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What a client may ask of the process.

    Attributes:
        threads: handlers that run at the same time.
    """

    max_body_bytes: int = 1_048_576
    body_timeout_s: float = 15.0
    threads: int = 40


class RedfishApp:
    """
    The ASGI application.
    """

    def __init__(self, resources: Iterable[Resource], *, authenticate: Authenticate, limits: Limits) -> None:
        self.routes = Routes(resources)
        self.authenticate = authenticate
        self.limits = limits
        self._threads = anyio.CapacityLimiter(limits.threads)
        self.stopping = anyio.Event()

    def stop(self) -> None:
        """
        End the streams that are open. In the event loop's thread.
        """
        self.stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer one request.
        """
        if scope["type"] == "http":
            await _Exchange(self, Request(scope, receive), receive, send).run()

    async def in_thread(self, work: Callable[[], T]) -> T:
        """
        Call what may wait.
        """
        return await anyio.to_thread.run_sync(work, limiter=self._threads, abandon_on_cancel=True)


class _Exchange:
    def __init__(self, app: RedfishApp, request: Request, receive: Receive, send: Send) -> None:
        self._app = app
        self._receive = receive
        self._send = send
        self._method = request.method
        self._path = str(request.scope["path"])
        self._raw_path = request.scope.get("raw_path", self._path.encode()).decode("latin-1")
        self._query = request.scope["query_string"].decode("latin-1")
        self._client = request.client.host if request.client else ""
        self._client_port = request.client.port if request.client else 0
        self._headers = checks.joined_headers(request.headers.items())
        self._own_headers = sending.common_headers(request.scope["scheme"], self._headers)
        self._body = BodyReader(receive)
        self._account: Account | None = None
        self._resource: Resource | None = None

    async def run(self) -> None:
        started_at = time.perf_counter()
        act_as(Actor(channel=Channel.API, client=self._client))  # threads copy this task's context
        try:
            answer = await self._answer_or_error()
            if isinstance(answer, StreamReply):
                self._tell("api.streaming", 200, started_at)
                await sending.send_stream(answer, self._own_headers, self._receive, self._send, self._app.stopping)
                self._tell("api.stream_ended", 200, started_at)
            else:
                self._tell("api.answered", await self._send_reply(answer), started_at)
        except ClientDisconnect:
            self._tell("api.answered", _UNANSWERED, started_at)

    async def _answer_or_error(self) -> Reply | StreamReply:
        try:
            return await self._answer()
        except RedfishError as exc:
            error = exc
        except TransientError as exc:
            log.warning("api.unavailable", method=self._method, path=self._path, detail=str(exc))
            error = unavailable(_RETRY_AFTER_S)
        except ConfigurationError as exc:
            log.error("api.misconfigured", method=self._method, path=self._path, detail=str(exc))  # noqa: TRY400 - the message says all
            error = unavailable(_RETRY_AFTER_S)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("api.failed", method=self._method, path=self._path)
            error = refusal(500, "InternalError")
        return Reply(status=error.status, body=error_body(error.messages), headers=error.headers)

    async def _answer(self) -> Reply | StreamReply:
        checks.check_version(self._headers)
        found = self._app.routes.find(self._raw_path)
        if found is None:
            raise missing_resource(self._path)
        resource, params = found
        self._resource = resource
        checks.check_method(self._method, resource)
        query = checks.read_query(self._query, resource)
        session = await self._admit(resource)
        call = Call(
            method=self._method,
            path=self._path,
            params=params,
            query=query,
            headers=self._headers,
            body=await self._read_body(),
            account=self._account,
            session=session,
            client=self._client,
            client_port=self._client_port,
        )
        if self._method == "GET" and resource.stream is not None:
            return await self._app.in_thread(partial(resource.stream, call))
        handler = resource.handlers["GET" if self._method == "HEAD" else self._method]
        return handler(call) if resource.is_immediate else await self._app.in_thread(partial(handler, call))

    async def _admit(self, resource: Resource) -> Session | None:
        needed = resource.needs(self._method)
        if not needed:
            return None
        ask = partial(self._app.authenticate, self._headers, self._client)
        account, session = await self._app.in_thread(ask)
        self._account = account
        act_as(Actor(name=account.user_name, channel=Channel.API, client=self._client))
        if not any(account.has(privilege) for privilege in needed):
            raise refusal(403, "InsufficientPrivilege")
        return session

    async def _read_body(self) -> bytes:
        if self._method not in checks.WITH_BODY:
            return b""
        limits = self._app.limits
        size = checks.declared_size(self._headers)
        if size == 0:
            return b""
        checks.check_content(self._headers)
        if size is not None and size > limits.max_body_bytes:
            raise checks.too_large()
        return await self._body.read(limit=limits.max_body_bytes, timeout_s=limits.body_timeout_s)

    async def _send_reply(self, reply: Reply) -> int:
        headers = dict(self._own_headers)
        is_reading = self._method in {"GET", "HEAD"}
        if is_reading and self._resource is not None:
            headers |= sending.reading_headers(self._resource)
        if not self._body.is_complete and checks.declared_size(self._headers) != 0:
            # What is left of the body would be taken for the next request.
            headers |= _CLOSE
            if reply.status != 408 and "expect" not in self._headers:  # noqa: PLR2004 - it is too slow already
                await self._body.discard(self._app.limits.max_body_bytes * 4)
        response = sending.response_of(reply, is_reading=is_reading, asked=self._headers, headers=headers)
        await self._send(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        await self._send({"type": "http.response.body", "body": response.body})
        return response.status_code

    def _tell(self, event: str, status: int, started_at: float) -> None:
        told: dict[str, Any] = {"account": self._account.user_name} if self._account else {}
        log.info(
            event,
            method=self._method,
            path=self._path,
            status=status,
            duration_ms=round((time.perf_counter() - started_at) * 1000, 1),
            client=self._client,
            **told,
        )


def unavailable(wait_s: int) -> RedfishError:
    """
    What was asked cannot be done now.
    """
    return refusal(503, "ServiceTemporarilyUnavailable", wait_s, headers={"Retry-After": str(wait_s)})
