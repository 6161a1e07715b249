"""
What must arrive in an ODIM installation, said in the plainest way: each record of each event is held against each
subscription. Written from docs/odim.md, and shares no code with the product.
"""

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.odim_redis import OdimSubscription

AGGREGATES = "/redfish/v1/AggregationService/Aggregates/"
_TYPES = {
    "Systems": "ComputerSystem",
    "Processors": "Processor",
    "Memory": "Memory",
    "Storage": "Storage",
    "Volumes": "Volume",
    "EthernetInterfaces": "EthernetInterface",
    "Chassis": "Chassis",
    "Managers": "Manager",
    "Fabrics": "Fabric",
    "Switches": "Switch",
    "Tasks": "Task",
}
_SINGLE_TYPES = {"Bios": "Bios", "Thermal": "Thermal", "Power": "Power"}


@dataclass(frozen=True, slots=True)
class Installation:
    """
    What ODIM knows at one time.

    Attributes:
        devices: the origin by which each address is known.
        aggregates: the elements of each, by id.
    """

    devices: Mapping[str, str] = field(default_factory=dict)
    aggregates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    subscriptions: Sequence[OdimSubscription] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """
    What a plugin writes to Kafka: the envelope's `ip`, and the body in it.
    """

    ip: str
    body: Mapping[str, Any]


Arrival = tuple[str, str]
"""
The event's Id, and its records in the order of their keys, but for MemberId.
"""


def arrival_of(body: Mapping[str, Any]) -> Arrival:
    """
    What is compared of a body that is to come, or has come.
    """
    content = [
        {name: value for name, value in record.items() if name != "MemberId"} for record in body.get("Events", [])
    ]
    return str(body["Id"]), json.dumps(content or body.get("MetricValues"), sort_keys=True)


class Reference:
    """
    Who must get what in one installation.
    """

    def __init__(self, installation: Installation) -> None:
        self._devices = installation.devices
        self._askers = [_Asker(one, installation.aggregates) for one in installation.subscriptions]

    def arrivals(self, said: Said) -> list[tuple[str, Arrival]]:
        """
        The ids of the subscriptions that get something of an event, each with what it gets.
        """
        body = _translated(said.body)
        host = _host(said.ip)
        origin = self._devices.get(host, "")
        if "MetricValues" in body:
            for value in body["MetricValues"]:
                value["MetricProperty"] = _placed(value["MetricProperty"], origin)
            return [(asker.id, arrival_of(body)) for asker in self._askers if asker.wants_reports]
        is_unknown = not origin and not host.endswith("Collection")
        records = [_placed_record(record, origin) if origin else record for record in body["Events"]]
        asked = [_Asked.of(record, is_unknown=is_unknown) for record in records]
        found = []
        for asker in self._askers:
            wanted = [record for record, one in zip(records, asked, strict=True) if asker.wants(one)]
            if wanted or (not records and asker.wants_all):
                completed = [{"EventType": "Other", **record} for record in wanted]
                found.append((asker.id, arrival_of({**body, "Events": completed})))
        return found


# --- what is asked of an event ---


def _host(ip: str) -> str:
    """
    An address as the inventory spells it.
    """
    bare = re.sub(r"^\[([^]]+)\](:\d+)?$", r"\1", ip)
    if bare.count(":") == 1:
        bare = bare.split(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return bare if bare.endswith("Collection") else bare.lower()


def _translated(value: Any) -> Any:
    """
    Plugins call the first segment of URIs `ODIM`. In other texts the word stays.
    """
    if isinstance(value, dict):
        return {name: _translated(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_translated(member) for member in value]
    if isinstance(value, str):
        return re.sub(r"^/ODIM/v1(?=/|$)", "/redfish/v1", value)
    return value


def _placed(uri: str, origin: str) -> str:
    """
    A BMC's own name of a thing, as ODIM names it: the machine's id before it, unless it is there.
    """
    device = re.fullmatch(r"/redfish/v1/Systems/([^/.]+)\.[^/]+", origin)
    if device is None:
        return uri
    return re.sub(
        rf"^(/redfish/v1/(?:Systems|systems|Chassis|Managers)/)(?!{device[1]}\.)([^/]+)", rf"\g<1>{device[1]}.\2", uri
    )


def _placed_record(record: Mapping[str, Any], origin: str) -> dict[str, Any]:
    told = record.get("OriginOfCondition")
    if isinstance(told, str):
        return {**record, "OriginOfCondition": _placed(told, origin) if told.strip("/") else origin}
    uri = (told or {}).get("@odata.id") or ""
    link = {**(told or {}), "@odata.id": _placed(uri, origin) if uri.strip("/") else origin}
    return {**record, "OriginOfCondition": link}


def _origin(record: Mapping[str, Any]) -> str:
    told = record.get("OriginOfCondition") or ""
    uri: str = told if isinstance(told, str) else told.get("@odata.id", "")
    return uri.rstrip("/")


def _type(uri: str) -> str:
    """
    What stands at a URI: by its last segment, or for members of a collection by the one before.
    """
    segments = uri.split("/")
    if segments[-1] in _SINGLE_TYPES:
        return _SINGLE_TYPES[segments[-1]]
    return _TYPES.get(segments[-2], "") if len(segments) > 1 else ""


def _without_version(message_id: str) -> str:
    first, *_, last = message_id.split(".")
    return f"{first}.{last}"


@dataclass(frozen=True, slots=True)
class _Asked:
    """
    What subscriptions ask of a record.
    """

    event_type: str
    message_id: str
    resource_type: str
    origin: str

    @classmethod
    def of(cls, record: Mapping[str, Any], *, is_unknown: bool) -> "_Asked":
        origin = _origin(record)
        return cls(
            event_type=record.get("EventType", ""),
            message_id=_without_version(record["MessageId"]),
            resource_type=_type(origin),
            # Whose an event of an unknown source is, nobody can tell.
            origin="" if is_unknown else origin,
        )


# --- what a subscription asks ---


class _Asker:
    """
    A subscription, with the aggregates in it spelled out.
    """

    def __init__(self, subscription: OdimSubscription, aggregates: Mapping[str, Sequence[str]]) -> None:
        self.id = subscription.id
        is_for_reports = subscription.event_format == "MetricReport"
        types = self._types = subscription.event_types
        self.wants_reports = "MetricReport" in types if types else is_for_reports
        self._wants_records = not is_for_reports
        self._message_ids = {_without_version(one) for one in subscription.message_ids}
        self._resource_types = subscription.resource_types
        self._places = _places(subscription.origin_resources, aggregates)
        self._above = tuple(f"{place}/" for place in self._places) if subscription.subordinate_resources else ()
        filters = (types, self._message_ids, self._resource_types, self._places)
        self.wants_all = self._wants_records and not any(filters)

    def wants(self, asked: _Asked) -> bool:
        return (
            self._wants_records
            and (not self._types or not asked.event_type or asked.event_type in self._types)
            and (not self._message_ids or asked.message_id in self._message_ids)
            and (not self._resource_types or asked.resource_type in self._resource_types)
            and (not self._places or asked.origin in self._places or asked.origin.startswith(self._above))
        )


def _places(uris: Iterable[str], aggregates: Mapping[str, Sequence[str]]) -> list[str]:
    """
    The resources themselves, and for aggregates what is in them.
    """
    places = []
    for uri in uris:
        places.append(uri.rstrip("/"))
        if uri.startswith(AGGREGATES):
            places += [element.rstrip("/") for element in aggregates.get(uri.removeprefix(AGGREGATES).rstrip("/"), ())]
    return places
