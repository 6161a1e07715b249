from datetime import UTC, datetime

import pytest

from odim_relay.cli.instants import parse_duration, parse_instant

NOW_S = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("90min", 5_400), ("90m", 5_400), ("2h", 7_200), ("1.5h", 5_400), ("7d", 604_800), ("0s", 0)],
)
def test_so_long_ago(text: str, seconds: int) -> None:
    assert parse_instant(text, NOW_S) == (NOW_S - seconds) * 1000


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00"])
def test_an_instant_with_its_zone(text: str) -> None:
    assert parse_instant(text, NOW_S) == datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp() * 1000


def test_an_instant_without_a_zone_is_local() -> None:
    assert parse_instant("2026-03-01T12:00:00", NOW_S) == datetime(2026, 3, 1, 12).astimezone().timestamp() * 1000


@pytest.mark.parametrize("text", ["", "soon", "2x", "-2h", "12:00", "2026-13-01"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_instant(text, NOW_S)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5h", 5_400), ("7d", 604_800), ("0s", 0)])
def test_a_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "-2h", "2026-03-01", "1h30min"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_duration(text)
