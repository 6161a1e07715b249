"""
The audit log: who did what to the relay.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from odim_relay.domain.actor import NOBODY, Actor


class Action(StrEnum):
    """
    What people do. What the relay does of itself is told as notices and in its log.
    """

    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_DELETED = "subscription.deleted"
    SUBSCRIPTION_SUSPENDED = "subscription.suspended"
    SUBSCRIPTION_RESUMED = "subscription.resumed"
    SECRET_ROTATED = "subscription.secret_rotated"  # noqa: S105 - the name of an action
    SUBSCRIPTIONS_IMPORTED = "subscriptions.imported"
    EVENTS_IMPORTED = "events.imported"
    TEST_SENT = "event.sent"
    LETTERS_REPLAYED = "dead_letters.replayed"
    LETTERS_DISCARDED = "dead_letters.discarded"
    QUARANTINE_REPLAYED = "quarantine.replayed"
    QUARANTINE_DISCARDED = "quarantine.discarded"
    OFFSETS_RESET = "offsets.reset"
    SERVICE_CHANGED = "event_service.changed"
    SOURCES_CHANGED = "sources.changed"
    SECRETS_ROTATED = "secrets.rotated"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_CHANGED = "account.changed"
    ACCOUNT_DELETED = "account.deleted"
    SESSION_OPENED = "session.opened"
    SESSION_ENDED = "session.ended"
    SESSIONS_CHANGED = "session_service.changed"
    LOG_IN_REFUSED = "log_in.refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """
    Something that somebody did, or tried to. Holds no secret, no body, no header.

    Attributes:
        subject: id of what it was done to; empty where it was done to many, or to none yet.
        count: how many things it was done to; `None` where that says nothing.
        detail: a few words more: which kinds, from where; empty for none.
        error: why it was not done; empty when it was.
    """

    action: Action
    actor: Actor = NOBODY
    subject: str = ""
    count: int | None = None
    detail: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """
    A deed, as the log has it.

    Attributes:
        entry_id: `milliseconds-number`; entries come in the order of their ids.
        noted_at_ms: by the store's clock, milliseconds since the epoch.
    """

    entry_id: str
    noted_at_ms: int
    deed: Deed


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSelection:
    """
    Which entries; an empty member does not restrict, and all that are given must hold.

    Attributes:
        since_ms, until_ms: when they were noted, milliseconds since the epoch; both inclusive.
        actors: names, or a channel alone (`cli`) for whoever came by it.
        actions: the actions, or what stands before their dot (`subscription`) for all of these.
        subjects: ids.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    actors: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()

    def wants(self, entry: AuditEntry) -> bool:
        """
        Whether the entry is one of them.
        """
        deed = entry.deed
        return (
            (self.since_ms is None or entry.noted_at_ms >= self.since_ms)
            and (self.until_ms is None or entry.noted_at_ms <= self.until_ms)
            and (not self.actors or deed.actor.name in self.actors or deed.actor.channel in self.actors)
            and (not self.actions or deed.action in self.actions or deed.action.partition(".")[0] in self.actions)
            and (not self.subjects or deed.subject in self.subjects)
        )


class AuditLog(Protocol):
    """
    Keeps deeds for a while: a number of them at most, none for longer than a time; the oldest leave. Log-ins that were
    refused are bounded apart: who tries passwords pushes nothing else out.
    """

    def note(self, deed: Deed) -> None:
        """
        Add a deed, as of now.
        """
        ...


class AuditListing(Protocol):
    """
    The log, for people.
    """

    def entries(self, selection: AuditSelection = AuditSelection()) -> Iterator[AuditEntry]:
        """
        Walk the entries of the selection, newest first, as they are asked for. What is noted meanwhile may be left out.
        """
        ...
