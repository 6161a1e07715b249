"""
The one place that every request for a page goes through.

In this order: the body is read, then in a thread its page is found, a form's origin is checked, who asks is asked for,
the handler is called and its answer drawn; the answer is sent, one line is logged. What fails on the way is a page too.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from odim_relay import bootstrap
from odim_relay.api.http import checks
from odim_relay.api.http.errors import RedfishError
from odim_relay.api.http.exchange import Limits
from odim_relay.api.http.receiving import BodyReader
from odim_relay.api.ui import safety, standing
from odim_relay.api.ui.forms import fields_of
from odim_relay.api.ui.rendering import render, render_live
from odim_relay.api.ui.routes import Page, Pages
from odim_relay.api.ui.uris import UI, log_in_uri
from odim_relay.api.ui.visit import PageError, PageReply, Visit, see_other
from odim_relay.domain.account import Account, Session
from odim_relay.domain.actor import Actor, Channel
from odim_relay.errors import ConfigurationError, TransientError
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import act_as

log = logger(__name__)

T = TypeVar("T")

_HTML = "text/html; charset=utf-8"
_FORM = "application/x-www-form-urlencoded"
_MOST_FORM_BYTES = 65_536
_LIVE_HEADER = "x-live"
_RETRY_AFTER_S = 5
_UNANSWERED = 499
_REPEATS = {"GET", "HEAD"}

HEADERS: tuple[tuple[str, str], ...] = (
    (
        "Content-Security-Policy",
        (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # With none at all browsers would not tell where a form comes from.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_NO_STORE = ("Cache-Control", "no-store")


class InThread(Protocol):
    """
    Calls what may wait.
    """

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """
        See `RedfishApp.in_thread`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """
    A request as it came.
    """

    method: str
    path: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    client: str
    is_secure: bool
    body: bytes = b""

    @property
    def target(self) -> str:
        return f"{self.raw_path}?{self.query}" if self.query else self.raw_path

    @property
    def is_live(self) -> bool:
        """
        A page's own script asks for what changed.
        """
        return self.method in _REPEATS and _LIVE_HEADER in self.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]
    account: str = ""


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
        asked = _Asked(
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
            answer, status = _Answer(status=_UNANSWERED, body=b"", headers=()), _UNANSWERED
        log.info(
            "page.answered",
            method=asked.method,
            path=path,
            status=status,
            duration_ms=round((time.perf_counter() - started_at) * 1000, 1),
            client=asked.client,
            **({"account": answer.account} if answer.account else {}),
        )

    async def _answer(self, asked: _Asked, body: BodyReader) -> _Answer:
        try:
            read = await self._read(asked, body)
        except PageError as exc:
            return _drawn(asked, _error_page(exc), None)
        return await self._in_thread(partial(_Exchange(self._pages, replace(asked, body=read)).run))

    async def _read(self, asked: _Asked, body: BodyReader) -> bytes:
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

    async def _send(self, asked: _Asked, answer: _Answer, body: BodyReader, send: Send) -> int:
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

    def __init__(self, pages: Pages, asked: _Asked) -> None:
        self._pages = pages
        self._asked = asked
        self._visit: Visit | None = None

    def run(self) -> _Answer:
        asked = self._asked
        try:
            return self._drawn(self._reply())
        except PageError as exc:
            return self._drawn(_error_page(exc))
        except TransientError as exc:
            log.warning("page.unavailable", method=asked.method, path=asked.path, detail=str(exc))
            return self._drawn(_away_page(str(exc), asked))
        except ConfigurationError as exc:
            log.error("page.misconfigured", method=asked.method, path=asked.path, detail=str(exc))  # noqa: TRY400 - the message says all
            return self._drawn(_away_page(str(exc), asked))
        except Exception:
            log.exception("page.failed", method=asked.method, path=asked.path)
            words = "Something went wrong that should not have. The log of the api process tells more."
            return self._drawn(_error_page(PageError(500, "Our fault", words)))

    def _drawn(self, reply: PageReply) -> _Answer:
        answer = _drawn(self._asked, reply, self._visit)
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
        if not token and asked.method in _REPEATS and asked.headers.get("sec-fetch-site") == "cross-site":
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
        if visit.method in _REPEATS:
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


def _error_page(error: PageError) -> PageReply:
    values = {
        "status": error.status,
        "title": error.title,
        "text": error.text,
        "back": error.back or (UI, "Go to the overview"),
        "stores": (),
        "is_away": False,
    }
    return PageReply(template="error.html", values=values, status=error.status, headers=error.headers)


def _away_page(reason: str, asked: _Asked) -> PageReply:
    """
    What a page is while a store is away that it needs: it says which, and looks again by itself.
    """
    stores = [(one.store, one.reason) for one in standing.unreachable() or ()]
    if not any(store == "redis" for store, _ in stores):
        stores.insert(0, ("redis", reason))
    text = "What is shown here is kept in Redis, and that cannot be asked now. This page looks again by itself."
    if asked.method not in _REPEATS:
        text = "Redis could not be asked: whether this was done is not known. Look again when it is back."
    values = {
        "status": 503,
        "title": "A store cannot be reached",
        "text": text,
        "back": (asked.target if asked.method in _REPEATS else UI, "Try again"),
        "stores": stores,
        "is_away": True,
    }
    headers = (("Retry-After", str(_RETRY_AFTER_S)),)
    every_s = 2 if asked.method in _REPEATS else 0
    return PageReply(template="error.html", values=values, status=503, headers=headers, every_s=every_s)


def _drawn(asked: _Asked, reply: PageReply, visit: Visit | None) -> _Answer:
    own = (*HEADERS, *reply.headers)
    if asked.is_live and not reply.media_type:
        return _Answer(
            status=200,
            body=_live_document(reply, visit),
            headers=(*own, _NO_STORE, ("Content-Type", "application/json")),
        )
    if reply.location:
        cookies = _told_cookies(asked, reply, visit)
        return _Answer(status=reply.status, body=b"", headers=(*own, _NO_STORE, ("Location", reply.location), *cookies))
    if reply.media_type:
        return _Answer(status=reply.status, body=reply.content, headers=(*own, ("Content-Type", reply.media_type)))
    forget: tuple[tuple[str, str], ...] = ()
    if visit is not None and visit.told:
        forget = (("Set-Cookie", safety.told_cookie("", visit.token, is_secure=asked.is_secure)),)
    headers = (*own, _NO_STORE, ("Content-Type", _HTML), *forget)
    return _Answer(status=reply.status, body=render(reply, visit), headers=headers)


def _told_cookies(asked: _Asked, reply: PageReply, visit: Visit | None) -> tuple[tuple[str, str], ...]:
    if not reply.told or visit is None:
        return ()
    return (("Set-Cookie", safety.told_cookie(reply.told, visit.token, is_secure=asked.is_secure)),)


def _live_document(reply: PageReply, visit: Visit | None) -> bytes:
    """
    What a page's script gets: the status stands in it, for the asking itself went well whatever came of it.
    """
    document: dict[str, Any] = {"status": reply.status}
    if reply.location:
        document["location"] = reply.location
    else:
        document |= {"html": render_live(reply, visit), "page": reply.template, "said": reply.values.get("title", "")}
    return json.dumps(document).encode()
