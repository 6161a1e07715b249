"""
Requests out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from odim_relay.domain.authentication import ClientCredentials
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.tls import USUAL, TlsTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRequest:
    """
    One POST, ready to send.

    Attributes:
        headers: all of them but `Content-Length` and `Host`; later pairs of one name replace earlier ones.
        is_repeatable: whether the destination may get it twice.
        tls: what the destination has to prove, and what we show it.
        credentials: for a token that is to go with it; a plain sender knows nothing of them.
    """

    url: str
    body: bytes
    headers: tuple[tuple[str, str], ...]
    is_repeatable: bool = True
    tls: TlsTerms = USUAL
    credentials: ClientCredentials | None = None


class Sender(Protocol):
    """
    Sends one POST within one deadline.
    """

    def send(self, request: OutgoingRequest, *, may_send: Callable[[], bool], timeout_s: float) -> Outcome | None:
        """
        POST `request` and judge nothing: the outcome carries the status or the failure.

        One deadline of `timeout_s` covers DNS, connect, TLS, request and response. Redirects are not followed; at most
        16 KiB of the response is read. Whatever the destination does comes back as an `Outcome`; an exception is
        a fault of our own. One whose certificate is not accepted, or whose addresses are forbidden, is sent nothing:
        TLS, FORBIDDEN. TLS too when a file that its terms name cannot be used: never is less asked of it instead. A
        kept connection that turns out closed before any byte of an answer is replaced once if the request is
        repeatable: the destination may then get it twice, under the same `webhook-id`.

        Args:
            may_send: asked right before the first byte when connecting took longer than 3 s (ledger rule L17).

        Returns:
            None when `may_send` answered no: then no byte of the request was sent.
        """
        ...


class Connector(Protocol):
    """
    Knocks at destinations.
    """

    def accepts(self, url: str, *, timeout_s: float, tls: TlsTerms = USUAL) -> bool:
        """
        Tell whether the URL's server accepts a connection, through the TLS handshake; nothing is sent over it.

        Args:
            tls: as of an `OutgoingRequest`.
        """
        ...
