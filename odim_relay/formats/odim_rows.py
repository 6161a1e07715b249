"""
Rows of ODIM's Redis about machines and events, each by itself: what it says, or why it says nothing.

Source: ODIM 23.08, svc-events/evmodel/events.go and lib-persistence-manager/persistencemgr/redis.go. The rules where a
row leaves room:

* Of a device's origins the first system counts, else the first other resource of the device's own, else the first with
  an id: a fabric. What is below one counts as that one. Collections say nothing about a device.
* The rows of pseudo hosts (`SystemsCollection`) tell of ODIM itself, and are passed over.
* An aggregate without elements stays and stands for nothing. An element that is no URI is left out. That a system is
  gone which a row names is no fault of the row: nothing of it comes any more.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from odim_relay.domain.inventory import Aggregate, Source, device_of, is_pseudo_host
from odim_relay.domain.inventory_entries import Fault, read_aggregate, read_source
from odim_relay.formats import Undecodable
from odim_relay.formats.json_text import kind_of, read_json, text_within

UNDELIVERED = "UndeliveredEvents:"
MOST_SHOWN = 80
"""
Characters of a text that are told of it.
"""
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
        return RowFlaw(reason="not_a_row", detail=f"{shown(member)}: is not HOST||URL||[ORIGIN ...]")
    if is_pseudo_host(host):
        return None
    origin = _origin_among(listed)
    if not origin:
        return RowFlaw(reason="no_origin", detail=f"{shown(host)}: names no machine, only {shown(origins)}")
    source = read_source(host, origin)
    if isinstance(source, Fault):
        reason = "wrong_address" if source.member == "address" else "wrong_origin"
        return RowFlaw(reason=reason, detail=f"{shown(host)}: {source}")
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
        return RowFlaw(reason="not_a_row", detail=f"{shown(member)}: is not AGGREGATE||[ADDRESS ...]")
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
        return None, (RowFlaw(reason="not_json", detail=f"{shown(uri)}: {value.detail}"),)
    if not isinstance(value, dict):
        return None, (RowFlaw(reason="not_an_object", detail=f"{shown(uri)}: is {kind_of(value)}, not an object"),)
    elements = value.get("Elements") or []
    if not isinstance(elements, list):
        return None, (RowFlaw(reason="wrong_member", detail=f"{shown(uri)}: Elements is {kind_of(elements)}"),)
    return aggregate_of(uri, [uri_in(element) for element in elements])


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
            flaws.append(RowFlaw(reason="wrong_element", detail=f"{shown(name)}: {one}"))
        else:
            good += one.elements
    aggregate = read_aggregate(name, good)
    if isinstance(aggregate, Fault):
        return None, (*flaws, RowFlaw(reason="wrong_aggregate", detail=f"{shown(name)}: {aggregate}"))
    if not aggregate.elements:
        flaws.append(RowFlaw(reason="no_elements", detail=f"{shown(name)}: has no elements, and stands for nothing"))
    return aggregate, tuple(flaws)


def read_undelivered_key(key: str) -> tuple[str, str] | RowFlaw:
    """
    Read the key of an event that ODIM could not deliver, `UndeliveredEvents:{destination}:{UUID}`; never raises.

    Returns:
        the destination, which may hold colons itself, and the event's id; else a flaw: `not_an_undelivered_key`.
    """
    destination, separator, id_ = key.removeprefix(UNDELIVERED).rpartition(":")
    if not key.startswith(UNDELIVERED) or not separator or not destination or uuid_in(id_) is None:
        detail = f"{shown(key)}: is not {UNDELIVERED}DESTINATION:UUID"
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


def uri_in(link: object) -> str:
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


def uuid_in(text: str) -> UUID | None:
    """
    The UUID that a text is; None for any other.
    """
    try:
        return UUID(text)
    except ValueError:
        return None


def shown(text: str) -> str:
    """
    The beginning of a text, for a person.
    """
    return repr(text[:MOST_SHOWN])
