import json
from dataclasses import replace

import pytest

from odim_relay.adapters.redis.attempt_codec import decode_attempt, encode_attempt
from odim_relay.ports import AttemptRecord

FAILED = AttemptRecord(
    subscription_id="s",
    delivery_id="d",
    attempt=3,
    ended_at_ms=1_700_000_000_123,
    failure="connect",
    detail="not connected: refused",
    duration_ms=7,
    destination="https://receiver.example/events",
    address="192.0.2.1:443",
    decision="parked:exhausted",
    event_count=4,
)


@pytest.mark.parametrize("record", [FAILED, replace(FAILED, status=204, failure="", detail="", decision="delivered")])
def test_what_is_written_is_read(record: AttemptRecord) -> None:
    assert decode_attempt(encode_attempt(record)) == record


def test_what_a_newer_version_wrote_is_passed_over() -> None:
    assert decode_attempt(json.dumps([2, {"whatever": 1}])) is None


def test_what_others_may_make_long_is_cut() -> None:
    written = encode_attempt(replace(FAILED, detail="x" * 100_000, destination="y" * 100_000))

    assert len(written) < 1_000
