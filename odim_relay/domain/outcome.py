"""
What came of one attempt, and what it means.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """
    What an outcome asks of the delivery (semantics S2 to S4).
    """

    DELIVERED = "delivered"
    TRANSIENT = "transient"
    REJECTED = "rejected"
    GONE = "gone"


class Failure(StrEnum):
    """
    Why an attempt ended without an HTTP status.
    """

    DNS = "dns"
    FORBIDDEN = "forbidden"
    PROXY = "proxy"
    CONNECT = "connect"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    One attempt's end: exactly one of `status` and `failure` is given.

    Attributes:
        status: HTTP status 100 to 599.
        detail: one line for a person: never a body, a header value, user-info or a query string.
        retry_after_s: what the destination asked for by `Retry-After`, 0 to 86,400 seconds; `None` when it did not.
        duration_s: from the start of the attempt to its end.
        is_unsent: there is no status, and no byte of the request went out.
    """

    status: int | None = None
    failure: Failure | None = None
    detail: str = ""
    retry_after_s: float | None = None
    duration_s: float = 0.0
    is_unsent: bool = False


_TRANSIENT_4XX = frozenset({401, 403, 404, 408, 421, 425, 429})
_GONE_STATUS = 410


def verdict_of(outcome: Outcome) -> Verdict:
    """
    Judge an outcome: 2xx delivered; 410 gone; S4's list, 1xx, 3xx, 5xx and every failure transient; other 4xx rejected.
    """
    status = outcome.status
    if status is None:
        return Verdict.TRANSIENT
    if 200 <= status <= 299:  # noqa: PLR2004 - the range is the definition
        return Verdict.DELIVERED
    if status == _GONE_STATUS:
        return Verdict.GONE
    if 400 <= status <= 499 and status not in _TRANSIENT_4XX:  # noqa: PLR2004 - the range is the definition
        return Verdict.REJECTED
    return Verdict.TRANSIENT


class Standing(StrEnum):
    """
    What an outcome says of the destination itself (ledger rules L29, L30).
    """

    ALIVE = "alive"
    FAILING = "failing"
    UNREACHABLE = "unreachable"
    NOTHING = "nothing"


# Where the egress policy does not let us go counts too, and what lies behind a proxy that fails: knocking tells when
# there is a way again.
_UNREACHABLE = frozenset(
    {Failure.DNS, Failure.FORBIDDEN, Failure.PROXY, Failure.CONNECT, Failure.CONNECT_TIMEOUT, Failure.TLS}
)


def standing_of(outcome: Outcome) -> Standing:
    """
    Judge the destination: who rejects for good is alive; who does not even take a connection is unreachable.
    """
    if outcome.status is None and outcome.failure is None:
        return Standing.NOTHING  # a fault of our own
    if outcome.failure in _UNREACHABLE:
        return Standing.UNREACHABLE
    return Standing.FAILING if verdict_of(outcome) is Verdict.TRANSIENT else Standing.ALIVE
