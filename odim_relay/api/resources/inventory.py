"""
Beside Redfish: which system an address belongs to, and which systems belong together. Plain JSON; no link of the
service root leads here, for Redfish has no schema of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from odim_relay import bootstrap
from odim_relay.api.http.bodies import read
from odim_relay.api.http.call import Call
from odim_relay.api.http.collections import PAGING, page_of
from odim_relay.api.http.conditions import etag_of, require_match
from odim_relay.api.http.errors import refusal
from odim_relay.api.http.reply import Reply
from odim_relay.api.http.resource import Resource
from odim_relay.api.reading.inventory_bodies import AggregateValue, NewAggregate, NewSource, SourceValue, accepted
from odim_relay.api.uris import INVENTORY_AGGREGATES, INVENTORY_SOURCES
from odim_relay.domain.account import Privilege
from odim_relay.domain.inventory import Aggregate, Source
from odim_relay.domain.inventory_entries import (
    Fault,
    read_address,
    read_aggregate,
    read_aggregate_uri,
    read_source,
)
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import InventoryContent
from odim_relay.use_cases.sources import Kept, Removal

T = TypeVar("T")

PAGE = 250
_TO_CHANGE = frozenset({Privilege.CONFIGURE_MANAGER})


def list_sources(call: Call) -> Reply:
    """
    All sources that count, by address, in pages.
    """
    return _page(call, INVENTORY_SOURCES, "sources", _counting(bootstrap.sources().sources()), _source)


def add_source(call: Call) -> Reply:
    """
    Say what an address belongs to, of which we ourselves have said nothing yet.
    """
    body = read(NewSource, call.document())
    source = accepted(read_source(body.address, body.system))
    there = _find(bootstrap.sources().sources(), source.address)
    if there is not None and there.keeper is Keeper.OWN:
        raise refusal(409, "ResourceAlreadyExists", "Source", "address", source.address, related=("#/address",))
    return _put_source(source, status=201)


def get_source(call: Call) -> Reply:
    """
    What an address belongs to, in whatever spelling, and who keeps that.
    """
    return _shown(_source(_source_at(call)))


def put_source(call: Call) -> Reply:
    """
    Say what an address belongs to; whatever we ourselves said before is replaced.
    """
    body = read(SourceValue, call.document())
    address = call.params["address"]
    source = accepted(read_source(address, body.system))
    status = _status_of_put(call, _find(bootstrap.sources().sources(), source.address), _source)
    return _put_source(source, status=status)


def delete_source(call: Call) -> Reply:
    """
    Forget what an address belongs to. What ODIM keeps cannot be removed here.
    """
    there = _source_at(call)
    require_match(call, etag_of(_source(there)))
    return _removed(bootstrap.sources().remove_sources([there.name]), "Source")


def list_aggregates(call: Call) -> Reply:
    """
    All aggregates that count, by URI, in pages.
    """
    return _page(call, INVENTORY_AGGREGATES, "aggregates", _counting(bootstrap.sources().aggregates()), _aggregate)


def add_aggregate(call: Call) -> Reply:
    """
    Make an aggregate that we ourselves do not have yet.
    """
    body = read(NewAggregate, call.document())
    aggregate = accepted(read_aggregate(body.aggregate, body.elements))
    there = _find(bootstrap.sources().aggregates(), aggregate.uri)
    if there is not None and there.keeper is Keeper.OWN:
        raise refusal(409, "ResourceAlreadyExists", "Aggregate", "aggregate", aggregate.uri, related=("#/aggregate",))
    return _put_aggregate(aggregate, status=201)


def get_aggregate(call: Call) -> Reply:
    """
    What belongs to an aggregate, and who keeps that.
    """
    return _shown(_aggregate(_aggregate_at(call)))


def put_aggregate(call: Call) -> Reply:
    """
    Say what belongs to an aggregate; whatever we ourselves said before is replaced.
    """
    body = read(AggregateValue, call.document())
    aggregate = accepted(read_aggregate(call.params["aggregate_id"], body.elements))
    status = _status_of_put(call, _find(bootstrap.sources().aggregates(), aggregate.uri), _aggregate)
    return _put_aggregate(aggregate, status=status)


def delete_aggregate(call: Call) -> Reply:
    """
    Forget an aggregate. What ODIM keeps cannot be removed here.
    """
    there = _aggregate_at(call)
    require_match(call, etag_of(_aggregate(there)))
    return _removed(bootstrap.sources().remove_aggregates([there.name]), "Aggregate")


def _source_at(call: Call) -> Kept[str]:
    address = call.params["address"]
    return _there(read_address(address), bootstrap.sources().sources(), "Source", address)


def _aggregate_at(call: Call) -> Kept[tuple[str, ...]]:
    id_ = call.params["aggregate_id"]
    return _there(read_aggregate_uri(id_), bootstrap.sources().aggregates(), "Aggregate", id_)


def _there(name: str | Fault, found: Sequence[Kept[T]], kind: str, asked: str) -> Kept[T]:
    there = None if isinstance(name, Fault) else _find(found, name)
    if there is None:
        raise refusal(404, "ResourceNotFound", kind, asked)
    return there


def _find(found: Sequence[Kept[T]], name: str) -> Kept[T] | None:
    return next((one for one in found if one.name == name and not one.is_overridden), None)


def _counting(found: Sequence[Kept[T]]) -> list[Kept[T]]:
    return [one for one in found if not one.is_overridden]


def _put_source(source: Source, *, status: int) -> Reply:
    bootstrap.sources().put(InventoryContent(sources={source.address: source.origin}))
    document = _source(Kept(name=source.address, value=source.origin, keeper=Keeper.OWN))
    return _shown(document, status)


def _put_aggregate(aggregate: Aggregate, *, status: int) -> Reply:
    bootstrap.sources().put(InventoryContent(aggregates={aggregate.uri: aggregate.elements}))
    document = _aggregate(Kept(name=aggregate.uri, value=aggregate.elements, keeper=Keeper.OWN))
    return _shown(document, status)


def _source(kept: Kept[str]) -> dict[str, Any]:
    uri = f"{INVENTORY_SOURCES}/{quote(kept.name, safe='')}"
    return {"uri": uri, "address": kept.name, "system": kept.value, "keeper": str(kept.keeper)}


def _aggregate(kept: Kept[tuple[str, ...]]) -> dict[str, Any]:
    uri = f"{INVENTORY_AGGREGATES}/{quote(kept.name.rpartition('/')[2], safe='')}"
    return {"uri": uri, "aggregate": kept.name, "elements": list(kept.value), "keeper": str(kept.keeper)}


def _status_of_put(call: Call, there: Kept[T] | None, document_of: Callable[[Kept[T]], Mapping[str, Any]]) -> int:
    """
    That of an answer to PUT. What ODIM keeps is not replaced but overridden.
    """
    if there is not None:
        require_match(call, etag_of(document_of(there)))
        return 200
    if "if-match" in call.headers:
        raise refusal(412, "PreconditionFailed")
    return 201


def _shown(document: dict[str, Any], status: int = 200) -> Reply:
    headers = {"Location": document["uri"]} if status == 201 else {}  # noqa: PLR2004 - created
    return Reply(status=status, body=document, headers=headers, etag=etag_of(document))


def _removed(removal: Removal, kind: str) -> Reply:
    if removal.odims:
        raise refusal(403, "ResourceCannotBeDeleted")
    if removal.missing:
        raise refusal(404, "ResourceNotFound", kind, removal.missing[0])
    return Reply(status=204)


def _page(
    call: Call, uri: str, name: str, found: Sequence[Kept[T]], document_of: Callable[[Kept[T]], dict[str, Any]]
) -> Reply:
    skip, top = page_of(call, PAGE)
    end = skip + top
    body: dict[str, Any] = {"count": len(found), name: [document_of(one) for one in found[skip:end]]}
    if end < len(found) and top:
        body["next"] = f"{uri}?$skip={end}&$top={top}"
    return Reply(body=body, etag=etag_of(body))


RESOURCES = (
    Resource(
        path=INVENTORY_SOURCES,
        handlers={"GET": list_sources, "POST": add_source},
        privileges={"POST": _TO_CHANGE},
        queries=PAGING,
        bodies={"POST": NewSource},
    ),
    Resource(
        path=f"{INVENTORY_SOURCES}/{{address}}",
        handlers={"GET": get_source, "PUT": put_source, "DELETE": delete_source},
        privileges={"PUT": _TO_CHANGE, "DELETE": _TO_CHANGE},
        bodies={"PUT": SourceValue},
    ),
    Resource(
        path=INVENTORY_AGGREGATES,
        handlers={"GET": list_aggregates, "POST": add_aggregate},
        privileges={"POST": _TO_CHANGE},
        queries=PAGING,
        bodies={"POST": NewAggregate},
    ),
    Resource(
        path=f"{INVENTORY_AGGREGATES}/{{aggregate_id}}",
        handlers={"GET": get_aggregate, "PUT": put_aggregate, "DELETE": delete_aggregate},
        privileges={"PUT": _TO_CHANGE, "DELETE": _TO_CHANGE},
        bodies={"PUT": AggregateValue},
    ),
)
