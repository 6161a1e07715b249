"""
The life of a delivery: its states, why it is parked, and which changes are legal.
"""

from enum import StrEnum


class State(StrEnum):
    """
    Where a delivery stands in the ledger.
    """

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    RETRYING = "RETRYING"
    PARKED = "PARKED"
    GONE = "GONE"


class ParkReason(StrEnum):
    """
    Why a delivery has no task: the first four are dead letters, the others are waiting.
    """

    EXHAUSTED = "exhausted"
    REJECTED = "rejected"
    GONE = "gone"
    BROKEN = "broken"
    BREAKER_OPEN = "breaker_open"
    OVER_CAP = "over_cap"
    SUSPENDED = "suspended"
    BEHIND = "behind"


DEAD_LETTER_REASONS = frozenset({ParkReason.EXHAUSTED, ParkReason.REJECTED, ParkReason.GONE, ParkReason.BROKEN})
WAITING_REASONS = frozenset(ParkReason) - DEAD_LETTER_REASONS

TRANSITIONS: dict[State, dict[str, State]] = {
    State.QUEUED: {
        "claim": State.SENDING,
        "reap": State.QUEUED,
        "complete": State.GONE,
        "subscription_deleted": State.GONE,
    },
    State.SENDING: {
        "complete": State.GONE,
        "retry": State.RETRYING,
        "park": State.PARKED,
        "reap": State.QUEUED,
        "release": State.QUEUED,
        "subscription_deleted": State.GONE,
    },
    State.RETRYING: {
        "claim": State.SENDING,
        "reap": State.QUEUED,
        "complete": State.GONE,
        "subscription_deleted": State.GONE,
    },
    State.PARKED: {
        "replay": State.QUEUED,
        "complete": State.GONE,
        "subscription_deleted": State.GONE,
    },
    State.GONE: {},
}
"""
The legal changes: state -> action -> next state. GONE is the absence of a record: delivered, or left by a counted rule.
`park` out of SENDING also covers a third lapse (L20): the reaper then parks instead of queueing again.
"""
