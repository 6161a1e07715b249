"""
The one place that every request for a page goes through.

In this order: the body is read, then in a thread its page is found, a form's origin is checked, who asks is asked for,
the handler is called and its answer drawn; the answer is sent, one line is logged. What fails on the way is a page too.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from odim_relay import bootstrap
from odim_relay.api.http import checks
from odim_relay.api.http.errors import RedfishError
from odim_relay.api.http.exchange import Limits
from odim_relay.api.http.receiving import BodyReader
from odim_relay.api.ui import safety
from odim_relay.api.ui.answers import REPEATS, Answer, Asked, away_page, drawn, error_page
from odim_relay.api.ui.forms import fields_of
from odim_relay.api.ui.routes import Page, Pages
from odim_relay.api.ui.uris import log_in_uri
from odim_relay.api.ui.visit import PageError, PageReply, Visit, see_other
from odim_relay.domain.account import Account, Session
from odim_relay.domain.actor import Actor, Channel
from odim_relay.errors import ConfigurationError, TransientError
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import act_as

log = logger(__name__)

T = TypeVar("T")

_FORM = "application/x-www-form-urlencoded"
_MOST_FORM_BYTES = 65_536
_UNANSWERED = 499


class InThread(Protocol):
    """
    Calls what may wait.
    """

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """
        See `RedfishApp.in_thread`.
        """
        ...


class PageApp:
    """
    The ASGI application of everything below `/ui`.
    """

    def __init__(self, pages: Pages, *, in_thread: InThread, limits: Limits) -> None:
        self._pages = pages
        self._in_thread = in_thread
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer one request.
        """
        if scope["type"] != "http":
            return
        started_at = time.perf_counter()
        request = Request(scope, receive)
        path = str(scope["path"])
        asked = Asked(
            method=request.method,
            path=path,
            raw_path=scope.get("raw_path", path.encode()).decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=checks.joined_headers(request.headers.items()),
            client=request.client.host if request.client else "",
            is_secure=scope["scheme"] == "https",
        )
        body = BodyReader(receive)
        try:
            answer = await self._answer(asked, body)
            status = await self._send(asked, answer, body, send)
        except ClientDisconnect:
            answer, status = Answer(status=_UNANSWERED, body=b"", headers=()), _UNANSWERED
        log.info(
            "page.answered",
            method=asked.method,
            path=path,
            status=status,
            duration_ms=round((time.perf_counter() - started_at) * 1000, 1),
            client=asked.client,
            **({"account": answer.account} if answer.account else {}),
        )

    async def _answer(self, asked: Asked, body: BodyReader) -> Answer:
        try:
            read = await self._read(asked, body)
        except PageError as exc:
            return drawn(asked, error_page(exc), None)
        return await self._in_thread(partial(_Exchange(self._pages, replace(asked, body=read)).run))

    async def _read(self, asked: Asked, body: BodyReader) -> bytes:
        if asked.method not in checks.WITH_BODY or checks.declared_size(asked.headers) == 0:
            return b""
        kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _FORM:
            raise PageError(415, "Not a form", f"What is sent to a page is a form: {_FORM}.")
        try:
            return await body.read(limit=_MOST_FORM_BYTES, timeout_s=self._limits.body_timeout_s)
        except RedfishError as exc:
            too_long = exc.status == 413  # noqa: PLR2004 - content too large
            title = "Too long" if too_long else "Too slow"
            text = "The form is longer than any of ours." if too_long else "The form did not come in time."
            raise PageError(exc.status, title, text) from None

    async def _send(self, asked: Asked, answer: Answer, body: BodyReader, send: Send) -> int:
        headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
        if not body.is_complete and checks.declared_size(asked.headers) != 0 and asked.method in checks.WITH_BODY:
            # What is left of the body would be taken for the next request.
            headers.append(("Connection", "close"))
            if "expect" not in asked.headers:
                await body.discard(self._limits.max_body_bytes)
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        shown = b"" if asked.method == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": shown})
        return answer.status


class _Exchange:
    """
    One request, in a thread.
    """

    def __init__(self, pages: Pages, asked: Asked) -> None:
        self._pages = pages
        self._asked = asked
        self._visit: Visit | None = None

    def run(self) -> Answer:
        asked = self._asked
        try:
            return self._drawn(self._reply())
        except PageError as exc:
            return self._drawn(error_page(exc))
        except TransientError as exc:
            log.warning("page.unavailable", method=asked.method, path=asked.path, detail=str(exc))
            return self._drawn(away_page(str(exc), asked))
        except ConfigurationError as exc:
            log.error("page.misconfigured", method=asked.method, path=asked.path, detail=str(exc))  # noqa: TRY400 - the message says all
            return self._drawn(away_page(str(exc), asked))
        except Exception:
            log.exception("page.failed", method=asked.method, path=asked.path)
            words = "Something went wrong that should not have. The log of the api process tells more."
            return self._drawn(error_page(PageError(500, "Our fault", words)))

    def _drawn(self, reply: PageReply) -> Answer:
        answer = drawn(self._asked, reply, self._visit)
        account = self._visit.account if self._visit else None
        return replace(answer, account=account.user_name if account else "")

    def _reply(self) -> PageReply:
        asked = self._asked
        act_as(Actor(channel=Channel.PAGE, client=asked.client))  # in this call's own copy of the context
        found = self._pages.find(asked.raw_path)
        if found is None:
            raise PageError(404, "No such page", "There is no page at this address.")
        page, params = found
        if asked.method not in page.methods:
            raise PageError(
                405,
                "Not possible here",
                f"This page knows {' and '.join(page.methods)}, and not {asked.method[:20]}.",
                headers=(("Allow", ", ".join(page.methods)),),
            )
        query, form = self._fields()
        token = safety.read_cookies(asked.headers.get("cookie", "")).get(safety.SESSION_COOKIE, "")
        visit = Visit(
            method=asked.method,
            path=asked.path,
            target=asked.target,
            params=params,
            query=query,
            form=form,
            client=asked.client,
            is_secure=asked.is_secure,
            token=token,
        )
        self._require_our_form(visit, page)
        if not page.is_open:
            known = self._who(token)
            if known is None:
                return self._to_log_in(token)
            act_as(Actor(name=known[0].user_name, channel=Channel.PAGE, client=asked.client))
            visit = replace(visit, account=known[0], session=known[1], told=self._told(token))
            self._visit = visit
        return page.handlers["GET" if asked.method == "HEAD" else asked.method](visit)

    def _to_log_in(self, token: str) -> PageReply:
        asked = self._asked
        if not token and asked.method in REPEATS and asked.headers.get("sec-fetch-site") == "cross-site":
            # Who follows a link from elsewhere does not show the cookie at first; asked by our own page, they do.
            return PageReply(template="again.html", values={"target": asked.target})
        return see_other(log_in_uri(asked.target))

    def _fields(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        try:
            return fields_of(self._asked.query), fields_of(self._asked.body.decode())
        except ValueError:
            raise PageError(
                400,
                "Not understood",
                "The address or the form has what no page of ours sends: too many fields, or bytes that are no text.",
            ) from None

    def _who(self, token: str) -> tuple[Account, Session] | None:
        # A page that looks for news by itself is no use of the session: who left it open is logged out in time.
        return bootstrap.log_in().by_token(token, is_use=not self._asked.is_live) if token else None

    def _require_our_form(self, visit: Visit, page: Page) -> None:
        if visit.method in REPEATS:
            return
        is_ours = safety.is_from_our_page(self._asked.headers)
        if is_ours and (page.is_open or not visit.token):
            return  # there is no session that it could act for: a log-in, or the way to one
        if not is_ours or not safety.is_form_token(visit.form.get(safety.FORM_TOKEN, ""), visit.token):
            raise PageError(
                403,
                "Not from this page",
                "The form did not come from a page of your session, so nothing was done. Open the page anew and try "
                "again. Behind a proxy, it has to pass on the Host header as it came.",
            )

    def _told(self, token: str) -> str:
        if self._asked.is_live:
            return ""
        kept = safety.read_cookies(self._asked.headers.get("cookie", "")).get(safety.TOLD_COOKIE, "")
        return safety.read_told(kept, token) if kept else ""
