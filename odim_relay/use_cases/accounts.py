"""
Accounts come, change and go; one enabled Administrator always stays.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from odim_relay.domain.account import Account, Role
from odim_relay.errors import PermanentError
from odim_relay.ports import AccountStore, Action, PasswordHasher, SessionStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import NOT_KEPT, Audit

log = logger(__name__)

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
MOST_ACCOUNTS = 200
USER_NAME = r"^[A-Za-z0-9_.@-]{1,64}$"
"""
The user names there may be: what Basic authentication, URIs and logs carry as it is.
"""


class NameTakenError(PermanentError):
    """
    Another account has the user name.
    """


class TooManyAccountsError(PermanentError):
    """
    There are as many accounts as there may be.
    """


class AccountMissingError(PermanentError):
    """
    There is no account of this id.
    """


class LastAdministratorError(PermanentError):
    """
    Without this account nobody could administer any more; it stayed as it was.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """
    What is to be another; None is as it is.
    """

    password: str | None = None
    role: Role | None = None
    is_enabled: bool | None = None


class ManageAccounts:
    """
    Threads may share it.
    """

    def __init__(
        self,
        *,
        accounts: AccountStore,
        sessions: SessionStore,
        passwords: PasswordHasher,
        new_id: Callable[[], str],
        audit: Audit = NOT_KEPT,
    ) -> None:
        self._audit = audit
        self._accounts = accounts
        self._sessions = sessions
        self._passwords = passwords
        self._new_id = new_id

    def create(self, user_name: str, password: str, role: Role, *, is_enabled: bool = True) -> Account:
        """
        Add an account.

        Raises:
            NameTakenError, TooManyAccountsError: nothing was added.
        """
        account = self._new(user_name, password, role, is_enabled=is_enabled)

        def added(everybody: tuple[Account, ...]) -> tuple[Account, ...]:
            if any(one.user_name == user_name for one in everybody):
                raise NameTakenError(f"there is an account {user_name} already")
            if len(everybody) >= MOST_ACCOUNTS:
                raise TooManyAccountsError(f"there are {MOST_ACCOUNTS} accounts; no more are kept")
            return (*everybody, account)

        with self._audit(Action.ACCOUNT_CREATED, detail=f"{user_name}, {role}") as note:
            self._accounts.update(added)
            note.subject = account.account_id
        log.info("account.created", account_id=account.account_id, role=role)
        return account

    def change(self, account_id: str, change: AccountChange, *, check: Callable[[Account], None]) -> Account:
        """
        Change an account. Its sessions end with a new password, and when it is disabled.

        Args:
            check: sees the account as it stands right before the change; what it raises comes through.

        Raises:
            AccountMissingError, LastAdministratorError: nothing was changed.
        """
        password_hash = None if change.password is None else self._passwords.hash(change.password)

        def changed(everybody: tuple[Account, ...]) -> tuple[Account, ...]:
            found = _of(account_id, everybody)
            check(found)
            new = replace(
                found,
                password_hash=found.password_hash if password_hash is None else password_hash,
                role=found.role if change.role is None else change.role,
                is_enabled=found.is_enabled if change.is_enabled is None else change.is_enabled,
            )
            return _checked(tuple(new if one is found else one for one in everybody))

        given = {"password": change.password, "role": change.role, "is_enabled": change.is_enabled}
        what = ", ".join(name for name, value in given.items() if value is not None)
        with self._audit(Action.ACCOUNT_CHANGED, account_id, detail=what):
            account = _of(account_id, self._accounts.update(changed))
        log.info("account.changed", account_id=account_id)
        if password_hash is not None or not account.is_enabled:
            self._end_sessions(account_id)
        return account

    def delete(self, account_id: str, *, check: Callable[[Account], None]) -> None:
        """
        Remove an account; its sessions end.

        Raises:
            AccountMissingError, LastAdministratorError: nothing was removed.
        """

        def removed(everybody: tuple[Account, ...]) -> tuple[Account, ...]:
            found = _of(account_id, everybody)
            check(found)
            return _checked(tuple(one for one in everybody if one is not found))

        with self._audit(Action.ACCOUNT_DELETED, account_id):
            self._accounts.update(removed)
        log.info("account.deleted", account_id=account_id)
        self._end_sessions(account_id)

    def create_first(self, user_name: str, password: str) -> bool:
        """
        Add an Administrator when there is no account at all. Of several that try at the same time, one does.

        Returns:
            whether this call did.
        """
        if self._accounts.everybody():
            return False
        account = self._new(user_name, password, Role.ADMINISTRATOR, is_enabled=True)
        return account in self._accounts.update(lambda everybody: everybody or (account,))

    def _new(self, user_name: str, password: str, role: Role, *, is_enabled: bool) -> Account:
        return Account(
            account_id=self._new_id(),
            user_name=user_name,
            password_hash=self._passwords.hash(password),
            role=role,
            is_enabled=is_enabled,
        )

    def _end_sessions(self, account_id: str) -> None:
        for session in self._sessions.everything():
            if session.account_id == account_id:
                self._sessions.delete(session.session_id)


def is_user_name(text: str) -> bool:
    """
    Whether an account may be called so.
    """
    return re.fullmatch(USER_NAME, text) is not None


def _of(account_id: str, everybody: tuple[Account, ...]) -> Account:
    for account in everybody:
        if account.account_id == account_id:
            return account
    raise AccountMissingError(f"there is no account {account_id}")


def _checked(everybody: tuple[Account, ...]) -> tuple[Account, ...]:
    if not any(one.role is Role.ADMINISTRATOR and one.is_enabled for one in everybody):
        raise LastAdministratorError("it is the last enabled Administrator")
    return everybody
