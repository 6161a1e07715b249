"""
Accounts, sessions and passwords in memory.
"""

from collections.abc import Callable, Sequence

from odim_relay.domain.account import Account, Session
from odim_relay.ports.accounts import Accounts

DEFAULT_TIMEOUT_S = 1_800


class InMemoryAccountStore:
    """
    `AccountStore`.
    """

    def __init__(self, *accounts: Account) -> None:
        self._accounts = {account.account_id: account for account in accounts}

    def everybody(self) -> Accounts:
        return tuple(sorted(self._accounts.values(), key=lambda account: account.user_name))

    def get(self, account_id: str) -> Account | None:
        return self._accounts.get(account_id)

    def update(self, change: Callable[[Accounts], Accounts]) -> Accounts:
        while True:
            before = self.everybody()
            after = change(before)
            if self.everybody() == before:
                self._accounts = {account.account_id: account for account in after}
                return self.everybody()


class InMemorySessionStore:
    """
    `SessionStore`, by a clock that tests move.
    """

    def __init__(self, now_s: Callable[[], float] = lambda: 0.0) -> None:
        self._now_s = now_s
        self._sessions: dict[str, tuple[Session, float]] = {}
        self._timeout_s = DEFAULT_TIMEOUT_S

    def save(self, session: Session) -> None:
        self._sessions[session.session_id] = (session, self._now_s() + self._timeout_s)

    def use(self, session_id: str) -> Session | None:
        found = self.get(session_id)
        if found is not None:
            self._sessions[session_id] = (found, self._now_s() + self._timeout_s)
        return found

    def get(self, session_id: str) -> Session | None:
        session, ends_at_s = self._sessions.get(session_id, (None, 0.0))
        return session if ends_at_s > self._now_s() else None

    def everything(self) -> Sequence[Session]:
        alive = [session for session, ends_at_s in self._sessions.values() if ends_at_s > self._now_s()]
        return sorted(alive, key=lambda session: session.created_at_s)

    def delete(self, session_id: str) -> bool:
        found = self.get(session_id)
        self._sessions.pop(session_id, None)
        return found is not None

    def timeout_s(self) -> int:
        return self._timeout_s

    def set_timeout_s(self, timeout_s: int) -> None:
        self._timeout_s = timeout_s


class PlainPasswords:
    """
    `PasswordHasher` that hides nothing, and tells what it was asked.
    """

    def __init__(self) -> None:
        self.verified: list[tuple[str, str]] = []
        self.remembered: set[tuple[str, str]] = set()
        self._count = 0

    def hash(self, password: str) -> str:
        self._count += 1
        return f"{self._count}:{password}"

    def verify(self, password_hash: str, password: str) -> bool:
        self.verified.append((password_hash, password))
        is_right = bool(password_hash) and password_hash.partition(":")[2] == password
        if is_right:
            self.remembered.add((password_hash, password))
        return is_right

    def remembers(self, password_hash: str, password: str) -> bool:
        return (password_hash, password) in self.remembered
