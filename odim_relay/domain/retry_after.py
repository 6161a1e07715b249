"""
What a destination asks for with `Retry-After`.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Source: RFC 9110, 15.6.4 (503); RFC 6585, 4 (429). Semantics S4 honours it with these two only.
STATUSES_WITH_RETRY_AFTER = frozenset({429, 503})
LONGEST_RETRY_AFTER_S = 86_400.0

_MAX_DIGITS = 9


def retry_after_s(value: str, now: datetime) -> float | None:
    """
    Read a `Retry-After` header: seconds from `now`, 0 to 86,400.

    A date in the past asks for nothing more: 0. Longer waits than a day are cut to a day. What cannot be understood, a
    negative number among it, is as if the header were not there: None.

    Source: RFC 9110, 10.2.3: delay-seconds (digits only) or an HTTP-date in any of its three forms (5.6.7).

    Args:
        now: aware.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        seconds = float(value) if len(value) <= _MAX_DIGITS else LONGEST_RETRY_AFTER_S
        return min(seconds, LONGEST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:  # RFC 9110: an HTTP-date without a zone is in UTC
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
