"""
What stays the same from one POST to the next, and what is new in each.
"""

from dataclasses import dataclass

from odim_relay.adapters.http.adapter import DeadlineAdapter
from odim_relay.adapters.http.identity import Identity
from odim_relay.adapters.http.pool import DeadlinePool
from odim_relay.adapters.http.proxied import WayOut
from odim_relay.errors import PermanentError
from odim_relay.ports import OutgoingRequest

# They are the connection's own business; from a subscription they could smuggle a second request in.
_NOT_FROM_CALLERS = (
    *("host", "content-length", "transfer-encoding", "connection"),
    *("proxy-authorization", "proxy-connection"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """
    What stays the same from one POST to a URL to the next.

    Attributes:
        adapter: that the pool is of; the identity has another one since when its files changed.
        forwarder: the proxy that is given the request itself, and not asked for a connection.
        start: the request line, `Host` and what is for the proxy, as text.
        defaults: headers that the caller may replace, by lower-case name.
    """

    pool: DeadlinePool
    identity: Identity
    adapter: DeadlineAdapter
    forwarder: WayOut | None
    start: tuple[str, ...]
    defaults: dict[str, tuple[str, str]]


def wire_of(route: Route, request: OutgoingRequest) -> bytes:
    """
    Write the request as it goes over the wire, in one piece: one system call, one TLS record where it fits.

    Raises:
        PermanentError: a header cannot be sent.
    """
    headers = route.defaults.copy()
    for pair in request.headers:
        headers[pair[0].lower()] = pair
    for name in _NOT_FROM_CALLERS:
        headers.pop(name, None)
    lines = [*route.start, f"Content-Length: {len(request.body)}"]
    lines += [f"{name}: {value}" for name, value in headers.values()]
    text = "\r\n".join(lines)
    # Exactly the line ends that were put in: none came with a header.
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise PermanentError("a header has a line end in it")
    try:
        return b"%b\r\n\r\n%b" % (text.encode("latin-1"), request.body)
    except UnicodeEncodeError:
        raise PermanentError("a header has a character that HTTP cannot carry") from None
