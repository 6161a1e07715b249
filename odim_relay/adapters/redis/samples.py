"""
Samples, in Redis: a list that is cut at its old end.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, translated
from odim_relay.domain.sample import Sample
from odim_relay.ports.samples import MOST_SAMPLES

_MEMBERS = frozenset(field.name for field in fields(Sample))


class RedisSampleStore:
    """
    `SampleStore` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._client = scripts.client
        self._key = scripts.prefix + keys.SAMPLES

    def add(self, sample: Sample) -> None:
        """
        See `SampleStore.add`.
        """
        # What is not known is left out: most of a sample's bytes are names.
        members = {name: value for name, value in asdict(sample).items() if value not in (None, ())}
        with translated("keeping a sample"):
            pipe = self._client.pipeline(transaction=True)
            pipe.rpush(self._key, json.dumps(members, separators=(",", ":")))
            pipe.ltrim(self._key, -MOST_SAMPLES, -1)
            pipe.execute()

    def last(self, count: int) -> Sequence[Sample]:
        """
        See `SampleStore.last`.
        """
        with translated("reading samples"):
            documents: Any = self._client.lrange(self._key, -count, -1)
        return [_decode(document) for document in documents]


def _decode(document: bytes | str) -> Sample:
    # Members that a newer version wrote are passed over.
    members: dict[str, Any] = {name: value for name, value in json.loads(document).items() if name in _MEMBERS}
    members["latency_counts"] = tuple(members.get("latency_counts", ()))
    return Sample(**members)
