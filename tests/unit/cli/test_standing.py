import pytest

from odim_relay.cli.standing import breaker, breaker_to_json, in_a_word, suspension, suspension_to_json
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.ports import DestinationFlow, SubscriptionFlow
from odim_relay.use_cases.status import SubscriptionStatus

NOW_MS = 1_767_225_600_000
CLOSED = DestinationFlow(destination_id="d")
OPEN = DestinationFlow(
    destination_id="d",
    breaker=Breaker.OPEN,
    opened_at_ms=NOW_MS - 65_000,
    failure_count=6,
    next_probe_at_ms=NOW_MS + 12_000,
)
OVERDUE = DestinationFlow(destination_id="d", breaker=Breaker.OPEN, opened_at_ms=NOW_MS - 2_000, next_probe_at_ms=1)
UNREACHABLE = DestinationFlow(
    destination_id="d", breaker=Breaker.OPEN, opened_at_ms=NOW_MS - 2_000, is_unreachable=True
)
PROBED = DestinationFlow(destination_id="d", breaker=Breaker.HALF_OPEN, opened_at_ms=NOW_MS - 2_000)
WELL = SubscriptionFlow(subscription_id="s", exists=True)


def suspended(by: str) -> SubscriptionFlow:
    return SubscriptionFlow(subscription_id="s", exists=True, suspended_by=by, suspended_at_ms=NOW_MS)


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        (CLOSED, "closed"),
        (OPEN, "open for 1 min 5 s, next probe in 12 s"),
        (OVERDUE, "open for 2 s, next probe is due"),
        (UNREACHABLE, "open for 2 s, knocked at until it accepts connections"),
        (PROBED, "half-open for 2 s, a probe is under way"),
    ],
)
def test_a_breaker_in_words(destination: DestinationFlow, words: str) -> None:
    assert breaker(destination, NOW_MS) == words


def test_a_breaker_for_programs() -> None:
    assert breaker_to_json(OPEN) == {
        "state": "open",
        "since": "2025-12-31T23:58:55.000Z",
        "failures": 6,
        "next_probe_at": "2026-01-01T00:00:12.000Z",
        "accepts_connections": True,
        "in_flight": 0,
    }


@pytest.mark.parametrize(
    ("by", "why"),
    [
        ("by_hand", "by hand"),
        ("attempts_used_up", "its attempts were used up"),
        ("gone", "its destination answered 410 Gone"),
        ("of_a_newer_version", "of_a_newer_version"),
    ],
)
def test_a_suspension_says_since_when_and_why(by: str, why: str) -> None:
    assert suspension(suspended(by)) == f"since 2026-01-01T00:00:00.000Z: {why}"
    assert suspension_to_json(suspended(by)) == {"by": by, "since": "2026-01-01T00:00:00.000Z"}


def test_nothing_is_said_of_what_is_not_suspended() -> None:
    assert suspension(WELL) == ""
    assert suspension_to_json(WELL) is None


@pytest.mark.parametrize(
    ("flow", "destination", "word"),
    [
        (WELL, CLOSED, "ok"),
        (WELL, OPEN, "breaker open"),
        (WELL, PROBED, "breaker half-open"),
        (suspended("gone"), OPEN, "suspended"),
    ],
)
def test_what_is_to_be_known_first(flow: SubscriptionFlow, destination: DestinationFlow, word: str) -> None:
    status = SubscriptionStatus(subscription_id="s", subscription=None, flow=flow, destination=destination)
    assert in_a_word(status) == word
