"""
Who asks: by name and password, or by the token of a session.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from math import ceil
from threading import Lock

from odim_relay.domain.account import Account, Session
from odim_relay.domain.throttle import Throttle
from odim_relay.errors import PermanentError
from odim_relay.ports import AccountStore, Action, PasswordHasher, SessionStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import NOT_KEPT, Audit, current_actor

log = logger(__name__)

MOST_SESSIONS = 1_000
_ID_DIGITS = 32


class WrongCredentialsError(PermanentError):
    """
    No enabled account has this name and password; which of them was wrong is told to nobody.
    """

    def __init__(self) -> None:
        super().__init__("the user name or the password is wrong, or the account is disabled")


class TooManyFailuresError(PermanentError):
    """
    Too many tries failed: nothing was looked at.

    Attributes:
        wait_s: until the next try is looked at.
    """

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many log-ins failed; the next is looked at in {wait_s} s")
        self.wait_s = wait_s


class TooManySessionsError(PermanentError):
    """
    No further session begins until others end.
    """

    def __init__(self) -> None:
        super().__init__(f"{MOST_SESSIONS} sessions are open; end some, or wait until they do")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """
    A session that has just begun.

    Attributes:
        token: what its requests show; nobody can tell it a second time.
    """

    session: Session
    token: str


class LogIn:
    """
    Threads may share it.
    """

    def __init__(
        self,
        *,
        accounts: AccountStore,
        sessions: SessionStore,
        passwords: PasswordHasher,
        throttle: Throttle,
        new_token: Callable[[], str],
        now_s: Callable[[], float],
        audit: Audit = NOT_KEPT,
    ) -> None:
        """
        Args:
            new_token: gives a secret that nobody can guess.
        """
        self._audit = audit
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = passwords
        self._throttle = throttle
        self._new_token = new_token
        self._now_s = now_s
        self._lock = Lock()

    def by_password(self, user_name: str, password: str, client: str) -> Account:
        """
        The account of this name and password.

        Raises:
            WrongCredentialsError: there is none, or it is disabled.
            TooManyFailuresError: it was not looked for.
        """
        account = next((one for one in self._accounts.everybody() if one.user_name == user_name), None)
        password_hash = account.password_hash if account else ""
        if account and account.is_enabled and self._passwords.remembers(password_hash, password):
            return account
        with self._lock:
            wait_s = self._throttle.wait_s(user_name, client, self._now_s())
        if wait_s > 0:
            raise TooManyFailuresError(ceil(wait_s))
        # A name that nobody has takes as long as one that somebody has.
        is_right = self._passwords.verify(password_hash, password)
        if account is None or not is_right or not account.is_enabled:
            with self._lock:
                self._throttle.failed(user_name, client, self._now_s())
            log.warning("log_in.failed", client=client)
            # A name that nobody has may be a password in the wrong place.
            known = account.user_name if account else ""
            actor = replace(current_actor(), name=known, client=client)
            self._audit.refused(actor, WrongCredentialsError.__name__)
            raise WrongCredentialsError
        with self._lock:
            self._throttle.succeeded(user_name, client)
        return account

    def by_token(self, token: str, *, is_use: bool = True) -> tuple[Account, Session] | None:
        """
        The session of this token and its account, which must still be enabled; None without any.

        Args:
            is_use: lets the session last for another timeout; False for what no person does.
        """
        session_id = session_id_of(token)
        session = self._sessions.use(session_id) if is_use else self._sessions.get(session_id)
        account = self._accounts.get(session.account_id) if session else None
        if session is None or account is None or not account.is_enabled:
            return None
        return account, session

    def begin(self, user_name: str, password: str, client: str) -> OpenSession:
        """
        Log in for a session.

        Raises:
            WrongCredentialsError, TooManyFailuresError: as `by_password`.
            TooManySessionsError: there are enough.
        """
        account = self.by_password(user_name, password, client)
        with self._audit(Action.SESSION_OPENED) as note:
            note.actor = replace(current_actor(), name=account.user_name, client=client)
            if len(self._sessions.everything()) >= MOST_SESSIONS:
                raise TooManySessionsError
            token = self._new_token()
            session = Session(
                session_id=session_id_of(token),
                account_id=account.account_id,
                user_name=account.user_name,
                created_at_s=int(self._now_s()),
                client=client,
            )
            self._sessions.save(session)
            note.subject = session.session_id
        log.info("session.created", session_id=session.session_id, account_id=account.account_id)
        return OpenSession(session=session, token=token)

    def end(self, session_id: str) -> None:
        """
        Log out. One that ended before is ended.
        """
        with self._audit(Action.SESSION_ENDED, session_id):
            self._sessions.delete(session_id)


def session_id_of(token: str) -> str:
    """
    The id of a token's session: from the token one gets to it, and from it to nothing. No token is stored anywhere.
    """
    return sha256(token.encode(errors="replace")).hexdigest()[:_ID_DIGITS]
