"""
Changes that are to be told, in Redis.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.domain.notices import Change, ChangeKind


class RedisNoticeOutbox:
    """
    `NoticeOutbox` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._prefix = scripts.prefix

    def pending(self) -> Sequence[Change]:
        """
        See `NoticeOutbox.pending`.
        """
        with translated("reading what is to be told"):
            pipe = self._scripts.client.pipeline(transaction=True)
            pipe.hgetall(self._prefix + keys.NOTICES)
            pipe.hmget(self._prefix + keys.NOTICES_STATE, ["at", "after"])
            documents, (at, after) = pipe.execute()
        begun = {text(at): text(after)} if at else {}
        return sorted(_changes(documents, begun), key=lambda change: change.number)

    def logged(self) -> int:
        """
        See `NoticeOutbox.logged`.
        """
        with translated("looking what was logged"):
            return int(self._scripts.client.hget(self._prefix + keys.NOTICES_STATE, "logged") or 0)

    def note_logged(self, number: int) -> None:
        """
        See `NoticeOutbox.note_logged`.
        """
        self._scripts.run("logged", number)

    def told_lately(self, topics: Sequence[str]) -> Sequence[int]:
        """
        See `NoticeOutbox.told_lately`.
        """
        if not topics:
            return []
        with translated("looking what was told"):
            found = self._scripts.client.mget([self._prefix + keys.notices_told(topic) for topic in topics])
        return [int(count or 0) for count in found]

    def forget(self, numbers: Sequence[int]) -> None:
        """
        See `NoticeOutbox.forget`.
        """
        if not numbers:
            return
        with translated("taking out what is told to nobody"):
            pipe = self._scripts.client.pipeline(transaction=True)
            pipe.hdel(self._prefix + keys.NOTICES, *map(str, numbers))
            pipe.zrem(self._prefix + keys.NOTICES_ORDER, *map(str, numbers))
            pipe.execute()


def _changes(documents: dict[bytes, bytes], begun: dict[str, str]) -> Iterator[Change]:
    for number, document in documents.items():
        members: dict[str, Any] = json.loads(document)
        try:
            kind = ChangeKind(members["name"])
        except ValueError:
            continue
        yield Change(
            number=int(number),
            kind=kind,
            subject=members["subject"],
            detail=members.get("detail", ""),
            noted_at_ms=int(members["noted_at_ms"]),
            after=begun.get(text(number), ""),
        )
