"""
How we prove to a destination who we are, beyond what a subscription's headers say.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from odim_relay.domain.destination import check_destination

LONGEST_CREDENTIAL = 8_192
"""
Characters of a name, a password, a token, a secret.
"""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class AuthenticationKind(StrEnum):
    """
    The schemes that there are.
    """

    BASIC = "Basic"
    BEARER = "Bearer"
    OAUTH2 = "OAuth2ClientCredentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """
    A user name and a password. Source: RFC 7617.
    """

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """
    A token that does not change by itself. Source: RFC 6750.
    """

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """
    By these a token endpoint gives tokens, each good for a while. Source: RFC 6749, 4.4.

    Attributes:
        token_url: the endpoint, https.
        scope: scopes with a space between them; empty for what the endpoint gives by itself.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""


Authentication: TypeAlias = Basic | Bearer | ClientCredentials


def kind_of(authentication: Authentication) -> AuthenticationKind:
    """
    Its scheme.
    """
    match authentication:
        case Basic():
            return AuthenticationKind.BASIC
        case Bearer():
            return AuthenticationKind.BEARER
        case ClientCredentials():
            return AuthenticationKind.OAUTH2


def authorization(authentication: Authentication) -> str | None:
    """
    The value of `Authorization`; None where a token is to be fetched first.
    """
    match authentication:
        case Basic(username=username, password=password):
            return basic(username, password)
        case Bearer(token=token):
            return f"Bearer {token}"
        case ClientCredentials():
            return None


def basic(username: str, password: str) -> str:
    """
    The value of `Authorization` for a user name without a colon, and a password.
    """
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


def problems_of(authentication: Authentication) -> Iterator[tuple[str, str]]:
    """
    Tell what cannot be: names of members in Redfish's spelling, each with words that follow it and hold no secret.
    """
    match authentication:
        case Basic(username=username, password=password):
            yield from _problems("Username", username, _check_username(username))
            yield from _problems("Password", password, _check_text(password))
        case Bearer(token=token):
            wrong = None if _TOKEN.fullmatch(token) else "holds characters that no bearer token has (RFC 6750)"
            yield from _problems("Token", token, wrong)
        case ClientCredentials(token_url=url, client_id=client_id, client_secret=secret, scope=scope):
            yield from _problems("TokenUri", url, _check_token_url(url))
            yield from _problems("ClientId", client_id, _check_printable(client_id))
            yield from _problems("ClientSecret", secret, _check_printable(secret))
            if scope:
                wrong = None if _SCOPE.fullmatch(scope) else "is not scopes with one space between them (RFC 6749)"
                yield from _problems("Scope", scope, wrong)


def _problems(member: str, text: str, wrong: str | None) -> Iterator[tuple[str, str]]:
    if not text:
        yield member, "is empty"
    elif len(text) > LONGEST_CREDENTIAL:
        yield member, f"is longer than {LONGEST_CREDENTIAL} characters"
    elif wrong is not None:
        yield member, wrong


def _check_username(username: str) -> str | None:
    return "has a colon, which ends a user name" if ":" in username else _check_text(username)


def _check_text(text: str) -> str | None:
    return "has a control character" if _CONTROL.search(text) else None


def _check_printable(text: str) -> str | None:
    return None if _PRINTABLE.fullmatch(text) else "has a character that is not printable ASCII"


def _check_token_url(url: str) -> str | None:
    # What goes there is a password, and what comes back is as good as one.
    return check_destination(url) or (None if url.startswith("https://") else "does not begin with https://")
