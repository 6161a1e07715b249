"""
What keeps others from acting with our users' browsers: cookies, the token in each form, where a form came from.
"""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from odim_relay.api.ui.uris import UI

SESSION_COOKIE = "odim_relay_session"
TOLD_COOKIE = "odim_relay_told"
FORM_TOKEN = "form_token"  # noqa: S105 - the field's name
_TOLD_FOR_S = 30
_LONGEST_TOLD = 1_500
_LONGEST_COOKIES = 8_192


def form_token(session_token: str) -> str:
    """
    What the forms of a session carry: nobody knows it who cannot read its pages, and it does not tell the session's
    token. Empty without a session.
    """
    return _keyed(session_token, b"form") if session_token else ""


def is_form_token(given: str, session_token: str) -> bool:
    """
    Whether a form carries its session's token. Takes as long for any that is wrong.
    """
    expected = form_token(session_token)
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def is_from_our_page(headers: Mapping[str, str]) -> bool:
    """
    Whether a form was sent from a page of this service, as far as the browser tells. One that tells nothing is no
    browser of today, and has to have the token anyway.
    """
    site = headers.get("sec-fetch-site", "")
    if site and site != "same-origin":
        return False
    origin = headers.get("origin")
    return origin is None or (origin != "null" and urlsplit(origin).netloc.lower() == headers.get("host", "").lower())


def read_cookies(header: str) -> dict[str, str]:
    """
    The cookies of a request by name; none where they cannot be read.
    """
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header[:_LONGEST_COOKIES]).items()}
    except CookieError:
        return {}


def session_cookie(token: str, *, is_secure: bool) -> str:
    """
    The `Set-Cookie` that begins a session at the browser: it ends with the browser, or when the service ends it. With
    an empty token, the one that ends it.
    """
    return _cookie(SESSION_COOKIE, token, is_secure=is_secure, lasts_s=None if token else 0)


def told_cookie(text: str, session_token: str, *, is_secure: bool) -> str:
    """
    The `Set-Cookie` that keeps what an action came to for the next page; with an empty text, the one that takes it
    away.
    """
    if not text:
        return _cookie(TOLD_COOKIE, "", is_secure=is_secure, lasts_s=0)
    encoded = base64.urlsafe_b64encode(text[:_LONGEST_TOLD].encode()).decode()
    return _cookie(
        TOLD_COOKIE,
        f"{encoded}.{_keyed(session_token, text[:_LONGEST_TOLD].encode())}",
        is_secure=is_secure,
        lasts_s=_TOLD_FOR_S,
    )


def read_told(value: str, session_token: str) -> str:
    """
    What `told_cookie` keeps; empty for nothing, and for what this session was not told.
    """
    encoded, _, seal = value.partition(".")
    try:
        text = base64.urlsafe_b64decode(encoded).decode()
    except ValueError:
        return ""
    return text if hmac.compare_digest(seal.encode(), _keyed(session_token, text.encode()).encode()) else ""


def _cookie(name: str, value: str, *, is_secure: bool, lasts_s: int | None) -> str:
    parts = [f"{name}={value}", f"Path={UI}", "HttpOnly", "SameSite=Strict"]
    parts += ["Secure"] if is_secure else []
    parts += [] if lasts_s is None else [f"Max-Age={lasts_s}"]
    return "; ".join(parts)


def _keyed(session_token: str, text: bytes) -> str:
    return hmac.new(session_token.encode(errors="replace"), b"odim-relay page: " + text, sha256).hexdigest()
