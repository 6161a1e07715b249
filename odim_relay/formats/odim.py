"""
ODIM's Kafka records: an envelope of `ip`, `eventType` and `request`, which holds the Redfish payload.

Source: ODIM 23.08, lib-utilities/common/constants.go `Events`; read as Go's encoding/json reads it.
"""

import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from odim_relay.domain.address import host_of
from odim_relay.formats import Decoded, Decoder, Ignored, Undecodable, redfish
from odim_relay.formats.json_text import kind_of, read_json, refuse_constant, text_within
from odim_relay.formats.translation import Translation

# Members come as pairs: Go takes the last of those whose names are equal but for case, which a dict would not tell.
_ENVELOPE = json.JSONDecoder(object_pairs_hook=tuple, parse_constant=refuse_constant)
_PLUGIN_START_UP = "PluginStartUp"
TRANSLATION: Final[Mapping[str, str]] = {"ODIM": "redfish"}
"""
What ODIM's plugins call the first segment of a URI, and what it is called here, unless somebody has changed it.
"""


def decoder(translation: Mapping[str, str]) -> Decoder:
    """
    The decoder of envelopes whose URIs are translated so.

    Raises:
        ValueError: as `Translation`.
    """
    to_here = Translation(translation)
    return lambda value: _decode(value, to_here)


def decode(value: bytes) -> Decoded:
    """
    Read one envelope and the Event or MetricReport in it; never raises.

    The body decides what it is, whatever `eventType` says, but for `PluginStartUp`, which is no payload for
    subscribers. `request` is base64 or an array of byte values. Where the body is a JSON string, as of MetricReports,
    the payload is the text in it. Its URIs are translated (`Translation`), all its other bytes are as they came.

    What ODIM's services tell each other is no event: an object with a number as `MessageType` and with `Data`, and
    without `request`.

    Returns:
        as `redfish.decode`; besides `Ignored` with `plugin_start_up` or `control_message`, and `Undecodable` with one
        of `not_an_object`, `no_request`, `request_not_bytes`, `not_base64`.
    """
    return _decode(value, _BY_DEFAULT)


_BY_DEFAULT = Translation(TRANSLATION)


def _decode(value: bytes, to_here: Translation) -> Decoded:
    pairs = read_json(value, _ENVELOPE)
    if isinstance(pairs, Undecodable):
        return Undecodable(reason=pairs.reason, detail=f"envelope: {pairs.detail}")
    # A JSON array is a list here, and an object a tuple.
    if not isinstance(pairs, tuple):
        return Undecodable(reason="not_an_object", detail=f"envelope: {kind_of(pairs)}, not an object")
    members = _members(pairs)
    if members.get("eventtype") == _PLUGIN_START_UP:
        return Ignored(kind="plugin_start_up")
    if _is_control_message(members):
        return Ignored(kind="control_message")
    body = _body(members.get("request"))
    if isinstance(body, bytes):
        ip = members.get("ip")
        source = host_of(ip.strip()) if isinstance(ip, str) else ""
        decoded = redfish.decode(to_here.apply(body), source=source)
    else:
        decoded = body
    if isinstance(decoded, Undecodable):
        return Undecodable(reason=decoded.reason, detail=f"request: {decoded.detail}")
    return decoded


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    # To Go, null leaves what an earlier member of the name has set.
    return {name.casefold(): value for name, value in pairs if value is not None}


def _is_control_message(members: Mapping[str, Any]) -> bool:
    return type(members.get("messagetype")) in {int, float} and "data" in members and "request" not in members


def _body(request: Any) -> bytes | Undecodable:
    match request:
        case None | "" | []:
            return Undecodable(reason="no_request", detail="missing or empty")
        case str():
            body = _from_base64(request)
        case list():
            try:
                body = bytes(request)
            except (TypeError, ValueError):
                return Undecodable(reason="request_not_bytes", detail="an array with members that are not 0 to 255")
        case tuple():
            return Undecodable(reason="request_not_bytes", detail="an object, neither base64 nor an array of bytes")
        case _:
            kind = kind_of(request)
            return Undecodable(reason="request_not_bytes", detail=f"{kind}, neither base64 nor an array of bytes")
    return text_within(body) if isinstance(body, bytes) else body


def _from_base64(request: str) -> bytes | Undecodable:
    # Go passes over line ends, and over nothing else.
    if "\n" in request or "\r" in request:
        request = request.replace("\n", "").replace("\r", "")
    try:
        return binascii.a2b_base64(request, strict_mode=True)
    except ValueError as exc:
        return Undecodable(reason="not_base64", detail=str(exc))
