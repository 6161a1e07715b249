"""
The standard roles. Source: Role v1_3_3; DSP0266, roles.
"""

from odim_relay.api.http.call import Call
from odim_relay.api.http.collections import PAGING, collection
from odim_relay.api.http.conditions import with_etag
from odim_relay.api.http.errors import refusal
from odim_relay.api.http.reply import Reply
from odim_relay.api.http.resource import Resource
from odim_relay.api.uris import ROLES
from odim_relay.domain.account import PRIVILEGES, Privilege, Role


def list_roles(call: Call) -> Reply:
    """
    The standard roles; there are no others.
    """
    return Reply(body=collection(call, uri=ROLES, kind="Role", name="Roles", member_ids=list(Role)))


def get_role(call: Call) -> Reply:
    """
    What a role may do.
    """
    role_id = call.params["role_id"]
    if role_id not in set(Role):
        raise refusal(404, "ResourceNotFound", "Role", role_id)
    role = Role(role_id)
    return Reply(
        body=with_etag(
            {
                "@odata.id": f"{ROLES}/{role}",
                "@odata.type": "#Role.v1_3_3.Role",
                "Id": role,
                "Name": f"{role} Role",
                "RoleId": role,
                "IsPredefined": True,
                "AssignedPrivileges": [privilege for privilege in Privilege if privilege in PRIVILEGES[role]],
                "OemPrivileges": [],
            }
        )
    )


RESOURCES = (
    Resource(path=ROLES, schema="RoleCollection", handlers={"GET": list_roles}, queries=PAGING),
    Resource(path=f"{ROLES}/{{role_id}}", schema="Role.v1_3_3", handlers={"GET": get_role}),
)
