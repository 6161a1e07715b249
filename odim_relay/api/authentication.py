"""
Who asks, by what a request shows: the token of a session, or Basic.
"""

import base64
from collections.abc import Mapping

from odim_relay import bootstrap
from odim_relay.api.http.errors import RedfishError, refusal
from odim_relay.api.uris import SESSIONS
from odim_relay.domain.account import Account, Session
from odim_relay.use_cases.log_in import TooManyFailuresError, WrongCredentialsError

CHALLENGE = {"WWW-Authenticate": 'Basic realm="odim-relay", charset="UTF-8"'}


def authenticate(headers: Mapping[str, str], client: str) -> tuple[Account, Session | None]:
    """
    The account, and the session when it is by one. A token goes before Basic.

    Raises:
        RedfishError: 401; nothing is shown, or nothing that is good.
        TransientError: Redis cannot be reached.
    """
    token = headers.get("x-auth-token")
    if token is not None:
        found = bootstrap.log_in().by_token(token) if token else None
        if found is None:
            raise _stranger()
        return found
    user_name, password = _basic(headers.get("authorization", ""))
    try:
        return bootstrap.log_in().by_password(user_name, password, client), None
    except WrongCredentialsError:
        raise _stranger() from None
    except TooManyFailuresError as exc:
        raise refused_for_now(exc) from None


def refused_for_now(failures: TooManyFailuresError) -> RedfishError:
    """
    What whoever failed too often is told.
    """
    return refusal(
        401,
        "ResourceAtUriUnauthorized",
        SESSIONS,
        str(failures),
        headers={**CHALLENGE, "Retry-After": str(failures.wait_s)},
    )


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise _stranger()
    try:
        user_name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, no UTF-8, or not even ASCII
        raise _stranger() from None
    if not colon:
        raise _stranger()
    return user_name, password


def _stranger() -> RedfishError:
    return refusal(401, "NoValidSession", headers=CHALLENGE)
