"""
Entity tags and the conditions that name them. Source: RFC 9110, section 13; DSP0266, ETags.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from odim_relay.api.http.call import Call
from odim_relay.api.http.errors import refusal

ETAG = "@odata.etag"
_TAG = re.compile(r'(?:W/)?"[^"]*"')
_TAGS = re.compile(rf"\s*{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*\s*\Z")
_DIGITS = 32


def etag_of(document: Mapping[str, Any]) -> str:
    """
    A strong tag: another one for another document. The order of members does not count, nor does a tag that it holds.
    """
    members = {name: value for name, value in document.items() if name != ETAG}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return f'"{sha256(canonical.encode()).hexdigest()[:_DIGITS]}"'


def with_etag(document: dict[str, Any]) -> dict[str, Any]:
    """
    The document with its tag in `@odata.etag`.
    """
    return {**document, ETAG: etag_of(document)}


def require_match(call: Call, etag: str) -> None:
    """
    Check what the request says of the resource's state, before it is changed; it may say nothing.

    Raises:
        RedfishError: 412 PreconditionFailed.
    """
    wanted = call.headers.get("if-match")
    if wanted is not None and not _names(wanted, etag, weakly=False):
        raise refusal(412, "PreconditionFailed")
    unwanted = call.headers.get("if-none-match")
    if unwanted is not None and _names(unwanted, etag, weakly=True):
        raise refusal(412, "PreconditionFailed")


def is_known(headers: Mapping[str, str], etag: str) -> bool:
    """
    Whether who reads has this state already, as `If-None-Match` says.
    """
    known = headers.get("if-none-match")
    return known is not None and bool(etag) and _names(known, etag, weakly=True)


def _names(header: str, etag: str, *, weakly: bool) -> bool:
    if header.strip() == "*":
        return True
    # Half of a list that is none names nothing: a condition that cannot be read does not hold.
    tags = _TAG.findall(header) if _TAGS.match(header) else []
    return etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in tags} if weakly else etag in tags
