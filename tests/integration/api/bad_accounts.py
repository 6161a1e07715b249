"""
Log-ins, sessions and accounts that cannot be.
"""

from typing import Any, Final

from tests.integration.api.bad_input import PASSWORD_OF_NOBODY, Bad, Said, property_said
from tests.support.redfish_client import ACCOUNT_SERVICE, ACCOUNTS, ROLES, SESSION_SERVICE, SESSIONS


def _account(name: str, *says: Said, status: int = 400, **members: Any) -> Bad:
    document = {"UserName": "somebody", "Password": PASSWORD_OF_NOBODY, "RoleId": "ReadOnly", **members}
    return Bad(
        name=f"an account with {name}",
        says=says,
        status=status,
        path=ACCOUNTS,
        document={key: value for key, value in document.items() if value is not ...},
    )


ACCOUNTS_MADE: Final = (
    _account("no user name", property_said("PropertyMissing", "UserName"), UserName=...),
    _account("no password", property_said("PropertyMissing", "Password"), Password=...),
    _account("no role", property_said("PropertyMissing", "RoleId"), RoleId=...),
    _account("an unknown member", property_said("PropertyUnknown", "Colour"), Colour="red"),
    _account("a number for a name", property_said("PropertyValueTypeError", "UserName", value="5"), UserName=5),
    _account(
        "a list for a password", Said("PropertyValueTypeError", None, "#/Password"), Password=[PASSWORD_OF_NOBODY]
    ),
    _account("a role that is none", property_said("PropertyValueNotInList", "RoleId", value="King"), RoleId="King"),
    _account("a short password", Said("StringValueTooShort", None, "#/Password"), Password="short"),
    _account("a long password", Said("StringValueTooLong", None, "#/Password"), Password=PASSWORD_OF_NOBODY * 100),
    _account("a long name", Said("StringValueTooLong", None, "#/UserName"), UserName="n" * 1_000),
    _account("a colon in its name", Said("PropertyValueFormatError", None, "#/UserName"), UserName="a:b"),
    _account("an empty name", Said("StringValueTooShort", None, "#/UserName"), UserName=""),
    _account(
        "a name that is taken",
        Said("ResourceAlreadyExists", ("ManagerAccount", "UserName", "reader")),
        status=409,
        UserName="reader",
    ),
)

ACCOUNTS_CHANGED: Final = (
    Bad(
        name="another id for an account",
        says=(property_said("PropertyNotWritable", "Id"),),
        method="PATCH",
        path="{reader}",
        document={"Id": "7"},
    ),
    Bad(
        name="a role that is none for an account",
        says=(property_said("PropertyValueNotInList", "RoleId", value="King"),),
        method="PATCH",
        path="{reader}",
        document={"RoleId": "King"},
    ),
    Bad(
        name="nothing of an account",
        says=(Said("EmptyJSON"),),
        method="PATCH",
        path="{reader}",
        document={},
    ),
    Bad(
        name="a change under a condition that does not hold",
        says=(Said("PreconditionFailed"),),
        status=412,
        method="PATCH",
        path="{reader}",
        headers={"If-Match": '"of another time"'},
        document={"RoleId": "Operator"},
    ),
    Bad(
        name="the last administrator's account deleted",
        says=(Said("ResourceCannotBeDeleted"),),
        status=403,
        method="DELETE",
        path="{account}",
    ),
    Bad(
        name="the last administrator's account disabled",
        says=(Said("PropertyValueConflict", None, "#/Enabled"),),
        method="PATCH",
        path="{account}",
        document={"Enabled": False},
    ),
    Bad(
        name="a standard role changed",
        says=(Said("OperationNotAllowed"),),
        status=405,
        method="PATCH",
        path=f"{ROLES}/ReadOnly",
        document={"AssignedPrivileges": ["Login", "ConfigureManager"]},
    ),
)

LOG_INS: Final = (
    Bad(
        name="a log-in without a password",
        says=(property_said("PropertyMissing", "Password"),),
        who="nobody",
        path=SESSIONS,
        document={"UserName": "admin"},
    ),
    Bad(
        name="a log-in with a number for a name",
        says=(property_said("PropertyValueTypeError", "UserName", value="5"),),
        who="nobody",
        path=SESSIONS,
        document={"UserName": 5, "Password": PASSWORD_OF_NOBODY},
    ),
    Bad(
        name="a log-in with an unknown member",
        says=(property_said("PropertyUnknown", "Colour"),),
        who="nobody",
        path=SESSIONS,
        document={"UserName": "stranger", "Password": PASSWORD_OF_NOBODY, "Colour": "red"},
    ),
    Bad(
        name="a log-in that nobody has",
        says=(Said("ResourceAtUriUnauthorized"),),
        status=401,
        who="nobody",
        path=SESSIONS,
        document={"UserName": "stranger", "Password": PASSWORD_OF_NOBODY},
    ),
)

SERVICES: Final = (
    Bad(
        name="a session that ends too soon",
        says=(property_said("PropertyValueOutOfRange", "SessionTimeout", value="29"),),
        method="PATCH",
        path=SESSION_SERVICE,
        document={"SessionTimeout": 29},
    ),
    Bad(
        name="a session that never ends",
        says=(property_said("PropertyValueOutOfRange", "SessionTimeout", value="86401"),),
        method="PATCH",
        path=SESSION_SERVICE,
        document={"SessionTimeout": 86_401},
    ),
    Bad(
        name="a session's time in quotes",
        says=(property_said("PropertyValueTypeError", "SessionTimeout", value="60"),),
        method="PATCH",
        path=SESSION_SERVICE,
        document={"SessionTimeout": "60"},
    ),
    Bad(
        name="the account service deleted",
        says=(Said("OperationNotAllowed"),),
        status=405,
        method="DELETE",
        path=ACCOUNT_SERVICE,
    ),
)

TABLE: Final = (*ACCOUNTS_MADE, *ACCOUNTS_CHANGED, *LOG_INS, *SERVICES)
