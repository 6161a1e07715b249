"""
Turns, as locks with expiry.
"""

from redis.exceptions import LockNotOwnedError
from redis.lock import Lock

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, translated

_LEAST_S = 0.001


class RedisTurn:
    """
    `Turn` by a key with an expiry, which tells who holds it. Not for several threads.
    """

    def __init__(self, scripts: Scripts, name: str) -> None:
        self._name = name
        # redis-py's own lock: it checks the holder and sets the expiry in one script.
        self._lock = Lock(scripts.client, scripts.prefix + keys.turn(name), thread_local=False)

    def take(self, for_s: float) -> bool:
        """
        See `Turn.take`.
        """
        with translated(f"taking the turn {self._name}"):
            return self._keep(for_s) or self._acquire(for_s)

    def leave(self, rest_s: float = 0.0) -> None:
        """
        See `Turn.leave`.
        """
        with translated(f"leaving the turn {self._name}"):
            self._keep(max(rest_s, _LEAST_S))
            self._lock.local.token = None

    def _keep(self, for_s: float) -> bool:
        if self._lock.local.token is None:
            return False
        try:
            return bool(self._lock.extend(for_s, replace_ttl=True))
        except LockNotOwnedError:
            self._lock.local.token = None
            return False

    def _acquire(self, for_s: float) -> bool:
        self._lock.timeout = for_s
        return bool(self._lock.acquire(blocking=False))
