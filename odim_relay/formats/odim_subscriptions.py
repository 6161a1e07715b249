"""
Rows of ODIM's Redis about subscriptions, each by itself: what it says, or why it says nothing.

Source: ODIM 23.08, svc-events/evmodel/events.go. The rules where a row leaves room:

* A subscription keeps ODIM's id where that is a UUID; else its id is made from ODIM's, always the same.
* The row that every installation is born with, id `0` and no Destination, is no subscriber's.
* An entry of OriginResources may be a link or the URI alone. Entries that are empty or `/` name nothing and are left
  out; a row that has no others is not read, for without a filter it would get everything.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from odim_relay.domain.event import EventFormat
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters, RetryPolicy, Subscription
from odim_relay.domain.subscription_flaws import LONGEST_NAME
from odim_relay.formats import Undecodable
from odim_relay.formats.json_text import kind_of, read_json
from odim_relay.formats.odim_rows import MOST_SHOWN, RowFlaw, shown, uri_in, uuid_in

_IDS = UUID("f2d7ad5c-5d7c-4b7b-9d5c-6a8ac6b7a3f1")
"""
Namespace of the ids that stand for those of ODIM that are no UUIDs.
"""
_DEFAULT_ID = "0"
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ID = re.compile(r'"SubscriptionID"\s*:\s*"([^"]+)"')
_SHOWN_OF_ROW = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRow:
    """
    What a member of `Subscription` says.

    Attributes:
        subscription: with keeper ODIM. Whether its destination can be sent to is not asked here.
        odim_id: ODIM's own id of it.
        user_name: of ODIM's account that made it. It is no account here, and so not the subscription's owner.
        differences: what is not as ODIM has it, in words for a person.
    """

    subscription: Subscription
    odim_id: str
    user_name: str = ""
    differences: tuple[str, ...] = ()


def read_subscription(member: str) -> SubscriptionRow | RowFlaw:
    """
    Read a member of `Subscription`; never raises.

    Returns:
        the subscription; else a flaw: `not_json`, `not_an_object`, `no_id`, `default_subscription`, `no_destination`,
        `wrong_member`, `no_origin`, `unknown_format`, `not_redfish_event`.
    """
    row = _object_in(member)
    if isinstance(row, RowFlaw):
        return row
    odim_id = row.get("SubscriptionID")
    if not isinstance(odim_id, str) or not odim_id:
        return RowFlaw(reason="no_id", detail=f"{_named(member)}: has no SubscriptionID")
    body = row.get("EventDestination")
    if not isinstance(body, dict):
        return RowFlaw(reason="wrong_member", detail=f"{odim_id[:MOST_SHOWN]}: EventDestination is {kind_of(body)}")
    try:
        return _subscription(odim_id, body, _Members(row).text("UserName"))
    except _WrongMemberError as wrong:
        return RowFlaw(reason=wrong.reason, detail=f"{odim_id[:MOST_SHOWN]}: {wrong}")


def _object_in(member: str) -> dict[str, Any] | RowFlaw:
    row = read_json(member.encode("utf-8", "surrogatepass"))
    if isinstance(row, Undecodable):
        return RowFlaw(reason="not_json", detail=f"{_named(member)}: {row.detail}")
    if "\\u" in member and _SURROGATE.search(json.dumps(row, ensure_ascii=False)):
        # No encoder takes it further, and Go, which writes these rows, writes none.
        return RowFlaw(reason="not_json", detail=f"{_named(member)}: spells half a character")
    if not isinstance(row, dict):
        return RowFlaw(reason="not_an_object", detail=f"{_named(member)}: is {kind_of(row)}, not an object")
    return row


class _WrongMemberError(ValueError):
    """
    What about a row cannot be. `reason` is a flaw's.
    """

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Members:
    """
    Members of an object, each of the type that it must be of; null and missing is empty.
    """

    members: Mapping[str, Any]

    def text(self, name: str) -> str:
        value = self.members.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise _WrongMemberError("wrong_member", f"{name} is {kind_of(value)}, not a string")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._list(name)
        for value in values:
            if not isinstance(value, str):
                raise _WrongMemberError("wrong_member", f"{name} holds {kind_of(value)}, not a string")
        return tuple(dict.fromkeys(values))

    def uris(self, name: str) -> tuple[str, ...]:
        given = self._list(name)
        named = tuple(dict.fromkeys(uri for uri in map(uri_in, given) if uri.strip("/")))
        if given and not named:
            raise _WrongMemberError("no_origin", f"{name} holds no URI of a resource, so it would match everything")
        return named

    def flag(self, name: str) -> bool:
        value = self.members.get(name)
        if not isinstance(value, bool | None):
            raise _WrongMemberError("wrong_member", f"{name} is {kind_of(value)}, not true or false")
        return bool(value)

    def _list(self, name: str) -> list[Any]:
        value = self.members.get(name)
        if not isinstance(value, list | None):
            raise _WrongMemberError("wrong_member", f"{name} is {kind_of(value)}, not an array")
        return value or []


def _subscription(odim_id: str, body: Mapping[str, Any], user_name: str) -> SubscriptionRow:
    members = _Members(body)
    destination = members.text("Destination")
    if not destination:
        if odim_id == _DEFAULT_ID:
            raise _WrongMemberError("default_subscription", "is what every installation is born with, of no subscriber")
        raise _WrongMemberError("no_destination", "has no Destination")
    kind = members.text("SubscriptionType")
    if kind not in {"", "RedfishEvent"}:
        raise _WrongMemberError(
            "not_redfish_event", f"SubscriptionType is {kind[:MOST_SHOWN]!r}: only RedfishEvent is sent"
        )
    policy, differences = _policy(members.text("DeliveryRetryPolicy"))
    name = members.text("Name")
    if len(name) > LONGEST_NAME:
        differences = (*differences, f"Name is cut to {LONGEST_NAME} characters")
    known = uuid_in(odim_id)
    return SubscriptionRow(
        subscription=Subscription(
            subscription_id=str(known or uuid5(_IDS, odim_id)),
            destination=destination,
            name=name[:LONGEST_NAME],
            filters=Filters(
                event_types=members.texts("EventTypes"),
                message_ids=members.texts("MessageIds"),
                resource_types=members.texts("ResourceTypes"),
                origin_resources=members.uris("OriginResources"),
                subordinate_resources=members.flag("SubordinateResources"),
            ),
            event_format=_format(members.text("EventFormatType")),
            context=members.text("Context") or None,
            retry_policy=policy,
            keeper=Keeper.ODIM,
        ),
        odim_id=odim_id,
        user_name=user_name,
        differences=differences,
    )


def _policy(name: str) -> tuple[RetryPolicy, tuple[str, ...]]:
    match name:
        case "":
            return RetryPolicy.FOREVER_WITH_BACKOFF, ()
        case RetryPolicy.TERMINATE:
            # It would be there again as soon as ODIM's rows are read.
            return RetryPolicy.SUSPEND, (f"DeliveryRetryPolicy is {RetryPolicy.SUSPEND} instead of {name}",)
        case RetryPolicy.FOREVER | RetryPolicy.FOREVER_WITH_BACKOFF | RetryPolicy.SUSPEND:
            return RetryPolicy(name), ()
        case _:
            usual = RetryPolicy.FOREVER_WITH_BACKOFF
            return usual, (f"DeliveryRetryPolicy is {usual}: {name[:MOST_SHOWN]!r} is not known",)


def _format(name: str) -> EventFormat:
    try:
        return EventFormat(name or EventFormat.EVENT)
    except ValueError:
        raise _WrongMemberError("unknown_format", f"EventFormatType {name[:MOST_SHOWN]!r} is not known") from None


def _named(member: str) -> str:
    """
    Which row of `Subscription` it is, without what it says: a destination may hold a secret.
    """
    match = _ID.search(member)
    return shown(match[1]) if match else f"{member[:_SHOWN_OF_ROW]!r}..."
