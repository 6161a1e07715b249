"""
Figures and states as people read them.
"""

import re
from datetime import UTC, datetime
from enum import StrEnum

from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.subscription import SubscriptionType
from odim_relay.ports import AttemptRecord, DestinationFlow, SubscriptionFlow, SuspendedBy
from odim_relay.use_cases.status import SubscriptionStatus

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_WHY_SUSPENDED = {
    "by_hand": "by hand",
    "attempts_used_up": "its attempts were used up",
    "gone": "its destination answered 410 Gone",
}
REASONS = {
    ParkReason.EXHAUSTED: "attempts used up",
    ParkReason.REJECTED: "refused by the destination",
    ParkReason.GONE: "destination gone",
    ParkReason.BROKEN: "could not be sent",
    ParkReason.BREAKER_OPEN: "waits for the destination",
    ParkReason.OVER_CAP: "waits: enough in flight",
    ParkReason.SUSPENDED: "waits: suspended",
    ParkReason.BEHIND: "waits for its turn",
    ParkReason.IMPORTED: "waits: imported",
}


class Health(StrEnum):
    """
    How well a subscription does; later ones are worse.
    """

    OK = "ok"
    PAUSED = "paused"
    WARNING = "warning"
    BAD = "bad"


RANKS = {health: rank for rank, health in enumerate(Health)}


def standing_of(status: SubscriptionStatus) -> tuple[Health, str]:
    """
    The one thing to know first of a subscription.
    """
    subscription, breaker = status.subscription, status.destination.breaker
    by = status.flow.suspended_by
    found = (
        (subscription is not None and subscription.sealed_by, Health.BAD, "Secrets cannot be read"),
        (by == SuspendedBy.HAND, Health.PAUSED, "Suspended"),
        (by, Health.BAD, "Suspended: failed"),
        (breaker is Breaker.OPEN, Health.BAD, "Breaker open"),
        (breaker is Breaker.HALF_OPEN, Health.WARNING, "Being probed"),
        (status.dead_letter_count, Health.WARNING, "Dead letters"),
        (status.waiting_count, Health.WARNING, "Catching up"),
        (subscription is not None and subscription.kind is SubscriptionType.SSE, Health.OK, "Stream"),
    )
    return next(((health, text) for is_so, health, text in found if is_so), (Health.OK, "OK"))


def suspension(flow: SubscriptionFlow) -> str:
    """
    Why and since when it is suspended; empty when it is not.
    """
    if not flow.suspended_by:
        return ""
    return f"{_WHY_SUSPENDED.get(flow.suspended_by, flow.suspended_by)}, since {moment(flow.suspended_at_ms)}"


def breaker(destination: DestinationFlow, now_ms: int) -> str:
    """
    How a destination's breaker stands, and what comes next.
    """
    if destination.breaker is Breaker.CLOSED:
        return "closed" if not destination.failure_count else f"closed, after {destination.failure_count} failures"
    since = f" for {age((now_ms - destination.opened_at_ms) / 1000)}" if destination.opened_at_ms else ""
    if destination.breaker is Breaker.HALF_OPEN:
        return f"half-open{since}, a probe is under way"
    if destination.is_unreachable:
        return f"open{since}, knocked at until it accepts connections"
    wait_ms = destination.next_probe_at_ms - now_ms
    return f"open{since}, " + (f"next probe in {age(wait_ms / 1000)}" if wait_ms > 0 else "next probe is due")


def failure(status: int | str | None, failure_name: object, detail: object) -> str:
    """
    How an attempt failed; empty when it did not.
    """
    what = f"HTTP {status}" if status is not None else str(failure_name or "")
    return f"{what}: {detail}" if what and detail else what or str(detail or "")


def last_failure(last: object) -> str:
    """
    The same of a `DeliveryRecord.last`.
    """
    found = dict(last) if isinstance(last, dict) else {}
    return failure(found.get("status"), found.get("failure"), found.get("detail")) if found else ""


def reason(name: str | None) -> str:
    """
    Why a delivery is parked.
    """
    known = {str(one): words for one, words in REASONS.items()}
    return known.get(name or "", name or "")


def age(seconds: float | None) -> str:
    """
    A span of time in its two largest units: `2 h 5 min`; empty for None.
    """
    if seconds is None:
        return ""
    rest = max(round(seconds), 0)
    parts: list[str] = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count or (parts and len(parts) < 2):  # noqa: PLR2004 - two units
            parts.append(f"{count} {unit}")
        if len(parts) == 2:  # noqa: PLR2004 - as above
            break
    shown = [part for part in parts if not part.startswith("0 ")] or ["0 s"]
    return " ".join(shown)


def moment(ms: int | None) -> str:
    """
    An instant for people, UTC; empty for none.
    """
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}" if ms else ""


def instant(ms: int | None) -> str:
    """
    The same for programs.
    """
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds") if ms else ""


def count(value: float | None) -> str:
    """
    A count with its thousands apart; `unknown` for None.
    """
    return "unknown" if value is None else f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def rate(value: float | None) -> str:
    """
    A rate per second, of as many digits as tell something; `unknown` for None.
    """
    if value is None:
        return "unknown"
    return count(value) if value >= 100 else f"{value:.1f}"  # noqa: PLR2004 - digits


def seconds(value: float) -> str:
    """
    Seconds, of as many digits as tell something.
    """
    return f"{value:.3f}" if value < 1 else f"{value:.1f}" if value < 100 else count(value)  # noqa: PLR2004 - digits


def span(value: float) -> str:
    """
    A short span of time with its unit: `80 ms`, `1.2 s`, `3 min`.
    """
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 60 else age(value)  # noqa: PLR2004 - a minute


def attempt_failure(attempt: AttemptRecord) -> str:
    """
    How an attempt failed; for one that delivered its status.
    """
    return failure(attempt.status, attempt.failure, attempt.detail)


def decision(name: str) -> str:
    """
    What an attempt led to.
    """
    what, _, why = name.partition(":")
    known = {"delivered": "delivered", "retry": "tried again", "suspended": "subscription suspended"}
    return f"parked: {reason(why)}" if what == "parked" else known.get(what, what)


def shown(value: object, most: int = 400) -> str:
    """
    A text of somebody else's, without what would change the lines around it; not all of a long one.
    """
    text = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(value))
    return text if len(text) <= most else f"{text[:most]}\N{HORIZONTAL ELLIPSIS}"


def plural(number: int, word: str) -> str:
    """
    `1 delivery`, `2 deliveries`.
    """
    many = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{count(number)} {word if number == 1 else many}"
