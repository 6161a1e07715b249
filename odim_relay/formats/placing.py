"""
Which machine an event is of: its origins, by the names that its machine's resources have here.

A BMC knows itself as `/redfish/v1/Systems/1`, as all others do; ODIM names the same `/redfish/v1/Systems/{uuid}.1`, and
so do its subscribers. Source: ODIM 23.08, svc-events/events/publishevttosubscriber.go `formatEvent`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from odim_relay.domain.address import address_key
from odim_relay.domain.event import Event, EventFormat, EventRecord
from odim_relay.domain.inventory import Inventory, device_of, is_pseudo_host
from odim_relay.domain.resource_type import further_types_at, type_at
from odim_relay.formats.json_edits import Edit, edited, in_utf8, settings
from odim_relay.formats.json_spans import Span, elements_at, members_at, skip_space

_LOCAL = re.compile(r"(/redfish/v1/(?i:systems|chassis|managers)/)([^/?#]+)")
_PREFIX = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\.", re.IGNORECASE)
_DOT_SEGMENT = re.compile(r"[^?#]*/(?:\.|%2e){1,2}(?![^/?#])", re.IGNORECASE)
_VERSION = re.compile(r"#Event\.v(\d+)_(\d+)_\d+\.Event")
_VERSION_IN_BYTES = re.compile(rb"#Event\.v(\d+)_(\d+)_")
_FIRST_WITH_ADDRESS = (1, 13)


@dataclass(frozen=True, slots=True)
class Placed:
    """
    An event as it is matched, kept and sent.

    Attributes:
        is_of_unknown_source: its records have no origin then: it is for who asked for no origin. Its payload still says
            what the source said.
    """

    event: Event
    is_of_unknown_source: bool


def place(event: Event, inventory: Inventory) -> Placed:
    """
    Give the origins of `event` the names by which its machine is known here, in its records and in its payload.

    While no source is known at all, or the event does not tell its source, or is ODIM's own, it stays as it is. That of
    another unknown source loses the origins of its records: whose they are nobody knows. Of a known source

    * `OriginOfCondition`, and `MetricProperty` of a report: an id below `/redfish/v1/Systems`, `Chassis` or `Managers`
      (in any case) gets the machine's before it, unless it has that, or any UUID, there. What is behind the id stays:
      segments, a slash, query, fragment. Other URIs stay: of other places, of the collections, with an authority, with
      a `.` or `..` in the path (`%2e`), with something doubled before the id; all of them where the source is no
      machine with an id of its own, but a fabric.
    * an `OriginOfCondition` that says nothing (missing, of no type that it can have, empty, `/`) becomes the source
      itself. It stays a string where it was one (HPE).
    * `OriginAddress`, where the payload says by its `@odata.type` that it may have one (Event v1_13_0) and a record has
      none, becomes `https://` and the source's address.

    Of members with one name the last counts. Everything else keeps its bytes.

    Returns:
        `event` itself when nothing changes.
    """
    source = event.source
    if not inventory.is_used or not source or is_pseudo_host(source):
        return Placed(event, is_of_unknown_source=False)
    origin = inventory.origin_of(source)
    if not origin:
        return Placed(_without_origins(event), is_of_unknown_source=True)
    device = device_of(origin)
    if event.format is EventFormat.METRIC_REPORT:
        return Placed(_placed_report(event, device), is_of_unknown_source=False)
    return Placed(_placed_event(event, origin, device), is_of_unknown_source=False)


def _without_origins(event: Event) -> Event:
    if not any(record.origin for record in event.records):
        return event
    return replace(event, records=tuple(replace(record, origin="") for record in event.records))


def _placed_event(event: Event, origin: str, device: str) -> Event:
    records = tuple(_placed_record(record, origin, device) for record in event.records)
    is_moved = any(new is not old for new, old in zip(records, event.records, strict=True))
    # The version is looked for in the bytes first: reading the whole text costs many times that.
    found = _VERSION_IN_BYTES.search(event.payload)
    if not is_moved and (found is None or not _has_address(found)):
        return event
    text = event.payload.decode()
    root = members_at(text, skip_space(text, 0))
    declared = root["@odata.type"].value if "@odata.type" in root else None
    version = _VERSION.fullmatch(declared) if isinstance(declared, str) else None
    address = _url_of(event.source) if version and _has_address(version) else None
    edits = [
        edit
        for record in elements_at(text, root["Events"].start)
        for edit in _edits_of_record(text, record, origin, device, address)
    ]
    if not edits:
        return event
    return replace(event, payload=in_utf8(edited(text, 0, len(text), edits)), records=records)


def _has_address(version: "re.Match[str] | re.Match[bytes]") -> bool:
    return (int(version[1]), int(version[2])) >= _FIRST_WITH_ADDRESS


def _url_of(source: str) -> str:
    address = address_key(source)
    return f"https://[{address}]" if ":" in address else f"https://{address}"


def _placed_record(record: EventRecord, origin: str, device: str) -> EventRecord:
    if _says_nothing(record.origin):
        return replace(record, origin=origin, resource_type=type_at(origin), further_types=further_types_at(origin))
    named = _named(record.origin, device)
    # An id has no say in what type it is.
    return record if named is record.origin else replace(record, origin=named)


def _edits_of_record(text: str, record: Span, origin: str, device: str, address: str | None) -> Iterator[Edit]:
    members: dict[str, Any] = record.value
    link = members.get("OriginOfCondition")
    uri = link.get("@odata.id") if isinstance(link, dict) else link
    placed = _named(uri, device) if isinstance(uri, str) and not _says_nothing(uri) else origin
    wanted: dict[str, Any] = {}
    if address and "OriginAddress" not in members:
        wanted["OriginAddress"] = address
    if placed != uri and not isinstance(link, dict):
        wanted["OriginOfCondition"] = placed if isinstance(link, str) else {"@odata.id": placed}
    if not wanted and placed == uri:
        return
    spans = members_at(text, record.start)
    yield from settings(record.start, spans, wanted)
    if placed != uri and isinstance(link, dict):
        start = spans["OriginOfCondition"].start
        yield from settings(start, members_at(text, start), {"@odata.id": placed})


def _placed_report(event: Event, device: str) -> Event:
    if not device or b"MetricProperty" not in event.payload:
        return event
    text = event.payload.decode()
    values = members_at(text, skip_space(text, 0)).get("MetricValues")
    if values is None or not isinstance(values.value, list):
        return event
    edits: list[Edit] = []
    for value in elements_at(text, values.start):
        uri = value.value.get("MetricProperty") if isinstance(value.value, dict) else None
        if isinstance(uri, str) and (placed := _named(uri, device)) != uri:
            edits += settings(value.start, members_at(text, value.start), {"MetricProperty": placed})
    return replace(event, payload=in_utf8(edited(text, 0, len(text), edits))) if edits else event


def _says_nothing(uri: str) -> bool:
    return not uri.strip("/")


def _named(uri: str, device: str) -> str:
    """
    A URI of a machine, by the name that it has here; itself where that is the same.
    """
    match = _LOCAL.match(uri) if device else None
    if match is None or match[2].startswith(f"{device}.") or _PREFIX.match(match[2]) or _DOT_SEGMENT.match(uri):
        return uri
    return f"{match[1]}{device}.{uri[match.end(1) :]}"
