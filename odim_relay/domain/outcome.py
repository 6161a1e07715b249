"""
What came of one attempt, and what it means.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


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
    Why an attempt ended without an HTTP status. AUTHENTICATION: no token was to be had for the destination. SEALED:
    the subscription's secrets could not be read; that is our own fault.
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
    AUTHENTICATION = "authentication"
    SEALED = "sealed"


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
        address: `address:port` that the last connection was made to, or tried: of the proxy where there is one; empty
            when there was none.
    """

    status: int | None = None
    failure: Failure | None = None
    detail: str = ""
    retry_after_s: float | None = None
    duration_s: float = 0.0
    is_unsent: bool = False
    address: str = ""


class Standing(StrEnum):
    """
    What an outcome says of the destination itself (ledger rules L29, L30). WITHHELD: it is left alone as one that
    fails, and is not to blame: no subscription is given up for it.
    """

    ALIVE = "alive"
    FAILING = "failing"
    UNREACHABLE = "unreachable"
    WITHHELD = "withheld"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    What an outcome asks of the delivery, and what it says of the destination.
    """

    verdict: Verdict
    standing: Standing


_DELIVERED = Judgement(Verdict.DELIVERED, Standing.ALIVE)
_GONE = Judgement(Verdict.GONE, Standing.ALIVE)
# Who rejects for good is alive.
_REJECTED = Judgement(Verdict.REJECTED, Standing.ALIVE)
_FAILED = Judgement(Verdict.TRANSIENT, Standing.FAILING)
_UNREACHED = Judgement(Verdict.TRANSIENT, Standing.UNREACHABLE)
_WITHHELD = Judgement(Verdict.TRANSIENT, Standing.WITHHELD)
_OUR_OWN_FAULT = Judgement(Verdict.TRANSIENT, Standing.NOTHING)

_BY_STATUS: tuple[tuple[Iterable[int], Judgement], ...] = (
    (range(100, 600), _FAILED),
    (range(200, 300), _DELIVERED),
    (range(400, 500), _REJECTED),
    ((401, 403, 404, 408, 421, 425, 429), _FAILED),
    ((410,), _GONE),
)
JUDGEMENTS: Mapping[int | Failure, Judgement] = MappingProxyType(
    {
        # A later line wins over an earlier one.
        **{status: judgement for statuses, judgement in _BY_STATUS for status in statuses},
        Failure.DNS: _UNREACHED,
        # Where the egress policy does not let us go, and what lies behind a proxy that fails: knocking tells when there
        # is a way again.
        Failure.FORBIDDEN: _UNREACHED,
        Failure.PROXY: _UNREACHED,
        Failure.CONNECT: _UNREACHED,
        Failure.CONNECT_TIMEOUT: _UNREACHED,
        Failure.TLS: _UNREACHED,
        Failure.TIMEOUT: _FAILED,
        Failure.DISCONNECTED: _FAILED,
        Failure.PROTOCOL: _FAILED,
        Failure.AUTHENTICATION: _FAILED,
        Failure.SEALED: _WITHHELD,
    }
)
"""
Semantics S2 to S5 in full: every status from 100 to 599, and every failure.
"""


def _judgement_of(outcome: Outcome) -> Judgement:
    what = outcome.failure if outcome.status is None else outcome.status
    return _OUR_OWN_FAULT if what is None else JUDGEMENTS[what]


def verdict_of(outcome: Outcome) -> Verdict:
    """
    Judge an outcome: 2xx delivered; 410 gone; S4's list, 1xx, 3xx, 5xx and every failure transient; other 4xx rejected.
    """
    return _judgement_of(outcome).verdict


def standing_of(outcome: Outcome) -> Standing:
    """
    Judge the destination: who rejects for good is alive; who does not even take a connection is unreachable.
    """
    return _judgement_of(outcome).standing
