"""
Destinations in memory, as one who knocks at them finds them.
"""

from collections.abc import Callable
from threading import Lock


class InMemoryConnector:
    """
    `Connector`. Accepts at the URLs of `accepting`; keeps where it knocked.
    """

    def __init__(self, *accepting: str) -> None:
        self.accepting = set(accepting)
        self.knocked: list[str] = []
        self.on_knock: Callable[[str], object] = lambda _: None
        self._lock = Lock()

    def accepts(self, url: str, *, timeout_s: float) -> bool:
        assert timeout_s > 0
        with self._lock:
            self.knocked.append(url)
        self.on_knock(url)
        return url in self.accepting
