"""
The journal, as a stream in Redis.
"""

import re
from collections.abc import Sequence
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.adapters.redis.event_service import decode_settings
from odim_relay.ports import JournalEntry

_BEFORE_ALL = "0-0"
_ID = re.compile(r"\d{1,18}-\d{1,18}", re.ASCII)


class RedisJournal:
    """
    `Journal` over Redis. The ingest script writes it, with the events' deliveries.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._stream = scripts.prefix + keys.JOURNAL
        self._state = scripts.prefix + keys.JOURNAL_STATE

    def read(self, after: str, most: int) -> Sequence[JournalEntry]:
        """
        See `Journal.read`.
        """
        if not _ID.fullmatch(after):
            raise ValueError(f"{after!r} is not the id of an entry")
        with translated("reading the journal"):
            found: Any = self._scripts.client.xrange(self._stream, min=f"({after}", count=most)
        return [_entry(text(id_), members) for id_, members in found]

    def end(self) -> str:
        """
        See `Journal.end`.
        """
        with translated("looking for the journal's end"):
            return text(self._scripts.client.hget(self._state, "end")) or _BEFORE_ALL

    def has_all_after(self, entry_id: str) -> bool:
        """
        See `Journal.has_all_after`. Of an entry that is not there nothing is known: where Redis lost it with its last
        writes, it lost what came after it too.
        """
        if not _ID.fullmatch(entry_id):
            return False
        with translated("looking into the journal"):
            pipe = self._scripts.client.pipeline(transaction=True)
            pipe.get(self._scripts.prefix + keys.EVENT_SERVICE)
            pipe.hmget(self._state, ["since", "left"])
            pipe.xrange(self._stream, min=entry_id, max=entry_id)
            document, (since, left), found = pipe.execute()
        bounds = [text(bound) for bound in (since, left) if bound]
        is_known = bool(found) or entry_id in bounds
        is_kept = decode_settings(text(document)).keeps_journal
        return is_kept and is_known and all(_order(entry_id) >= _order(bound) for bound in bounds)

    def clear(self) -> None:
        """
        See `Journal.clear`.
        """
        self._scripts.run("clear_journal")

    def mark_used(self) -> None:
        """
        See `Journal.mark_used`.
        """
        self._scripts.run("use_journal", 1)

    def idle_s(self) -> float:
        """
        See `Journal.idle_s`.
        """
        idle_ms = int(self._scripts.run("use_journal", 0))
        return float("inf") if idle_ms < 0 else idle_ms / 1000


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)


def _entry(entry_id: str, members: dict[bytes, bytes]) -> JournalEntry:
    return JournalEntry(
        entry_id=entry_id,
        event_id=text(members[b"event"]),
        payload=members[b"payload"],
        recorded_at_ms=int(members[b"recorded_at_ms"]),
    )
