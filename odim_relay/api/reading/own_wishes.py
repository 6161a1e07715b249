"""
What bodies say under `Oem.OdimRelay`, and what it means for a subscription.
"""

from dataclasses import replace
from typing import Any

from odim_relay.api.http.errors import RedfishError
from odim_relay.api.reading.subscription_bodies import AuthenticationBody, OdimRelayBody
from odim_relay.domain.authentication import (
    Authentication,
    AuthenticationKind,
    Basic,
    Bearer,
    ClientCredentials,
    kind_of,
)
from odim_relay.domain.rotation import USUAL_OVERLAP_S, rotated_key, rotated_secret
from odim_relay.domain.subscription import Mode, Subscription
from odim_relay.formats.base_messages import message

_PATH = "Oem/OdimRelay/Authentication"
_MEMBERS = {
    AuthenticationKind.BASIC: ("username", "password"),
    AuthenticationKind.BEARER: ("token",),
    AuthenticationKind.OAUTH2: ("token_url", "client_id", "client_secret", "scope"),
}
_SPELLED = {"token_url": "token_uri"}
"""
Members whose name in Redfish is another.
"""


def own_changed(subscription: Subscription, own: OdimRelayBody | None, *, now_s: float) -> Subscription:
    """
    The subscription as `own` wants it. What is not in it stays as it is. A secret that another takes the place of signs
    too for a day yet.

    Args:
        now_s: seconds since the epoch.

    Raises:
        RedfishError: 400; the members of Authentication do not belong together.
    """
    if own is None:
        return subscription
    members = {
        "mode": own.mode or Mode.AT_LEAST_ONCE,
        "max_in_flight": own.max_in_flight,
        "rate_per_second": own.rate_per_second,
        "retention_seconds": own.retention_seconds,
        "batch_size": own.batch_size,
        "ca_file": own.ca_file or "",
        "certificate_fingerprint": own.certificate_fingerprint or "",
        "client_certificate_file": own.client_certificate_file or "",
        "client_key_file": own.client_key_file or "",
    }
    names = {"rate_per_second": "rate_per_s", "retention_seconds": "retention_s"}
    given = own.model_fields_set
    plain: dict[str, Any] = {names.get(name, name): value for name, value in members.items() if name in given}
    if "authentication" in given:
        plain["authentication"] = _authentication(own.authentication, subscription.authentication)
    wish = replace(subscription, **plain)
    if "signing_secret" in given:
        wish = rotated_secret(wish, own.signing_secret or "", now_s=now_s, overlap_s=USUAL_OVERLAP_S)
    if "signing_key" in given:
        wish = rotated_key(wish, own.signing_key or "", now_s=now_s, overlap_s=USUAL_OVERLAP_S)
    return wish


def _authentication(body: AuthenticationBody | None, known: Authentication | None) -> Authentication | None:
    """
    Members that are not given are those that are known, of the same kind.
    """
    if body is None:
        return None
    kind = body.kind or (kind_of(known) if known is not None else None)
    if kind is None:
        raise RedfishError(400, _told("PropertyMissing", "Kind"))
    given = {name: getattr(body, _SPELLED.get(name, name)) for name in _MEMBERS[kind]}
    base = known if known is not None and kind_of(known) is kind else None
    strange = _given(body) - {_SPELLED.get(name, name) for name in _MEMBERS[kind]}
    if strange:
        raise RedfishError(400, *(_conflict(name) for name in sorted(strange)))
    texts: dict[str, str] = {
        name: (getattr(base, name, "") if value is None else value) or "" for name, value in given.items()
    }
    match kind:
        case AuthenticationKind.BASIC:
            return Basic(**texts)
        case AuthenticationKind.BEARER:
            return Bearer(**texts)
        case AuthenticationKind.OAUTH2:
            return ClientCredentials(**texts)


def _given(body: AuthenticationBody) -> set[str]:
    named = body.model_fields_set - {"kind", "odata_type"}
    return {name for name in named if getattr(body, name) is not None}


def _told(key: str, member: str) -> dict[str, Any]:
    path = f"{_PATH}/{member}"
    return message(key, path, related=(f"#/{path}",))


def _conflict(name: str) -> dict[str, Any]:
    member = AuthenticationBody.model_fields[name].alias or name
    path = f"{_PATH}/{member}"
    said = message("PropertyValueConflict", path, f"{_PATH}/Kind", related=(f"#/{path}",))
    return {**said, "Resolution": f"{member} is no member of this kind of Authentication."}
