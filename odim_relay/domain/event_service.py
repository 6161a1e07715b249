"""
What an administrator says for all subscriptions at once. Source: EventService v1_12_0.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EventServiceSettings:
    """
    The writable part of the EventService, and whether the journal is kept.

    Attributes:
        is_enabled: False holds everything back: events are taken in and wait, none is sent.
        retry_attempts: after the first; `None` is as `DELIVERY__RETRY_ATTEMPTS` says.
        retry_interval_s: before the first retry; `None` is as `DELIVERY__RETRY_INTERVAL_S` says.
        keeps_journal: every event that is taken in is kept for a while too, for those who follow a stream.
    """

    is_enabled: bool = True
    retry_attempts: int | None = None
    retry_interval_s: int | None = None
    keeps_journal: bool = False
