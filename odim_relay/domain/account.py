"""
Who may do what at the API. Source: DSP0266, privilege model; Redfish_1.8.0_PrivilegeRegistry.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Privilege(StrEnum):
    """
    What an operation asks of who calls it.
    """

    LOGIN = "Login"
    CONFIGURE_MANAGER = "ConfigureManager"
    CONFIGURE_USERS = "ConfigureUsers"
    CONFIGURE_SELF = "ConfigureSelf"
    CONFIGURE_COMPONENTS = "ConfigureComponents"


class Role(StrEnum):
    """
    The three standard roles.
    """

    ADMINISTRATOR = "Administrator"
    OPERATOR = "Operator"
    READ_ONLY = "ReadOnly"


PRIVILEGES: MappingProxyType[Role, frozenset[Privilege]] = MappingProxyType(
    {
        Role.ADMINISTRATOR: frozenset(Privilege),
        Role.OPERATOR: frozenset({Privilege.LOGIN, Privilege.CONFIGURE_SELF, Privilege.CONFIGURE_COMPONENTS}),
        Role.READ_ONLY: frozenset({Privilege.LOGIN, Privilege.CONFIGURE_SELF}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    Somebody who may log in.

    Attributes:
        account_id: stands in its URI, and never changes.
        user_name: unique among all accounts.
        password_hash: argon2, in its own text form; a secret.
        is_enabled: False refuses every log-in.
    """

    account_id: str
    user_name: str
    password_hash: str
    role: Role
    is_enabled: bool = True

    def has(self, privilege: Privilege) -> bool:
        """
        Whether its role has the privilege.
        """
        return privilege in PRIVILEGES[self.role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """
    A log-in that lasts until it is not used for a while.

    Attributes:
        session_id: stands in its URI; no secret.
        created_at_s: seconds since the epoch.
        client: address of who opened it.
    """

    session_id: str
    account_id: str
    user_name: str
    created_at_s: int
    client: str = ""
