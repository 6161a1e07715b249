"""
Accounts. Source: AccountService v1_18_1, ManagerAccount v1_14_1; Redfish_1.8.0_PrivilegeRegistry.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from pydantic import Field

from odim_relay import bootstrap
from odim_relay.api.http.bodies import Body, read, read_change
from odim_relay.api.http.call import Call
from odim_relay.api.http.collections import PAGING, collection
from odim_relay.api.http.conditions import ETAG, etag_of, require_match, with_etag
from odim_relay.api.http.errors import refusal
from odim_relay.api.http.reply import Reply, with_messages
from odim_relay.api.http.resource import Resource
from odim_relay.api.uris import ACCOUNT_SERVICE, ACCOUNTS, ROLES
from odim_relay.domain.account import Account, Privilege, Role
from odim_relay.use_cases.accounts import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    USER_NAME,
    AccountChange,
    AccountMissingError,
    LastAdministratorError,
    NameTakenError,
    TooManyAccountsError,
)

_KIND = "ManagerAccount"
_LONGEST_NAME = 64
_PASSWORD = Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD, json_schema_extra={"writeOnly": True})


class NewAccount(Body):
    """
    What makes an account.
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset({"Password"})

    user_name: str = Field(min_length=1, max_length=_LONGEST_NAME, pattern=USER_NAME)
    password: str = _PASSWORD
    role_id: Role
    enabled: bool = True


class ChangedAccount(Body):
    """
    What may be changed of an account.
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset({"Password"})

    password: str = Field(
        "", min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD, json_schema_extra={"writeOnly": True}
    )
    role_id: Role = Role.READ_ONLY
    enabled: bool = True


_READ_ONLY = frozenset(
    {"Id", "Name", "Description", "UserName", "AccountTypes", "StrictAccountTypes", "Locked", "Links", "Oem"}
)


def get_service(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
    """
    The service of accounts.
    """
    return Reply(
        body=with_etag(
            {
                "@odata.id": ACCOUNT_SERVICE,
                "@odata.type": "#AccountService.v1_18_1.AccountService",
                "Id": "AccountService",
                "Name": "Account Service",
                "ServiceEnabled": True,
                "HTTPBasicAuth": "Enabled",
                "MinPasswordLength": SHORTEST_PASSWORD,
                "MaxPasswordLength": LONGEST_PASSWORD,
                "Status": {"State": "Enabled", "Health": "OK"},
                "Accounts": {"@odata.id": ACCOUNTS},
                "Roles": {"@odata.id": ROLES},
            }
        )
    )


def list_accounts(call: Call) -> Reply:
    """
    Who may log in.
    """
    ids = [account.account_id for account in bootstrap.account_store().everybody()]
    return Reply(body=collection(call, uri=ACCOUNTS, kind=_KIND, name="Accounts", member_ids=ids))


def create_account(call: Call) -> Reply:
    """
    Let somebody else log in.
    """
    body = read(NewAccount, call.document())
    try:
        account = bootstrap.manage_accounts().create(
            body.user_name, body.password, body.role_id, is_enabled=body.enabled
        )
    except NameTakenError:
        related = ("#/UserName",)
        raise refusal(409, "ResourceAlreadyExists", _KIND, "UserName", body.user_name, related=related) from None
    except TooManyAccountsError:
        raise refusal(400, "CreateLimitReachedForResource") from None
    document = _account(account)
    return Reply(status=201, body=document, headers={"Location": document["@odata.id"]})


def get_account(call: Call) -> Reply:
    """
    One account; others' only for who manages the service or its users.
    """
    account_id = call.params["account_id"]
    _require(call, account_id, Privilege.CONFIGURE_USERS, Privilege.CONFIGURE_MANAGER)
    account = bootstrap.account_store().get(account_id)
    if account is None:
        raise refusal(404, "ResourceNotFound", _KIND, account_id)
    return Reply(body=_account(account))


def patch_account(call: Call) -> Reply:
    """
    Change an account; its own password anybody may.
    """
    account_id = call.params["account_id"]
    _require(call, account_id, Privilege.CONFIGURE_USERS)
    change = read_change(ChangedAccount, call.document(), read_only=_READ_ONLY)
    given = change.values.model_fields_set
    if given - {"password"} and not call.has(Privilege.CONFIGURE_USERS):
        raise refusal(403, "InsufficientPrivilege")
    wish = AccountChange(
        password=change.values.password if "password" in given else None,
        role=change.values.role_id if "role_id" in given else None,
        is_enabled=change.values.enabled if "enabled" in given else None,
    )
    with _told(account_id):
        try:
            account = bootstrap.manage_accounts().change(
                account_id, wish, check=lambda found: require_match(call, _account(found)[ETAG])
            )
        except LastAdministratorError:
            names = ("Enabled", "RoleId") if wish.is_enabled is False else ("RoleId", "Enabled")
            raise refusal(400, "PropertyValueConflict", *names, related=(f"#/{names[0]}",)) from None
    return Reply(body=with_messages(_account(account), change.problems))


def delete_account(call: Call) -> Reply:
    """
    Let somebody log in no more.
    """
    account_id = call.params["account_id"]
    with _told(account_id):
        try:
            bootstrap.manage_accounts().delete(
                account_id, check=lambda found: require_match(call, _account(found)[ETAG])
            )
        except LastAdministratorError:
            raise refusal(403, "ResourceCannotBeDeleted") from None
    return Reply(status=204)


def _require(call: Call, account_id: str, *privileges: Privilege) -> None:
    is_own = call.account is not None and call.account.account_id == account_id
    if not is_own and not any(call.has(privilege) for privilege in privileges):
        raise refusal(403, "InsufficientPrivilege")


@contextmanager
def _told(account_id: str) -> Iterator[None]:
    try:
        yield
    except AccountMissingError:
        raise refusal(404, "ResourceNotFound", _KIND, account_id) from None


def _account(account: Account) -> dict[str, Any]:
    document = {
        "@odata.id": f"{ACCOUNTS}/{account.account_id}",
        "@odata.type": "#ManagerAccount.v1_14_1.ManagerAccount",
        "Id": account.account_id,
        "Name": "Account",
        "UserName": account.user_name,
        "Password": None,
        "RoleId": account.role,
        "Enabled": account.is_enabled,
        "Locked": False,
        "AccountTypes": ["Redfish"],
        "Links": {"Role": {"@odata.id": f"{ROLES}/{account.role}"}},
    }
    # Another password is another state, though the document is the same.
    return {**document, ETAG: etag_of({**document, "Password": account.password_hash})}


_USERS = frozenset({Privilege.CONFIGURE_USERS})

RESOURCES = (
    Resource(path=ACCOUNT_SERVICE, schema="AccountService.v1_18_1", handlers={"GET": get_service}),
    Resource(
        path=ACCOUNTS,
        schema="ManagerAccountCollection",
        handlers={"GET": list_accounts, "POST": create_account},
        privileges={"POST": _USERS},
        aliases=(f"{ACCOUNTS}/Members",),
        queries=PAGING,
        bodies={"POST": NewAccount},
    ),
    Resource(
        path=f"{ACCOUNTS}/{{account_id}}",
        schema="ManagerAccount.v1_14_1",
        handlers={"GET": get_account, "PATCH": patch_account, "DELETE": delete_account},
        privileges={
            "GET": frozenset({Privilege.CONFIGURE_MANAGER, Privilege.CONFIGURE_USERS, Privilege.CONFIGURE_SELF}),
            "PATCH": frozenset({Privilege.CONFIGURE_USERS, Privilege.CONFIGURE_SELF}),
            "DELETE": _USERS,
        },
        bodies={"PATCH": ChangedAccount},
    ),
)
