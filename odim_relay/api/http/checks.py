"""
What can be said of a request by its first lines alone.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from odim_relay.api.http.errors import RedfishError, refusal
from odim_relay.api.http.reply import JSON
from odim_relay.api.http.resource import Resource

WITH_BODY = frozenset({"POST", "PATCH", "PUT"})
_ODATA_VERSION = "4.0"
_CHARSETS = frozenset({"", "utf-8", "utf8"})


def joined_headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """
    The headers by name in lower case; the values of one that comes several times are joined by commas.
    """
    headers: dict[str, str] = {}
    for name, value in pairs:
        lower = name.lower()
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    return headers


def check_version(headers: Mapping[str, str]) -> None:
    """
    Check that the client speaks our OData.

    Raises:
        RedfishError: 412; it asks for another version.
    """
    if headers.get("odata-version", _ODATA_VERSION).strip() != _ODATA_VERSION:
        raise refusal(412, "HeaderInvalid", "OData-Version")


def check_method(method: str, resource: Resource) -> None:
    """
    Check that the resource has the method.

    Raises:
        RedfishError: 405, with `Allow`; also for a method that HTTP does not have, which could be 501: whoever watches
            for faults of ours would take that for one.
    """
    if method not in resource.methods:
        raise refusal(405, "OperationNotAllowed", headers={"Allow": ", ".join(resource.methods)})


def read_query(text: str, resource: Resource) -> tuple[tuple[str, str], ...]:
    """
    The query's parameters, in order. Those without a `$` that nobody knows are left for nobody to read.

    Raises:
        RedfishError: 501; one has a `$`, and the resource does not know it. 400; there are too many.
    """
    try:
        query = tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise refusal(400, "QueryNotSupported") from None
    for name, _ in query:
        if name.startswith("$") and name not in resource.queries:
            raise refusal(501, "QueryParameterUnsupported", name)
    return query


def check_content(headers: Mapping[str, str]) -> None:
    """
    Check that a body is JSON in UTF-8, as its headers say; what they do not say is taken for that.

    Raises:
        RedfishError: 415; it is something else. 400; its length is told in two ways, and a proxy before us may have
            believed the other.
    """
    if "transfer-encoding" in headers and "content-length" in headers:
        raise refusal(400, "HeaderInvalid", "Content-Length")
    media_type, _, parameters = headers.get("content-type", JSON).partition(";")
    charset = ""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    if media_type.strip().lower() != JSON or charset not in _CHARSETS:
        raise refusal(415, "HeaderInvalid", "Content-Type")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise refusal(415, "HeaderInvalid", "Content-Encoding")


def declared_size(headers: Mapping[str, str]) -> int | None:
    """
    How long the body is to be: 0 for none, None when it comes in chunks and nobody knows.
    """
    if "transfer-encoding" in headers:
        return None
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else None


def too_large() -> RedfishError:
    """
    The body is longer than what is read.
    """
    return refusal(413, "PayloadTooLarge")
