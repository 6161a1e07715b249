"""
What changed about the relay itself is told: in the log, and by an event to who asks for that.
"""

from collections.abc import Collection, Sequence

from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.notices import Change, ChangeKind, Step, plan
from odim_relay.domain.subscription import SubscriptionType
from odim_relay.formats.own_events import change_event, change_event_id
from odim_relay.ports import EventServiceStore, NoticeOutbox, SubscriptionStore
from odim_relay.telemetry import logger
from odim_relay.use_cases.announce import Announce
from odim_relay.use_cases.directory import SubscriptionDirectory

log = logger(__name__)

INTERVAL_S = 2.0
"""
How often somebody looks, also when nobody was called to.
"""
MOST_RECORDS = 100
"""
Subscriptions of one destination that an event names.
"""
_MOST_LOOKS = 100


class Tell:
    """
    The work of the tell task. Safe to run twice at once (L28): each change is told by an event once, and by a log line
    once as long as one runs at a time and is not killed between the line and the note of it.
    """

    def __init__(
        self, *, outbox: NoticeOutbox, store: SubscriptionStore, services: EventServiceStore, announce: Announce
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._directory = SubscriptionDirectory(store, services)
        self._announce = announce

    def __call__(self) -> int:
        """
        Tell all that may be told now, also what changes meanwhile. Returns how many changes left the outbox.

        Raises:
            TransientError: a store cannot be reached, or the ledger is full; the next run goes on.
        """
        count = 0
        for _ in range(_MOST_LOOKS):
            changes = self._outbox.pending()
            if not changes:
                break
            self._log(changes)
            topics = list(dict.fromkeys(change.topic for change in changes))
            steps = plan(changes, dict(zip(topics, self._outbox.told_lately(topics), strict=True)))
            if not steps:
                break
            for step in steps:
                self._take(step)
                count += len(step.along) + (step.told is not None)
        return count

    def _log(self, changes: Sequence[Change]) -> None:
        logged = self._outbox.logged()
        for change in changes:
            if change.number > logged:
                log_change(change)
                self._outbox.note_logged(change.number)

    def _take(self, step: Step) -> None:
        along = tuple(change.number for change in step.along)
        if step.told is None:
            self._outbox.forget(along)
            return
        change = step.told
        about = self._about(change)
        is_read = False
        if about or change.kind is ChangeKind.QUARANTINE_GROWING:
            is_read = self._announce.tell(
                change,
                change_event(change, sorted(about)[:MOST_RECORDS]),
                event_id=change_event_id(change),
                along=along,
                besides=about,
            )
        if not is_read:
            self._outbox.forget((*along, change.number))

    def _about(self, change: Change) -> Collection[str]:
        """
        The subscriptions that a change is about; one that was deleted meanwhile, too.
        """
        match change.kind:
            case ChangeKind.BREAKER_OPENED | ChangeKind.BREAKER_CLOSED:
                return {
                    one.subscription_id
                    for one in self._directory.everything(self._store.generation())
                    if one.kind is not SubscriptionType.SSE and destination_id(one) == change.subject
                }
            case ChangeKind.QUARANTINE_GROWING:
                return ()
            case _:
                return {change.subject}


def log_change(change: Change) -> None:
    """
    One line for one change.
    """
    subject, number = change.subject, change.number
    match change.kind:
        case ChangeKind.BREAKER_OPENED:
            log.warning("breaker.opened", destination_id=subject, notice=number)
        case ChangeKind.BREAKER_CLOSED:
            log.info("breaker.closed", destination_id=subject, notice=number)
        case ChangeKind.SUSPENDED:
            log.warning("subscription.suspended", subscription_id=subject, reason=change.detail, notice=number)
        case ChangeKind.RESUMED:
            log.info("subscription.resumed", subscription_id=subject, notice=number)
        case ChangeKind.TERMINATED:
            log.warning("subscription.terminated", subscription_id=subject, notice=number)
        case ChangeKind.BUFFER_EXCEEDED:
            log.warning("subscription.buffer_exceeded", subscription_id=subject, reason=change.detail, notice=number)
        case ChangeKind.QUARANTINE_GROWING:
            log.warning("quarantine.growing", count=int(change.detail), notice=number)
