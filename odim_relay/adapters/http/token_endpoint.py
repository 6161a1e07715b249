"""
Token endpoints of OAuth 2.0, asked over the connections, and under the rules, of deliveries.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error

from odim_relay.adapters.http.answer import Answer
from odim_relay.domain.authentication import ClientCredentials, basic
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import OutgoingRequest, Token
from odim_relay.telemetry import logger

log = logger(__name__)

_OK = 200
_ERRORS = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
"""
The words that an endpoint may have for what is wrong. Others are not repeated: what it says is its own.
Source: RFC 6749, 5.2.
"""
_LONGEST_TOKEN = 8_192
_LONGEST_LIFETIME_S = 2_592_000.0


class OAuthTokenEndpoint:
    """
    `TokenEndpoint`. The client authenticates by Basic, as every endpoint must understand. What is asked and answered is
    oauthlib's matter. Source: RFC 6749, 2.3.1, 4.4 and 5.
    """

    def __init__(self, ask: Callable[[OutgoingRequest, float], Answer]) -> None:
        """
        Args:
            ask: POSTs within so many seconds.
        """
        self._ask = ask

    def fetch(self, credentials: ClientCredentials, *, timeout_s: float) -> Token | Outcome:
        """
        See `TokenEndpoint.fetch`.
        """
        client = BackendApplicationClient(credentials.client_id)
        body = client.prepare_request_body(scope=credentials.scope or None)
        request = OutgoingRequest(
            url=credentials.token_url,
            body=body.encode(),
            headers=(
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Accept", "application/json"),
                ("Authorization", basic(quote_plus(credentials.client_id), quote_plus(credentials.client_secret))),
            ),
        )
        answer = self._ask(request, timeout_s)
        if answer.outcome.failure is not None:
            return _failed(f"the token endpoint: {answer.outcome.detail}", answer.outcome)
        try:
            members = client.parse_request_body_response(answer.body.decode())
            if answer.outcome.status == _OK:
                return _token(members)
        except OAuth2Error as exc:
            # Also of what merely lacks a token.
            said = f" {exc.error}" if exc.error in _ERRORS else ""
            return _failed(f"the token endpoint answered {answer.outcome.status}{said}", answer.outcome)
        except Exception as exc:  # noqa: BLE001 - of garbage oauthlib makes exceptions of any kind
            log.debug("token.unreadable", failure=type(exc).__name__)
        return _failed(f"the token endpoint answered {answer.outcome.status} and no token", answer.outcome)


def _token(members: dict[str, Any]) -> Token:
    """
    Raises:
        ValueError: it is no token that a request could carry.
    """
    text, kind = members["access_token"], members.get("token_type", "Bearer")
    if not isinstance(text, str) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise ValueError("not a bearer token")
    if not 0 < len(text) <= _LONGEST_TOKEN or not all("!" <= letter <= "~" for letter in text):
        raise ValueError("no header can carry it")
    lifetime = members.get("expires_in")
    lifetime_s = None if lifetime is None else min(max(float(lifetime), 0.0), _LONGEST_LIFETIME_S)
    return Token(text=text, lifetime_s=lifetime_s)


def _failed(detail: str, outcome: Outcome) -> Outcome:
    return Outcome(failure=Failure.AUTHENTICATION, detail=detail, duration_s=outcome.duration_s, is_unsent=True)
