"""
Where accounts are kept, and how their passwords are.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from odim_relay.domain.account import Account

Accounts: TypeAlias = tuple[Account, ...]


class AccountStore(Protocol):
    """
    Who may log in. All of them are read and changed together: they are few, and the rules are about all.
    """

    def everybody(self) -> Accounts:
        """
        Read all, by user name.
        """
        ...

    def get(self, account_id: str) -> Account | None:
        """
        Read one.
        """
        ...

    def update(self, change: Callable[[Accounts], Accounts]) -> Accounts:
        """
        Replace them by what `change` makes of them; called again when another changed any of them meanwhile.

        What `change` raises comes through, and nothing is written then.
        """
        ...


class PasswordHasher(Protocol):
    """
    Passwords, as hashes that tell nothing of them. Both methods take long on purpose.
    """

    def hash(self, password: str) -> str:
        """
        A hash with a salt of its own: never the same twice.
        """
        ...

    def verify(self, password_hash: str, password: str) -> bool:
        """
        Whether the hash is of this password; for an empty hash it takes as long and is False.
        """
        ...

    def remembers(self, password_hash: str, password: str) -> bool:
        """
        Whether `verify` found so a short while ago; takes no time.
        """
        ...
