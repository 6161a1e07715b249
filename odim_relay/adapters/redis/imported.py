"""
Which events were imported, in Redis.
"""

from collections.abc import Collection, Sequence
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, translated
from odim_relay.domain.subscription_flaws import LONGEST_RETENTION_S

_KEPT_MS = LONGEST_RETENTION_S * 1000


class RedisImportedEvents:
    """
    `ImportedEvents` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._key = scripts.prefix + keys.IMPORTED

    def among(self, event_ids: Sequence[str]) -> Collection[str]:
        """
        See `ImportedEvents.among`.
        """
        if not event_ids:
            return ()
        with translated("looking for imported events"):
            scores: Any = self._scripts.client.zmscore(self._key, list(event_ids))
        return {id_ for id_, score in zip(event_ids, scores, strict=True) if score is not None}

    def note(self, event_ids: Sequence[str]) -> None:
        """
        See `ImportedEvents.note`.
        """
        if not event_ids:
            return
        with translated("noting imported events"):
            seconds, _ = self._scripts.client.time()
            now_ms = int(seconds) * 1000
            pipe = self._scripts.client.pipeline(transaction=True)
            pipe.zadd(self._key, dict.fromkeys(event_ids, now_ms))
            pipe.zremrangebyscore(self._key, "-inf", now_ms - _KEPT_MS)
            pipe.pexpire(self._key, _KEPT_MS)
            pipe.execute()
