"""
Rows of ODIM's Redis, each by itself: what it says, or why it says nothing.

Source: ODIM 23.08, svc-events/evmodel/events.go and lib-persistence-manager/persistencemgr/redis.go. The rules where a
row leaves room:

* A subscription keeps ODIM's id where that is a UUID; else its id is made from ODIM's, always the same.
* The row that every installation is born with, id `0` and no Destination, is no subscriber's.
* An entry of OriginResources may be a link or the URI alone. Entries that are empty or `/` name nothing and are left
  out; a row that has no others is not read, for without a filter it would get everything.
* Of a device's origins the first system counts, else the first other resource of the device's own, else the first with
  an id: a fabric. What is below one counts as that one. Collections say nothing about a device.
* The rows of pseudo hosts (`SystemsCollection`) tell of ODIM itself, and are passed over.
* An aggregate without elements stays and stands for nothing. An element that is no URI is left out. That a system is
  gone which a row names is no fault of the row: nothing of it comes any more.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from odim_relay.domain.event import EventFormat
from odim_relay.domain.inventory import Aggregate, Source, device_of, is_pseudo_host
from odim_relay.domain.inventory_entries import Fault, read_aggregate, read_source
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters, RetryPolicy, Subscription
from odim_relay.domain.subscription_flaws import LONGEST_NAME
from odim_relay.formats import Undecodable
from odim_relay.formats.json_text import kind_of, read_json, text_within

UNDELIVERED = "UndeliveredEvents:"
_IDS = UUID("f2d7ad5c-5d7c-4b7b-9d5c-6a8ac6b7a3f1")
"""
Namespace of the ids that stand for those of ODIM that are no UUIDs.
"""
_DEFAULT_ID = "0"
_SHOWN = 80
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SHOWN_OF_ROW = 24
_ID = re.compile(r'"SubscriptionID"\s*:\s*"([^"]+)"')
_MEMBER_OF_COLLECTION = re.compile(r"(/redfish/v1/[^/]+/[^/]+)(?:/.*)?")
_SYSTEMS = "/redfish/v1/systems/"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFlaw:
    """
    Why a row, or a part of it, is not used.

    Attributes:
        reason: a short constant name, `not_json`.
        detail: one line for a person: which row, and what is wrong with it. Never a whole row.
    """

    reason: str
    detail: str


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
        return RowFlaw(reason="wrong_member", detail=f"{odim_id[:_SHOWN]}: EventDestination is {kind_of(body)}")
    try:
        return _subscription(odim_id, body, _Members(row).text("UserName"))
    except _WrongMemberError as wrong:
        return RowFlaw(reason=wrong.reason, detail=f"{odim_id[:_SHOWN]}: {wrong}")


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


def read_device(member: str) -> Source | RowFlaw | None:
    """
    Read a member of `DeviceSubscription`, `{host}||{URL}||[{origin} {origin} ...]`; never raises.

    Returns:
        which machine the host is; None for a pseudo host; else a flaw: `not_a_row`, `no_origin`, `wrong_address`,
        `wrong_origin`.
    """
    host, first, rest = member.partition("||")
    _, second, origins = rest.rpartition("||")
    listed = _listed(origins)
    if not first or not second or listed is None:
        return RowFlaw(reason="not_a_row", detail=f"{_shown(member)}: is not HOST||URL||[ORIGIN ...]")
    if is_pseudo_host(host):
        return None
    origin = _origin_among(listed)
    if not origin:
        return RowFlaw(reason="no_origin", detail=f"{_shown(host)}: names no machine, only {_shown(origins)}")
    source = read_source(host, origin)
    if isinstance(source, Fault):
        reason = "wrong_address" if source.member == "address" else "wrong_origin"
        return RowFlaw(reason=reason, detail=f"{_shown(host)}: {source}")
    return source


def read_aggregate_hosts(member: str) -> tuple[str, tuple[str, ...]] | RowFlaw:
    """
    Read a member of `AggregateToHost`, `{id}||[{address} ...]`; never raises.

    Returns:
        the aggregate's id and the addresses as they stand there; else a flaw: `not_a_row`.
    """
    id_, separator, rest = member.partition("||")
    addresses = _listed(rest)
    if not id_ or not separator or addresses is None:
        return RowFlaw(reason="not_a_row", detail=f"{_shown(member)}: is not AGGREGATE||[ADDRESS ...]")
    return id_, tuple(addresses)


def read_aggregate_document(uri: str, document: str) -> tuple[Aggregate | None, tuple[RowFlaw, ...]]:
    """
    Read what stands at `Aggregate:{uri}`; never raises.

    Returns:
        the aggregate, None when the document cannot be used; and the flaws: `not_json`, `not_an_object`,
        `wrong_member`, `wrong_aggregate`, and of an aggregate that is there `wrong_element`, `no_elements`.
    """
    value = read_json(document.encode("utf-8", "surrogatepass"))
    if isinstance(value, Undecodable):
        return None, (RowFlaw(reason="not_json", detail=f"{_shown(uri)}: {value.detail}"),)
    if not isinstance(value, dict):
        return None, (RowFlaw(reason="not_an_object", detail=f"{_shown(uri)}: is {kind_of(value)}, not an object"),)
    elements = value.get("Elements") or []
    if not isinstance(elements, list):
        return None, (RowFlaw(reason="wrong_member", detail=f"{_shown(uri)}: Elements is {kind_of(elements)}"),)
    return aggregate_of(uri, [_uri_in(element) for element in elements])


def aggregate_of(name: str, elements: list[str]) -> tuple[Aggregate | None, tuple[RowFlaw, ...]]:
    """
    The aggregate of this id or URI with those of the elements that are URIs, and the flaws, as
    `read_aggregate_document` tells them.
    """
    flaws: list[RowFlaw] = []
    good: list[str] = []
    for element in elements:
        one = read_aggregate("any", [element])
        if isinstance(one, Fault):
            flaws.append(RowFlaw(reason="wrong_element", detail=f"{_shown(name)}: {one}"))
        else:
            good += one.elements
    aggregate = read_aggregate(name, good)
    if isinstance(aggregate, Fault):
        return None, (*flaws, RowFlaw(reason="wrong_aggregate", detail=f"{_shown(name)}: {aggregate}"))
    if not aggregate.elements:
        flaws.append(RowFlaw(reason="no_elements", detail=f"{_shown(name)}: has no elements, and stands for nothing"))
    return aggregate, tuple(flaws)


def read_undelivered_key(key: str) -> tuple[str, str] | RowFlaw:
    """
    Read the key of an event that ODIM could not deliver, `UndeliveredEvents:{destination}:{UUID}`; never raises.

    Returns:
        the destination, which may hold colons itself, and the event's id; else a flaw: `not_an_undelivered_key`.
    """
    destination, separator, id_ = key.removeprefix(UNDELIVERED).rpartition(":")
    if not key.startswith(UNDELIVERED) or not separator or not destination or _uuid(id_) is None:
        detail = f"{_shown(key)}: is not {UNDELIVERED}DESTINATION:UUID"
        return RowFlaw(reason="not_an_undelivered_key", detail=detail)
    return destination, id_


def read_undelivered_value(value: bytes) -> bytes:
    """
    The payload in such an event, byte for byte; where ODIM put it into a JSON string, as it does with MetricReports,
    the text in that. What cannot be read stays as it is.
    """
    # Once by the plugin, of a MetricReport, and once by ODIM's older way of keeping it.
    for _ in range(2):
        value = text_within(value)
    return value


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
        named = tuple(dict.fromkeys(uri for uri in map(_uri_in, given) if uri.strip("/")))
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
            "not_redfish_event", f"SubscriptionType is {kind[:_SHOWN]!r}: only RedfishEvent is sent"
        )
    policy, differences = _policy(members.text("DeliveryRetryPolicy"))
    name = members.text("Name")
    if len(name) > LONGEST_NAME:
        differences = (*differences, f"Name is cut to {LONGEST_NAME} characters")
    known = _uuid(odim_id)
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
            return usual, (f"DeliveryRetryPolicy is {usual}: {name[:_SHOWN]!r} is not known",)


def _format(name: str) -> EventFormat:
    try:
        return EventFormat(name or EventFormat.EVENT)
    except ValueError:
        raise _WrongMemberError("unknown_format", f"EventFormatType {name[:_SHOWN]!r} is not known") from None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _uri_in(link: object) -> str:
    """
    A link's URI without a slash at its end; empty where there is none.
    """
    uri = link.get("@odata.id") if isinstance(link, dict) else link
    return uri.rstrip("/") if isinstance(uri, str) else ""


def _listed(text: str) -> list[str] | None:
    """
    What Go prints for a list of strings: `[a b]`.
    """
    return text[1:-1].split() if text.startswith("[") and text.endswith("]") else None


def _origin_among(origins: list[str]) -> str:
    resources = list(_resources(origins))
    own = [resource for resource in resources if device_of(resource)]
    systems = (resource for resource in own if resource.lower().startswith(_SYSTEMS))
    return next(systems, "") or next(iter([*own, *resources]), "")


def _resources(origins: list[str]) -> Iterator[str]:
    for origin in origins:
        match = _MEMBER_OF_COLLECTION.fullmatch(origin.rstrip("/"))
        if match:
            yield match[1]


def _named(member: str) -> str:
    """
    Which row of `Subscription` it is, without what it says: a destination may hold a secret.
    """
    match = _ID.search(member)
    return _shown(match[1]) if match else f"{member[:_SHOWN_OF_ROW]!r}..."


def _shown(text: str) -> str:
    return repr(text[:_SHOWN])
