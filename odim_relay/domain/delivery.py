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
    Why a delivery has no task: the first four are dead letters, the others are waiting; `imported` waits since it was
    taken over from another system.
    """

    EXHAUSTED = "exhausted"
    REJECTED = "rejected"
    GONE = "gone"
    BROKEN = "broken"
    BREAKER_OPEN = "breaker_open"
    OVER_CAP = "over_cap"
    SUSPENDED = "suspended"
    BEHIND = "behind"
    IMPORTED = "imported"


DEAD_LETTER_REASONS = frozenset({ParkReason.EXHAUSTED, ParkReason.REJECTED, ParkReason.GONE, ParkReason.BROKEN})
WAITING_REASONS = frozenset(ParkReason) - DEAD_LETTER_REASONS

TRANSITIONS: dict[State, dict[str, State]] = {
    State.QUEUED: {
        "claim": State.SENDING,
        "claim_at_most_once": State.GONE,
        "park": State.PARKED,
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
        "claim_at_most_once": State.GONE,
        "park": State.PARKED,
        "reap": State.QUEUED,
        "recover": State.QUEUED,
        "recover_later": State.RETRYING,
        "complete": State.GONE,
        "subscription_deleted": State.GONE,
    },
    State.PARKED: {
        "admit": State.QUEUED,
        "admit_later": State.RETRYING,
        "join": State.SENDING,
        "complete": State.GONE,
        "expire": State.GONE,
        "over_quota": State.GONE,
        "discard": State.GONE,
        "subscription_deleted": State.GONE,
    },
    State.GONE: {},
}
"""
The legal changes: state -> action -> next state. GONE is the absence of a record: delivered, or left by a counted rule.
A new delivery is QUEUED, or PARKED where it must wait. `park` out of QUEUED and RETRYING is a claim that may not send:
suspended, breaker open, too much in flight. `park` out of SENDING also covers a third lapse (L20). `recover`: its
destination answers again. `join`: it goes in another one's request; if that fails, `park` is its way back.
`admit_later` and `recover_later` carry the pace that a drain or a subscription has by a countdown.
"""
