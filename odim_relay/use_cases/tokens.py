"""
Requests to destinations that want a token of a token endpoint (OAuth 2.0).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock

from odim_relay.domain.authentication import ClientCredentials
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import OutgoingRequest, Sender, Token, TokenEndpoint
from odim_relay.telemetry import logger

log = logger(__name__)

ASK_AGAIN_AFTER_S = 10.0
"""
How often an endpoint is asked at most that fails, or whose tokens are refused at once.
"""
_USUAL_LIFETIME_S = 300.0
_RENEW_BEFORE_S = 30.0
_SHORTEST_TIMEOUT_S = 1.0
_UNAUTHORIZED = 401
# Over it all are forgotten: each is fetched once too often then.
_MOST_ENTRIES = 4096


@dataclass(slots=True)
class _Entry:
    """
    What is known of some credentials. `lock` is held while one thread asks; the rest is read without it.

    Attributes:
        asked_at_s: when the endpoint was asked last; `problem` is what came of it when there was no token.
        renew_at_s: from when on a new token is asked for, while the old one is good still.
    """

    lock: Lock = field(default_factory=Lock)
    token: str = ""
    asked_at_s: float = float("-inf")
    renew_at_s: float = float("-inf")
    expires_at_s: float = float("-inf")
    problem: Outcome | None = None


class SendWithTokens:
    """
    A `Sender` before another: requests that bring credentials get a token, the others pass. Threads share one instance.

    A token is kept until shortly before it expires, for all subscriptions with the same credentials. One thread at a
    time asks for one. An endpoint that fails is asked every 10 s at most; until then attempts fail as the last one did.
    """

    def __init__(self, *, sender: Sender, endpoint: TokenEndpoint, monotonic_s: Callable[[], float]) -> None:
        self._sender = sender
        self._endpoint = endpoint
        self._monotonic_s = monotonic_s
        self._entries: dict[ClientCredentials, _Entry] = {}

    def send(self, request: OutgoingRequest, *, may_send: Callable[[], bool], timeout_s: float) -> Outcome | None:
        """
        See `Sender.send`. Getting a token is part of the attempt, and within its deadline. A token that the destination
        answers 401 to is replaced, and the request sent with the new one, once.
        """
        credentials = request.credentials
        if credentials is None:
            return self._sender.send(request, may_send=may_send, timeout_s=timeout_s)
        started_at_s = self._monotonic_s()
        entry = self._entry(credentials)
        outcome: Outcome | None = None
        refused = ""
        while True:
            was_asked_at_s = entry.asked_at_s
            problem = self._provide(entry, credentials, timeout_s - self._spent_s(started_at_s), refused)
            if problem is not None:
                # What the destination itself answered says more.
                told = problem if outcome is None else outcome
                return replace(told, duration_s=self._spent_s(started_at_s))
            token = entry.token
            if token == refused:
                return outcome
            # A right to send does not last (L17), and asking may have taken its time.
            if (outcome is not None or entry.asked_at_s != was_asked_at_s) and not may_send():
                return None
            left_s = max(timeout_s - self._spent_s(started_at_s), _SHORTEST_TIMEOUT_S)
            answer = self._sender.send(_with_token(request, token), may_send=may_send, timeout_s=left_s)
            if answer is None:
                return None
            outcome = replace(answer, duration_s=self._spent_s(started_at_s))
            if answer.status != _UNAUTHORIZED or refused:
                return outcome
            refused = token

    def _spent_s(self, started_at_s: float) -> float:
        return self._monotonic_s() - started_at_s

    def _entry(self, credentials: ClientCredentials) -> _Entry:
        entry = self._entries.get(credentials)
        if entry is None:
            if len(self._entries) >= _MOST_ENTRIES:
                self._entries.clear()
            # Of two threads that come at once, both get the same.
            entry = self._entries.setdefault(credentials, _Entry())
        return entry

    def _provide(self, entry: _Entry, credentials: ClientCredentials, timeout_s: float, refused: str) -> Outcome | None:
        """
        See to it that `entry` has a token, another than the one that was refused if the endpoint may be asked.

        Returns:
            why it has none.
        """
        if self._monotonic_s() < entry.renew_at_s and entry.token != refused:
            return None
        is_good = self._monotonic_s() < entry.expires_at_s and entry.token != refused
        # While another thread renews it the old one will do.
        if not entry.lock.acquire(timeout=0 if is_good else max(timeout_s, 0)):
            return None if is_good else _no_token("another attempt is still waiting for one")
        try:
            now_s = self._monotonic_s()
            has_changed = entry.token != refused and now_s < entry.renew_at_s
            if not has_changed and now_s - entry.asked_at_s >= ASK_AGAIN_AFTER_S:
                left_s = max(timeout_s, _SHORTEST_TIMEOUT_S)
                self._ask(entry, credentials, left_s)
            if self._monotonic_s() < entry.expires_at_s:
                return None
            return entry.problem or _no_token("it expired, and was asked for too lately")
        finally:
            entry.lock.release()

    def _ask(self, entry: _Entry, credentials: ClientCredentials, timeout_s: float) -> None:
        answer = self._endpoint.fetch(credentials, timeout_s=timeout_s)
        now_s = entry.asked_at_s = self._monotonic_s()
        if isinstance(answer, Token):
            lifetime_s = _USUAL_LIFETIME_S if answer.lifetime_s is None else answer.lifetime_s
            entry.problem = None
            entry.token = answer.text
            entry.expires_at_s = now_s + lifetime_s
            # One that hardly lives is renewed at half its time.
            entry.renew_at_s = now_s + max(lifetime_s - _RENEW_BEFORE_S, lifetime_s / 2)
            log.debug("token.fetched", lifetime_s=lifetime_s)
        else:
            entry.problem = answer
            log.warning("token.not_fetched", failure=answer.failure, detail=answer.detail)


def _with_token(request: OutgoingRequest, token: str) -> OutgoingRequest:
    return replace(request, headers=(*request.headers, ("Authorization", f"Bearer {token}")), credentials=None)


def _no_token(why: str) -> Outcome:
    return Outcome(failure=Failure.AUTHENTICATION, detail=f"no token for the destination: {why}", is_unsent=True)
