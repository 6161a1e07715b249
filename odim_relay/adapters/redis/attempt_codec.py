"""
The last attempts, as Redis keeps them: JSON arrays, since there are many of them.
"""

import json
from typing import Any

from odim_relay.ports import AttemptRecord

_VERSION = 1
_LONGEST = 200
"""
Of a detail and a destination: their length is not ours.
"""


def encode_attempt(record: AttemptRecord) -> str:
    """
    Write one. What is longer than people read is cut, so that its size is bounded.
    """
    members = (
        _VERSION,
        record.ended_at_ms,
        record.subscription_id,
        record.delivery_id,
        record.attempt,
        record.status or 0,
        record.failure,
        record.detail[:_LONGEST],
        record.duration_ms,
        record.destination[:_LONGEST],
        record.address,
        record.decision,
        record.event_count,
    )
    return json.dumps(members, separators=(",", ":"))


def decode_attempt(text: bytes | str) -> AttemptRecord | None:
    """
    Read one; None for one that a newer version wrote.
    """
    version, *members = json.loads(text)
    return _decoded(members) if version == _VERSION else None


def _decoded(members: list[Any]) -> AttemptRecord:
    ended, subscription, delivery, attempt, status, failure, detail, duration, destination, address, *rest = members
    decision, event_count = rest
    return AttemptRecord(
        subscription_id=subscription,
        delivery_id=delivery,
        attempt=attempt,
        ended_at_ms=ended,
        status=status or None,
        failure=failure,
        detail=detail,
        duration_ms=duration,
        destination=destination,
        address=address,
        decision=decision,
        event_count=event_count,
    )
