"""
How subscriptions and their destinations stand, in words and for programs.
"""

from odim_relay.cli.output import age, instant
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.ports import DestinationFlow, SubscriptionFlow
from odim_relay.use_cases.status import SubscriptionStatus

_WHY = {
    "by_hand": "by hand",
    "attempts_used_up": "its attempts were used up",
    "gone": "its destination answered 410 Gone",
}


def suspension_to_json(flow: SubscriptionFlow) -> dict[str, object] | None:
    """
    Why a subscription is suspended and since when; None when it is not.
    """
    if not flow.suspended_by:
        return None
    return {"by": flow.suspended_by, "since": instant(flow.suspended_at_ms)}


def breaker_to_json(destination: DestinationFlow) -> dict[str, object]:
    """
    A destination's breaker.
    """
    return {
        "state": str(destination.breaker),
        "since": instant(destination.opened_at_ms),
        "failures": destination.failure_count,
        "next_probe_at": instant(destination.next_probe_at_ms),
        "accepts_connections": not destination.is_unreachable,
        "in_flight": destination.in_flight_count,
    }


def standing_to_json(status: SubscriptionStatus) -> dict[str, object]:
    """
    What `subscriptions show` and `list` tell beside the subscription itself.
    """
    return {
        "suspended": suspension_to_json(status.flow),
        "breaker": breaker_to_json(status.destination),
        "waiting": status.waiting_count,
        "dead_letters": status.dead_letter_count,
        "oldest_age_s": status.oldest_age_s,
    }


def suspension(flow: SubscriptionFlow) -> str:
    """
    `since 2026-03-01T12:00:00.000Z: by hand`; empty when it is not suspended.
    """
    if not flow.suspended_by:
        return ""
    return f"since {instant(flow.suspended_at_ms)}: {_WHY.get(flow.suspended_by, flow.suspended_by)}"


def breaker(destination: DestinationFlow, now_ms: int) -> str:
    """
    `open for 2 min 3 s, next probe in 12 s`, or `closed`.
    """
    if destination.breaker is Breaker.CLOSED:
        return str(Breaker.CLOSED)
    words = str(destination.breaker).replace("_", "-")
    if destination.opened_at_ms:
        words += f" for {age((now_ms - destination.opened_at_ms) / 1000)}"
    return f"{words}, {next_probe(destination, now_ms)}"


def next_probe(destination: DestinationFlow, now_ms: int) -> str:
    """
    When a destination whose breaker is not closed is probed.
    """
    if destination.breaker is Breaker.HALF_OPEN:
        return "a probe is under way"
    if destination.is_unreachable:
        return "knocked at until it accepts connections"
    wait_ms = destination.next_probe_at_ms - now_ms
    return f"next probe in {age(wait_ms / 1000)}" if wait_ms > 0 else "next probe is due"


def in_a_word(status: SubscriptionStatus) -> str:
    """
    The one thing that is to be known first: `suspended`, `breaker open`, or `ok`.
    """
    if status.flow.suspended_by:
        return "suspended"
    if status.destination.breaker is not Breaker.CLOSED:
        return f"breaker {status.destination.breaker.replace('_', '-')}"
    return "ok"
