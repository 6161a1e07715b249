"""
A token endpoint in memory.
"""

from collections.abc import Callable

from odim_relay.domain.authentication import ClientCredentials
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import Token


class InMemoryTokenEndpoint:
    """
    `TokenEndpoint`. Gives `token-1`, `token-2` and so on, each good for `lifetime_s`; a failure while `is_down`.
    """

    def __init__(self) -> None:
        self.lifetime_s: float | None = 3_600.0
        self.is_down = False
        self.asked: list[tuple[ClientCredentials, float]] = []
        self.on_fetch: Callable[[], object] = lambda: None

    def fetch(self, credentials: ClientCredentials, *, timeout_s: float) -> Token | Outcome:
        self.asked.append((credentials, timeout_s))
        number = len(self.asked)
        self.on_fetch()
        if self.is_down:
            return Outcome(failure=Failure.AUTHENTICATION, detail="the token endpoint answered 503", is_unsent=True)
        return Token(text=f"token-{number}", lifetime_s=self.lifetime_s)
