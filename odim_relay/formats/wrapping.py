"""
Payloads as their sources put them into Kafka: the reverse of the decoders.
"""

import base64
import json
from collections.abc import Callable
from types import MappingProxyType
from typing import TypeAlias

from odim_relay.formats.documents import Document

Wrapping: TypeAlias = Callable[[Document, str], bytes]
"""
Makes a Kafka record's value of a payload and the host that it is said to come from.
"""


def wrap_odim(document: Document, source: str) -> bytes:
    """
    As ODIM's plugins do. A MetricReport's body is JSON in a JSON string.

    Source: ODIM 23.08, plugin-redfish/rfpmessagebus/publish.go.
    """
    is_report = document.type.startswith("#MetricReport.")
    body = json.dumps(document.payload.decode(), ensure_ascii=False).encode() if is_report else document.payload
    envelope = {
        "ip": source,
        "request": base64.b64encode(body).decode(),
        "eventType": "MetricReport" if is_report else "",
    }
    return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode()


def wrap_redfish(document: Document, source: str) -> bytes:  # noqa: ARG001 - this format does not say who sent it
    """
    The payload and nothing else.
    """
    return document.payload


WRAPPINGS: MappingProxyType[str, Wrapping] = MappingProxyType({"odim": wrap_odim, "redfish": wrap_redfish})
"""
By the names that `KAFKA__FORMATS` uses.
"""
