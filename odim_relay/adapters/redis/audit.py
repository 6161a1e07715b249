"""
The audit log, as two streams in Redis.
"""

import heapq
from collections.abc import Iterator
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.domain.actor import Actor, Channel
from odim_relay.ports import Action, AuditEntry, AuditSelection, Deed

_PAGE = 200


class RedisAuditLog:
    """
    `AuditLog` and `AuditListing` over Redis.
    """

    def __init__(self, scripts: Scripts, *, most: int, retention_s: float) -> None:
        """
        Args:
            most: entries that are kept; of refused log-ins as many again.
            retention_s: how long at most.
        """
        self._scripts = scripts
        self._most = most
        self._retention_ms = round(retention_s * 1000)

    def note(self, deed: Deed) -> None:
        """
        See `AuditLog.note`.
        """
        name = keys.AUDIT_REFUSED if deed.action is Action.LOG_IN_REFUSED else keys.AUDIT
        flat = [part for member in _members(deed).items() for part in member]
        self._scripts.run("note", name, self._most, self._retention_ms, *flat)

    def entries(self, selection: AuditSelection = AuditSelection()) -> Iterator[AuditEntry]:  # noqa: B008 - it is immutable
        """
        See `AuditListing.entries`.
        """
        walks = [self._walk(name, selection) for name in (keys.AUDIT, keys.AUDIT_REFUSED)]
        return heapq.merge(*walks, key=lambda entry: _order(entry.entry_id), reverse=True)

    def _walk(self, name: str, selection: AuditSelection) -> Iterator[AuditEntry]:
        newest = "+" if selection.until_ms is None else str(max(selection.until_ms, 0))
        oldest = "-" if selection.since_ms is None else str(max(selection.since_ms, 0))
        while True:
            with translated("reading the audit log"):
                found: Any = self._scripts.client.xrevrange(
                    self._scripts.prefix + name, max=newest, min=oldest, count=_PAGE
                )
            for id_, members in found:
                entry = _entry(text(id_), {text(member): text(value) for member, value in members.items()})
                if entry is not None and selection.wants(entry):
                    yield entry
            if len(found) < _PAGE:
                return
            newest = f"({text(found[-1][0])}"


def _members(deed: Deed) -> dict[str, str]:
    members = {
        "action": str(deed.action),
        "actor": deed.actor.name,
        "channel": str(deed.actor.channel or ""),
        "client": deed.actor.client,
        "subject": deed.subject,
        "count": "" if deed.count is None else str(deed.count),
        "detail": deed.detail,
        "error": deed.error,
    }
    return {name: value for name, value in members.items() if value}


def _entry(entry_id: str, members: dict[str, str]) -> AuditEntry | None:
    try:
        action = Action(members["action"])
        channel = Channel(members["channel"]) if "channel" in members else None
    except (KeyError, ValueError):
        return None  # a newer version wrote it
    deed = Deed(
        action=action,
        actor=Actor(name=members.get("actor", ""), channel=channel, client=members.get("client", "")),
        subject=members.get("subject", ""),
        count=int(members["count"]) if "count" in members else None,
        detail=members.get("detail", ""),
        error=members.get("error", ""),
    )
    return AuditEntry(entry_id=entry_id, noted_at_ms=_order(entry_id)[0], deed=deed)


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)
