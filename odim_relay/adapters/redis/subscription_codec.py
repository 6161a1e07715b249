"""
Subscriptions as the documents that Redis keeps. Their form has a version, for those that come later.

What is secret stands in one member, `sealed`, encrypted and bound to the subscription's id. All else stands as it is:
which events a subscription wants is known also where its secrets cannot be read, and no event passes it by.
"""

import json
from dataclasses import asdict
from typing import Any

from odim_relay.domain.authentication import (
    Authentication,
    AuthenticationKind,
    Basic,
    Bearer,
    ClientCredentials,
    kind_of,
)
from odim_relay.domain.destination import without_secrets
from odim_relay.domain.event import EventFormat
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.signing import RetiredSecret
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription, SubscriptionType
from odim_relay.errors import SealedError
from odim_relay.ports import Sealer, SealState

_VERSION = 1
_SEALED_VERSION = 2
_AUTHENTICATIONS: dict[str, type[Basic | Bearer | ClientCredentials]] = {
    AuthenticationKind.BASIC: Basic,
    AuthenticationKind.BEARER: Bearer,
    AuthenticationKind.OAUTH2: ClientCredentials,
}


class SubscriptionCodec:
    """
    Writes and reads the documents.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def encode(self, subscription: Subscription) -> str:
        """
        The document of a subscription.

        Raises:
            SealedError: its secrets are not known, and would be lost.
        """
        if subscription.sealed_by:
            raise SealedError(_named(subscription.subscription_id), subscription.sealed_by)
        members = _members(subscription)
        open_members = _without_secrets(members)
        secrets = {name: value for name, value in members.items() if value != open_members[name]}
        if not secrets or not self._sealer.can_seal:
            return _written({"version": _VERSION, **members})
        sealed = self._sealer.seal(_written(secrets), bound_to=_named(subscription.subscription_id))
        return _written({"version": _SEALED_VERSION, **open_members, "sealed": sealed})

    def decode(self, document: bytes | str) -> Subscription:
        """
        The subscription of a document; one whose secrets cannot be read says so, and lacks them.
        """
        members: dict[str, Any] = json.loads(document)
        members.pop("version")
        if (sealed := members.pop("sealed", None)) is not None:
            try:
                members |= json.loads(self._sealer.open(sealed, bound_to=_named(members["subscription_id"])))
            except SealedError as exc:
                members["sealed_by"] = exc.key_id
        return _subscription(members)

    def state(self, document: bytes | str) -> SealState | None:
        """
        How a document's secrets stand; None when it has none.
        """
        sealed = json.loads(document).get("sealed")
        if sealed is None:
            members = _members(self.decode(document))
            return None if members == _without_secrets(members) else SealState.PLAIN
        if self.decode(document).sealed_by:
            return SealState.UNREADABLE
        return SealState.CURRENT if self._sealer.is_current(sealed) else SealState.OLDER


def _named(subscription_id: str) -> str:
    return f"subscription {subscription_id}"


def _written(members: dict[str, Any]) -> str:
    return json.dumps(members, separators=(",", ":"))


def _members(subscription: Subscription) -> dict[str, Any]:
    members = asdict(subscription)
    del members["sealed_by"]
    if subscription.authentication is not None:
        members["authentication"] = {"kind": kind_of(subscription.authentication), **members["authentication"]}
    return members


def _without_secrets(members: dict[str, Any]) -> dict[str, Any]:
    return {
        **members,
        "destination": without_secrets(members["destination"]),
        "backup_destinations": tuple(map(without_secrets, members["backup_destinations"])),
        "headers": tuple((name, "") for name, _ in members["headers"]),
        "signing_secret": "",
        "signing_key": "",
        "retired_secrets": (),
        "authentication": None,
    }


def _subscription(members: dict[str, Any]) -> Subscription:
    filters: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in members["filters"].items()
    }
    return Subscription(
        **{
            **members,
            "filters": Filters(**filters),
            "event_format": EventFormat(members["event_format"]),
            "retry_policy": RetryPolicy(members.get("retry_policy", RetryPolicy.FOREVER_WITH_BACKOFF)),
            "mode": Mode(members.get("mode", Mode.AT_LEAST_ONCE)),
            "kind": SubscriptionType(members.get("kind", SubscriptionType.REDFISH_EVENT)),
            "keeper": Keeper(members.get("keeper", Keeper.OWN)),
            "backup_destinations": tuple(members.get("backup_destinations", ())),
            "headers": tuple((name, value) for name, value in members["headers"]),
            "retired_secrets": tuple(RetiredSecret(**one) for one in members.get("retired_secrets", ())),
            "authentication": _authentication(members.get("authentication")),
        }
    )


def _authentication(members: dict[str, Any] | None) -> Authentication | None:
    if members is None:
        return None
    rest = {name: value for name, value in members.items() if name != "kind"}
    return _AUTHENTICATIONS[members["kind"]](**rest)
