"""
What an administrator says for all subscriptions at once.
"""

from collections.abc import Callable
from dataclasses import fields

from odim_relay.domain.event_service import EventServiceSettings
from odim_relay.errors import TransientError
from odim_relay.ports import Action, BacklogLedger, EventServiceStore, Publisher
from odim_relay.telemetry import logger
from odim_relay.use_cases.aftermath import settle
from odim_relay.use_cases.audit import NOT_KEPT, Audit

log = logger(__name__)

_MOST_LOOKS = 20


class EventService:
    """
    Reads and changes the EventService's settings.
    """

    def __init__(
        self, *, store: EventServiceStore, ledger: BacklogLedger, publisher: Publisher, audit: Audit = NOT_KEPT
    ) -> None:
        self._audit = audit
        self._store = store
        self._ledger = ledger
        self._publisher = publisher

    def read(self) -> EventServiceSettings:
        """
        Read them.
        """
        return self._store.read()

    def change(self, change: Callable[[EventServiceSettings], EventServiceSettings]) -> EventServiceSettings:
        """
        Store what `change` makes of the settings; every claim and every batch from now on goes by them. Where sending
        begins again, what waited goes on at once, or with the next replay where it is very much or a store fails.

        What `change` raises comes through, and nothing is stored then.
        """
        before: list[EventServiceSettings] = []

        def noted(found: EventServiceSettings) -> EventServiceSettings:
            before.append(found)
            return change(found)

        with self._audit(Action.SERVICE_CHANGED) as note:
            changed = self._store.update(noted)
            said = {field.name: getattr(changed, field.name) for field in fields(changed)}
            told = [f"{name}={value}" for name, value in said.items() if value != getattr(before[-1], name)]
            note.detail, note.is_void = ", ".join(told), not told
        if changed != before[-1]:
            log.info(
                "event_service.changed",
                is_enabled=changed.is_enabled,
                retry_attempts=changed.retry_attempts,
                retry_interval_s=changed.retry_interval_s,
            )
        if changed.is_enabled and not before[-1].is_enabled:
            self._go_on()
        return changed

    def _go_on(self) -> None:
        try:
            for _ in range(_MOST_LOOKS):
                look = self._ledger.replay()
                settle(look.aftermath, self._publisher)
                if not look.has_more:
                    break
        except TransientError as exc:
            log.warning("event_service.not_woken", detail=str(exc))
