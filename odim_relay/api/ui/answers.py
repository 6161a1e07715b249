"""
From what a handler says to what goes over the wire: a page, a part of one, another place, a file; and what is one when
something went wrong.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from odim_relay.api import store_answers
from odim_relay.api.ui import safety
from odim_relay.api.ui.rendering import render, render_live
from odim_relay.api.ui.uris import UI
from odim_relay.api.ui.visit import PageError, PageReply, Visit

_HTML = "text/html; charset=utf-8"
_LIVE_HEADER = "x-live"
_RETRY_AFTER_S = 5
REPEATS = frozenset({"GET", "HEAD"})
"""
Methods that change nothing.
"""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
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
        """
        Path and query, as a log-in may lead back to.
        """
        return f"{self.raw_path}?{self.query}" if self.query else self.raw_path

    @property
    def is_live(self) -> bool:
        """
        A page's own script asks for what changed.
        """
        return self.method in REPEATS and _LIVE_HEADER in self.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    An answer as it goes.

    Attributes:
        account: user name of who asked; empty for nobody.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]
    account: str = ""


def error_page(error: PageError) -> PageReply:
    """
    The page that says what was wrong, and leads back.
    """
    values = {
        "status": error.status,
        "title": error.title,
        "text": error.text,
        "back": error.back or (UI, "Go to the overview"),
        "stores": (),
    }
    return PageReply(template="error.html", values=values, status=error.status, headers=error.headers)


def away_page(reason: str, asked: Asked) -> PageReply:
    """
    What a page is while a store is away that it needs: it says which, and looks again by itself.
    """
    stores = [(one.store, one.reason) for one in store_answers.unreachable() or ()]
    if not any(store == "redis" for store, _ in stores):
        stores.insert(0, ("redis", reason))
    text = "What is shown here is kept in Redis, and that cannot be asked now. This page looks again by itself."
    if asked.method not in REPEATS:
        text = "Redis could not be asked: whether this was done is not known. Look again when it is back."
    values = {
        "status": 503,
        "title": "A store cannot be reached",
        "text": text,
        "back": (asked.target if asked.method in REPEATS else UI, "Try again"),
        "stores": stores,
    }
    headers = (("Retry-After", str(_RETRY_AFTER_S)),)
    every_s = 2 if asked.method in REPEATS else 0
    return PageReply(template="error.html", values=values, status=503, headers=headers, every_s=every_s)


def drawn(asked: Asked, reply: PageReply, visit: Visit | None) -> Answer:
    """
    What goes over the wire for what a handler says.
    """
    own = (*HEADERS, *reply.headers)
    if asked.is_live and not reply.media_type:
        return Answer(
            status=200,
            body=_live_document(reply, visit),
            headers=(*own, _NO_STORE, ("Content-Type", "application/json")),
        )
    if reply.location:
        cookies = _told_cookies(asked, reply, visit)
        return Answer(status=reply.status, body=b"", headers=(*own, _NO_STORE, ("Location", reply.location), *cookies))
    if reply.media_type:
        return Answer(status=reply.status, body=reply.content, headers=(*own, ("Content-Type", reply.media_type)))
    forget: tuple[tuple[str, str], ...] = ()
    if visit is not None and visit.told:
        forget = (("Set-Cookie", safety.told_cookie("", visit.token, is_secure=asked.is_secure)),)
    headers = (*own, _NO_STORE, ("Content-Type", _HTML), *forget)
    return Answer(status=reply.status, body=render(reply, visit), headers=headers)


def _told_cookies(asked: Asked, reply: PageReply, visit: Visit | None) -> tuple[tuple[str, str], ...]:
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
