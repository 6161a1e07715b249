from types import SimpleNamespace
from typing import Any

import pytest

from odim_relay.domain.identity import delivery_id, event_id
from odim_relay.ports import AttemptRecord, Position, TopicPartition
from odim_relay.use_cases.follow_record import FollowRecord, RecordNotReadError
from tests.fakes.attempts import InMemoryAttempts

HERE = TopicPartition(topic="T", partition=0)
NAME = delivery_id(event_id("epoch", "T", 0, 5, 0), "s")
NOTHING: Any = SimpleNamespace(delivery=lambda _: None, entry=lambda _: None)


def attempt(delivery: str, status: int) -> AttemptRecord:
    return AttemptRecord(
        subscription_id="s",
        delivery_id=delivery,
        attempt=1,
        ended_at_ms=1,
        status=status,
        duration_ms=1,
        destination="http://s/",
        decision="delivered",
    )


def follow(attempts: InMemoryAttempts) -> FollowRecord:
    return FollowRecord(
        positions={HERE: Position(topic_epoch="epoch", offset=6)},
        deliveries=NOTHING,
        attempts=attempts,
        quarantine=NOTHING,
    )


def test_a_success_is_found_among_the_last_attempts_of_its_subscription() -> None:
    attempts = InMemoryAttempts(subscriptions={"s": [attempt("another", 500), attempt(NAME, 204), attempt(NAME, 503)]})

    (found,) = follow(attempts)(HERE, 5, ["s"])

    assert (found.delivery_id, found.record, found.is_known) == (NAME, None, True)
    assert found.last_attempt is not None
    assert found.last_attempt.status == 204


def test_a_deliverys_own_history_is_asked_first() -> None:
    attempts = InMemoryAttempts(deliveries={NAME: [attempt(NAME, 503)]}, subscriptions={"s": [attempt(NAME, 204)]})

    (found,) = follow(attempts)(HERE, 5, ["s"])

    assert found.last_attempt is not None
    assert found.last_attempt.status == 503


def test_what_left_no_trace_is_not_known_but_has_its_name() -> None:
    (found,) = follow(InMemoryAttempts())(HERE, 5, ["s"])

    assert (found.delivery_id, found.is_known) == (NAME, False)


def test_what_is_not_read_yet_cannot_be_followed() -> None:
    with pytest.raises(RecordNotReadError, match="6 is not yet, with 0 before it"):
        follow(InMemoryAttempts())(HERE, 6, ["s"])
