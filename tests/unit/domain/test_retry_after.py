from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.retry_after import LONGEST_RETRY_AFTER_S, retry_after_s

NOW = datetime(1994, 11, 6, 8, 49, 7, tzinfo=UTC)


@pytest.mark.parametrize(("value", "seconds"), [("0", 0), ("1", 1), (" 120 ", 120), ("007", 7), ("86400", 86_400)])
def test_seconds_are_read(value: str, seconds: float) -> None:
    assert retry_after_s(value, NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",  # the form of today
        "Sunday, 06-Nov-94 08:49:37 GMT",  # RFC 850's
        "Sun Nov  6 08:49:37 1994",  # C's asctime
    ],
)
def test_all_three_forms_of_a_date_are_read(value: str) -> None:
    assert retry_after_s(value, NOW) == 30


def test_a_date_is_told_from_now_wherever_now_is() -> None:
    eastern = NOW.astimezone(timezone(timedelta(hours=-5)))

    assert retry_after_s("Sun, 06 Nov 1994 08:49:37 GMT", eastern) == 30


def test_a_date_in_the_past_asks_for_no_wait() -> None:
    assert retry_after_s("Sun, 06 Nov 1994 08:00:00 GMT", NOW) == 0


@pytest.mark.parametrize("value", ["86401", "9" * 5000, "Wed, 06 Nov 2094 08:49:37 GMT"])
def test_more_than_a_day_is_a_day(value: str) -> None:
    assert retry_after_s(value, NOW) == LONGEST_RETRY_AFTER_S


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "soon",
        "12 s",
        "٣",
        "²",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 99999 08:49:37 GMT",
    ],
)
def test_nonsense_is_as_if_it_were_not_there(value: str) -> None:
    assert retry_after_s(value, NOW) is None


@given(st.text())
def test_whatever_stands_there_the_wait_is_bounded(value: str) -> None:
    wait_s = retry_after_s(value, NOW)

    assert wait_s is None or 0 <= wait_s <= LONGEST_RETRY_AFTER_S


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 - made aware below
def test_a_date_is_told_to_the_second(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC, microsecond=0)
    expected = min(max((moment - NOW).total_seconds(), 0), LONGEST_RETRY_AFTER_S)

    assert retry_after_s(format_datetime(moment, usegmt=True), NOW) == expected
