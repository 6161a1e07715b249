"""
The last attempts, in Redis.
"""

from collections.abc import Sequence
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.attempt_codec import decode_attempt, encode_attempt
from odim_relay.adapters.redis.connection import Scripts, translated
from odim_relay.ports import AttemptBatch, AttemptRecord

_MOST = 100
"""
Of one list: as many as HISTORY__ATTEMPTS may say.
"""


class RedisAttemptListing:
    """
    `AttemptListing` over Redis.
    """

    def __init__(self, scripts: Scripts, *, retention_s: float) -> None:
        """
        Args:
            retention_s: older ones are not told.
        """
        self._client = scripts.client
        self._prefix = scripts.prefix
        self._retention_ms = round(retention_s * 1000)

    def of_delivery(self, delivery_id: str) -> Sequence[AttemptRecord]:
        """
        See `AttemptListing.of_delivery`.
        """
        return self._read(keys.attempts_of_delivery(delivery_id))

    def of_subscription(self, subscription_id: str) -> Sequence[AttemptRecord]:
        """
        See `AttemptListing.of_subscription`.
        """
        return self._read(keys.attempts_of_subscription(subscription_id))

    def _read(self, key: str) -> Sequence[AttemptRecord]:
        with translated("reading attempts"):
            pipe = self._client.pipeline(transaction=False)
            pipe.time()
            pipe.lrange(self._prefix + key, 0, _MOST - 1)
            replies: Any = pipe.execute()
        (seconds, _), texts = replies
        oldest_ms = int(seconds) * 1000 - self._retention_ms
        found = [record for text in texts if (record := decode_attempt(text)) and record.ended_at_ms >= oldest_ms]
        # Several workers write one list, each what it has of a second.
        return sorted(found, key=lambda record: record.ended_at_ms, reverse=True)


class RedisAttemptStore:
    """
    `AttemptStore` over Redis.
    """

    def __init__(self, scripts: Scripts, *, worker: str, attempts: int, deliveries: int, retention_s: float) -> None:
        """
        Args:
            worker: name of this process, unique among all.
            attempts: in a history, at most.
            deliveries: that have a history, at most.
            retention_s: until a history to which nothing is added ends.
        """
        self._scripts = scripts
        self._bounds = (worker, attempts, deliveries, round(retention_s * 1000))

    def keep(self, batch: AttemptBatch) -> None:
        """
        See `AttemptStore.keep`.
        """
        worker, *bounds = self._bounds
        arguments: list[str | int] = [worker, batch.number, *bounds, len(batch.sums)]
        for name, count in batch.sums.items():
            arguments += (name, count)
        for attempt in batch.attempts:
            arguments += (
                encode_attempt(attempt.record),
                attempt.record.subscription_id,
                int(attempt.for_subscription),
                int(attempt.only_if_known),
                len(attempt.delivery_ids),
                *attempt.delivery_ids,
            )
        self._scripts.run("keep_attempts", *arguments)
