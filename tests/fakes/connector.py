"""
Destinations in memory, as one who knocks at them finds them.
"""

from collections.abc import Callable
from threading import Lock

from odim_relay.domain.tls import USUAL, TlsTerms


class InMemoryConnector:
    """
    `Connector`. Accepts at the URLs of `accepting`; keeps where it knocked.
    """

    def __init__(self, *accepting: str) -> None:
        self.accepting = set(accepting)
        self.knocked: list[str] = []
        self.verified: dict[str, bool | None] = {}
        self.timeouts: list[float] = []
        self.on_knock: Callable[[str], object] = lambda _: None
        self._lock = Lock()

    def accepts(self, url: str, *, timeout_s: float, tls: TlsTerms = USUAL) -> bool:
        assert timeout_s > 0
        with self._lock:
            self.knocked.append(url)
            self.verified[url] = tls.is_verified
            self.timeouts.append(timeout_s)
        self.on_knock(url)
        return url in self.accepting
