from dataclasses import replace

import pytest

from odim_relay.api.ui import words
from odim_relay.api.ui.pages.deliveries import payload_of
from odim_relay.api.ui.words import Health, standing_of
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.ports import DestinationFlow, SubscriptionFlow
from odim_relay.use_cases.status import SubscriptionStatus

WELL = SubscriptionStatus(
    subscription_id="s",
    subscription=Subscription(subscription_id="s", destination="https://a/x"),
    flow=SubscriptionFlow(subscription_id="s", exists=True),
    destination=DestinationFlow(destination_id="d"),
)
BY_HAND = SubscriptionFlow(subscription_id="s", exists=True, suspended_by="by_hand", suspended_at_ms=1)
GIVEN_UP = replace(BY_HAND, suspended_by="attempts_used_up")
OPEN = DestinationFlow(destination_id="d", breaker=Breaker.OPEN, opened_at_ms=1_000, next_probe_at_ms=9_000)


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (WELL, (Health.OK, "OK")),
        (
            replace(WELL, subscription=Subscription(subscription_id="s", destination="", kind=SubscriptionType.SSE)),
            (Health.OK, "Stream"),
        ),
        (replace(WELL, waiting_count=1), (Health.WARNING, "Catching up")),
        (replace(WELL, waiting_count=1, dead_letter_count=1), (Health.WARNING, "Dead letters")),
        (replace(WELL, destination=replace(OPEN, breaker=Breaker.HALF_OPEN)), (Health.WARNING, "Being probed")),
        (replace(WELL, destination=OPEN, dead_letter_count=1), (Health.BAD, "Breaker open")),
        (replace(WELL, destination=OPEN, flow=BY_HAND), (Health.PAUSED, "Suspended")),
        (replace(WELL, flow=GIVEN_UP), (Health.BAD, "Suspended: failed")),
        (
            replace(WELL, subscription=Subscription(subscription_id="s", destination="", sealed_by="k"), flow=BY_HAND),
            (Health.BAD, "Secrets cannot be read"),
        ),
    ],
)
def test_the_first_thing_to_know_is_the_worst(status: SubscriptionStatus, standing: tuple[Health, str]) -> None:
    assert standing_of(status) == standing


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (3_661, "1 h 1 min"),
        (3_601, "1 h"),
        (90_000, "1 d 1 h"),
        (-5, "0 s"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float | None, text: str) -> None:
    assert words.age(seconds) == text


def test_a_breaker_is_told_with_what_comes_next() -> None:
    assert words.breaker(DestinationFlow(destination_id="d"), 5_000) == "closed"
    assert words.breaker(OPEN, 5_000) == "open for 4 s, next probe in 4 s"
    assert words.breaker(OPEN, 10_000) == "open for 9 s, next probe is due"
    assert words.breaker(replace(OPEN, is_unreachable=True), 5_000).endswith("until it accepts connections")
    assert words.breaker(replace(OPEN, breaker=Breaker.HALF_OPEN), 5_000).endswith("a probe is under way")


def test_figures_are_told_with_as_many_digits_as_say_something() -> None:
    assert words.count(1_234_567) == "1\u202f234\u202f567"
    assert words.count(None) == "unknown"
    assert [words.rate(value) for value in (None, 0, 0.04, 99.94, 1_234.5)] == [
        "unknown",
        "0.0",
        "0.0",
        "99.9",
        "1\u202f234",
    ]
    assert [words.span(value) for value in (0.0804, 1.25, 75)] == ["80 ms", "1.2 s", "1 min 15 s"]
    assert words.plural(1, "delivery") == "1 delivery"
    assert words.plural(2_000, "delivery") == "2\u202f000 deliveries"


def test_what_would_change_the_lines_around_it_is_not_shown() -> None:
    assert words.shown("a\x00b\u202ec\u2066d") == "a\ufffdb\ufffdc\ufffdd"
    assert words.shown("x" * 10, 4) == "xxxx\u2026"


def test_reasons_of_a_newer_version_are_told_as_they_are() -> None:
    assert words.reason("rejected") == "refused by the destination"
    assert words.reason("of_tomorrow") == "of_tomorrow"
    assert words.decision("parked:rejected") == "parked: refused by the destination"
    assert words.decision("of_tomorrow") == "of_tomorrow"


@pytest.mark.parametrize(
    ("value", "text", "is_text"),
    [
        (b'{"a": "\xc3\xa4"}\n', '{"a": "ä"}\n', True),
        (b"\xff\x00ok", "\\xff\\x00ok", False),
        ("\u202ex".encode(), "\\u202ex", False),
        (b"", "", True),
    ],
)
def test_bytes_are_shown_as_text_as_far_as_they_are(value: bytes, text: str, is_text: bool) -> None:
    shown = payload_of(value)

    assert (shown.text, shown.is_text, shown.is_cut, shown.size) == (text, is_text, False, len(value))


def test_of_very_many_bytes_the_first_are_shown() -> None:
    shown = payload_of(b"x" * 100, most=10)

    assert (shown.text, shown.is_cut, shown.size) == ("x" * 10, True, 100)
