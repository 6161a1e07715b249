"""
Tokens by which destinations know us.
"""

from dataclasses import dataclass, field
from typing import Protocol

from odim_relay.domain.authentication import ClientCredentials
from odim_relay.domain.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """
    An access token.

    Attributes:
        lifetime_s: how long it is good for; None when the endpoint did not say.
    """

    text: str = field(repr=False)
    lifetime_s: float | None = None


class TokenEndpoint(Protocol):
    """
    Gives tokens for credentials.
    """

    def fetch(self, credentials: ClientCredentials, *, timeout_s: float) -> Token | Outcome:
        """
        Ask the endpoint once, within `timeout_s`; under the same rules as a POST to a destination.

        Returns:
            the token, else an outcome with the failure AUTHENTICATION, which tells why there is none: never what the
            endpoint answered.
        """
        ...
