"""
Records in quarantine: for people to look at, and out of it.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.adapters.redis.ingest_ledger import content_of
from odim_relay.adapters.redis.replies import tickets_of
from odim_relay.errors import TransientError
from odim_relay.ports import IngestBatch, QuarantinedRecord, ReplayRefusal, TaskTicket

_STEP = 500


class RedisQuarantineListing:
    """
    `QuarantineListing` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._client = scripts.client
        self._prefix = scripts.prefix

    def entries(self) -> Iterator[QuarantinedRecord]:
        """
        See `QuarantineListing.entries`.
        """
        start = 0
        while True:
            with translated("listing the quarantine"):
                page: Any = self._client.zrange(
                    self._prefix + keys.QUARANTINE_ORDER, start, start + _STEP - 1, withscores=True
                )
                if not page:
                    return
                documents = self._client.hmget(self._prefix + keys.QUARANTINE, [id_ for id_, _ in page])
            for (id_, score), document in zip(page, documents, strict=True):
                if document is not None:
                    yield _entry(text(id_), int(score), document)
            start += len(page)

    def entry(self, entry_id: str) -> tuple[QuarantinedRecord, bytes] | None:
        """
        See `QuarantineListing.entry`.
        """
        with translated("reading the quarantine"):
            pipe = self._client.pipeline(transaction=True)
            pipe.hget(self._prefix + keys.QUARANTINE, entry_id)
            pipe.zscore(self._prefix + keys.QUARANTINE_ORDER, entry_id)
            pipe.hget(self._prefix + keys.QUARANTINE_VALUES, entry_id)
            document, score, value = pipe.execute()
        if document is None:
            return None
        return _entry(entry_id, int(score or 0), document), value or b""


class RedisQuarantineLedger:
    """
    `QuarantineLedger` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def replay(self, entry_id: str, batch: IngestBatch) -> Sequence[TaskTicket] | ReplayRefusal:
        """
        See `QuarantineLedger.replay`.
        """
        no_position = [""] * 7
        status, *rest = self._scripts.run("ingest", *no_position, batch.generation, entry_id, *content_of(batch))
        match text(status):
            case "written":
                return tickets_of(rest[0])
            case "full":
                raise TransientError("the ledger is full: more memory for LEDGER__MAX_BYTES, or fewer dead letters")
            case refusal:
                return ReplayRefusal(refusal)

    def discard(self, entry_ids: Sequence[str]) -> int:
        """
        See `QuarantineLedger.discard`.
        """
        return int(self._scripts.run("discard_quarantined", *entry_ids))


def _entry(entry_id: str, quarantined_at_ms: int, document: bytes | str) -> QuarantinedRecord:
    members = json.loads(document)
    return QuarantinedRecord(
        entry_id=entry_id,
        record=members["record"],
        recorded_at_ms=members["recorded_at_ms"],
        quarantined_at_ms=quarantined_at_ms,
        reason=members["reason"],
        detail=members["detail"],
        size=members["size"],
    )
