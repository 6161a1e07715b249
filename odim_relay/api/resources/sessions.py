"""
Sessions: log-ins that last. Source: SessionService v1_2_0, Session v1_8_0; DSP0266, session management.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import Field

from odim_relay import bootstrap
from odim_relay.api.authentication import CHALLENGE, refused_for_now
from odim_relay.api.http.bodies import Body, read, read_change
from odim_relay.api.http.call import Call
from odim_relay.api.http.collections import PAGING, collection
from odim_relay.api.http.conditions import require_match, with_etag
from odim_relay.api.http.errors import refusal
from odim_relay.api.http.reply import Reply, with_messages
from odim_relay.api.http.resource import Resource
from odim_relay.api.uris import SESSION_SERVICE, SESSIONS
from odim_relay.domain.account import Privilege, Session
from odim_relay.ports import Action
from odim_relay.use_cases.accounts import LONGEST_PASSWORD
from odim_relay.use_cases.log_in import TooManyFailuresError, TooManySessionsError, WrongCredentialsError

_LONGEST_NAME = 256


class LogInBody(Body):
    """
    What begins a session.
    """

    SECRETS: ClassVar[frozenset[str]] = frozenset({"Password"})

    user_name: str = Field(max_length=_LONGEST_NAME)
    password: str = Field(max_length=LONGEST_PASSWORD, json_schema_extra={"writeOnly": True})


class SessionServiceBody(Body):
    """
    What may be changed of the service.
    """

    session_timeout: int = Field(1_800, ge=30, le=86_400)


_SERVICE_READ_ONLY = frozenset({"Id", "Name", "Description", "ServiceEnabled", "Sessions", "Status", "Oem"})


def get_service(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
    """
    The service of sessions.
    """
    return Reply(body=_service())


def patch_service(call: Call) -> Reply:
    """
    Change how long a session lasts without use.
    """
    change = read_change(SessionServiceBody, call.document(), read_only=_SERVICE_READ_ONLY)
    require_match(call, _service()["@odata.etag"])
    seconds = change.values.session_timeout
    with bootstrap.audit()(Action.SESSIONS_CHANGED, detail=f"timeout_s={seconds}"):
        bootstrap.session_store().set_timeout_s(seconds)
    return Reply(body=with_messages(_service(), change.problems))


def _service() -> dict[str, Any]:
    return with_etag(
        {
            "@odata.id": SESSION_SERVICE,
            "@odata.type": "#SessionService.v1_2_0.SessionService",
            "Id": "SessionService",
            "Name": "Session Service",
            "ServiceEnabled": True,
            "SessionTimeout": bootstrap.session_store().timeout_s(),
            "Status": {"State": "Enabled", "Health": "OK"},
            "Sessions": {"@odata.id": SESSIONS},
        }
    )


def list_sessions(call: Call) -> Reply:
    """
    Who is logged in.
    """
    ids = [session.session_id for session in bootstrap.session_store().everything()]
    return Reply(body=collection(call, uri=SESSIONS, kind="Session", name="Sessions", member_ids=ids))


def create_session(call: Call) -> Reply:
    """
    Log in; the token is in `X-Auth-Token`, here and never again.
    """
    body = read(LogInBody, call.document())
    try:
        opened = bootstrap.log_in().begin(body.user_name, body.password, call.client)
    except WrongCredentialsError as exc:
        raise refusal(401, "ResourceAtUriUnauthorized", SESSIONS, exc, headers=CHALLENGE) from None
    except TooManyFailuresError as exc:
        raise refused_for_now(exc) from None
    except TooManySessionsError:
        raise refusal(503, "SessionLimitExceeded", headers={"Retry-After": "30"}) from None
    document = _session(opened.session)
    return Reply(status=201, body=document, headers={"Location": document["@odata.id"], "X-Auth-Token": opened.token})


def get_session(call: Call) -> Reply:
    """
    One session; others' only for who manages the service.
    """
    return Reply(body=_session(_found(call)))


def delete_session(call: Call) -> Reply:
    """
    Log out; others only by who manages the service.
    """
    session = _found(call)
    require_match(call, _session(session)["@odata.etag"])
    bootstrap.log_in().end(session.session_id)
    return Reply(status=204)


def _found(call: Call) -> Session:
    session_id = call.params["session_id"]
    session = bootstrap.session_store().get(session_id)
    if session is None:
        raise refusal(404, "ResourceNotFound", "Session", session_id)
    is_own = call.account is not None and call.account.account_id == session.account_id
    if not is_own and not call.has(Privilege.CONFIGURE_MANAGER):
        raise refusal(403, "InsufficientPrivilege")
    return session


def _session(session: Session) -> dict[str, Any]:
    return with_etag(
        {
            "@odata.id": f"{SESSIONS}/{session.session_id}",
            "@odata.type": "#Session.v1_8_0.Session",
            "Id": session.session_id,
            "Name": "Session",
            "UserName": session.user_name,
            "Password": None,
            "SessionType": "Redfish",
            "ClientOriginIPAddress": session.client or None,
            "CreatedTime": datetime.fromtimestamp(session.created_at_s, UTC).isoformat(),
        }
    )


_OWN_OR_ALL = frozenset({Privilege.CONFIGURE_MANAGER, Privilege.CONFIGURE_SELF})

RESOURCES = (
    Resource(
        path=SESSION_SERVICE,
        schema="SessionService.v1_2_0",
        handlers={"GET": get_service, "PATCH": patch_service},
        privileges={"PATCH": frozenset({Privilege.CONFIGURE_MANAGER})},
        bodies={"PATCH": SessionServiceBody},
    ),
    Resource(
        path=SESSIONS,
        schema="SessionCollection",
        handlers={"GET": list_sessions, "POST": create_session},
        open_methods=frozenset({"POST"}),
        aliases=(f"{SESSIONS}/Members",),
        queries=PAGING,
        bodies={"POST": LogInBody},
    ),
    Resource(
        path=f"{SESSIONS}/{{session_id}}",
        schema="Session.v1_8_0",
        handlers={"GET": get_session, "DELETE": delete_session},
        privileges={"GET": _OWN_OR_ALL, "DELETE": _OWN_OR_ALL},
    ),
)
