"""
Events that the relay makes itself: test events, heartbeats, notices.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from threading import Lock

from odim_relay.domain.event import Event, Shape
from odim_relay.domain.notices import Change
from odim_relay.errors import PermanentError
from odim_relay.formats import Ignored, Undecodable
from odim_relay.formats.redfish import decode
from odim_relay.ports import Action, AnnouncingLedger, NewDelivery, NewEvent, Publisher, Telling, TellRefusal
from odim_relay.telemetry import logger
from odim_relay.use_cases.aftermath import settle
from odim_relay.use_cases.audit import NOT_KEPT, Audit
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import MOST_DELIVERIES
from odim_relay.use_cases.new_deliveries import new_deliveries

log = logger(__name__)


class Announce:
    """
    Writes events of our own as those out of Kafka are written. Threads share one instance.
    """

    def __init__(
        self,
        *,
        ledger: AnnouncingLedger,
        matchers: MatcherDirectory,
        publisher: Publisher,
        new_id: Callable[[], str],
        now_s: Callable[[], float],
        audit: Audit = NOT_KEPT,
    ) -> None:
        """
        Args:
            matchers: is this object's alone.
            new_id: gives a uuid4.
            now_s: gives the time, seconds since the epoch.
        """
        self._audit = audit
        self._ledger = ledger
        self._matchers = matchers
        self._lock = Lock()
        self._publisher = publisher
        self._new_id = new_id
        self._now_s = now_s

    def __call__(self, payload: bytes, *, only: Collection[str] | None = None, to_all: bool = False) -> int:
        """
        Send an event to whoever wants it, and to those who follow a stream.

        Args:
            payload: a Redfish Event or MetricReport.
            only: goes to these subscriptions, whatever their filters, and to nobody else.
            to_all: goes to all subscriptions, whatever their filters.

        Returns:
            how many deliveries were made, also such as have to wait.

        Raises:
            PermanentError: the payload is neither; nothing was written.
            TransientError: the ledger cannot be reached, or is full. Of very many deliveries some may have been
                written.
        """
        decoded = decode(payload)
        if isinstance(decoded, Undecodable | Ignored):
            raise PermanentError(f"this is no event to announce: {decoded}")
        return sum(self._announce(event, only, to_all=to_all) for event in decoded)

    def by_hand(self, payload: bytes, *, only: Collection[str] | None = None, to_all: bool = False) -> int:
        """
        The same, because a person wants it.
        """
        with self._audit(Action.TEST_SENT, next(iter(only)) if only is not None and len(only) == 1 else "") as note:
            note.count = self(payload, only=only, to_all=to_all)
        return note.count

    def _announce(self, event: Event, only: Collection[str] | None, *, to_all: bool) -> int:
        name, recorded_at_ms = self._new_id(), round(self._now_s() * 1000)
        done: set[str] = set()
        is_written = False
        while True:
            generation, keeps_journal, matches = self._match(event, only, to_all=to_all)
            rest = [match for match in matches if match[0] not in done]
            some = rest[:MOST_DELIVERIES]
            is_journaled = keeps_journal and only is None and not is_written
            if not some and not is_journaled:
                break
            new = NewEvent(
                event_id=name,
                payload=event.payload,
                record="",
                recorded_at_ms=recorded_at_ms,
                is_journaled=is_journaled,
            )
            aftermath = self._ledger.announce(new, _deliveries(event, name, some), generation)
            if aftermath is None:
                continue  # the subscriptions changed: match again with those that count now (L9)
            is_written = True
            settle(aftermath, self._publisher)
            done |= {subscription_id for subscription_id, _ in some}
            if some == rest:
                break
        tell = log.info if only is None else log.debug  # heartbeats come all the time
        tell("event.announced", event_id=name, count=len(done))
        return len(done)

    def tell(
        self, change: Change, payload: bytes, *, event_id: str, along: Sequence[int] = (), besides: Collection[str] = ()
    ) -> bool:
        """
        Send the event that tells a change to whoever asks for it, and to those who follow a stream, each once: what was
        written leaves the outbox in the same step, or what is left of its readers is kept there.

        Args:
            payload: a Redfish Event of this id.
            along: numbers of the changes that leave with it.
            besides: these get none: it is about themselves.

        Returns:
            False when nobody (more) wants it: the change is still in the outbox.

        Raises:
            TransientError: the ledger cannot be reached, or is full; it goes on from there.
        """
        decoded = decode(payload)
        if isinstance(decoded, Undecodable | Ignored):
            raise PermanentError(f"this is no event to announce: {decoded}")
        (event,) = decoded
        recorded_at_ms = round(self._now_s() * 1000)
        while True:
            generation, keeps_journal, matches = self._match(event, None, to_all=False)
            rest = [match for match in matches if match[0] > change.after and match[0] not in besides]
            some = rest[:MOST_DELIVERIES]
            is_journaled = keeps_journal and not change.after
            if not some and not is_journaled:
                return False
            new = NewEvent(
                event_id=event_id, payload=payload, record="", recorded_at_ms=recorded_at_ms, is_journaled=is_journaled
            )
            telling = Telling(change=change, reached="" if some == rest else some[-1][0], along=tuple(along))
            result = self._ledger.tell(new, _deliveries(event, event_id, some), generation, telling)
            if result is TellRefusal.GENERATION:
                continue
            if result is TellRefusal.TOLD:
                return True
            settle(result, self._publisher)
            if not telling.reached:
                log.info("notice.announced", event_id=event_id, notice=change.number)
                return True
            change = replace(change, after=telling.reached)

    def _match(
        self, event: Event, only: Collection[str] | None, *, to_all: bool
    ) -> tuple[int, bool, Sequence[tuple[str, Shape]]]:
        with self._lock:
            self._matchers.refresh()
            matcher, inventory = self._matchers.matcher, self._matchers.inventory
            generation = self._matchers.generation
            keeps_journal = self._matchers.settings.keeps_journal
        if only is not None or to_all:
            return generation, keeps_journal, matcher.whole(only)
        return generation, keeps_journal, matcher.match(event, inventory)


def _deliveries(event: Event, event_id: str, matches: Sequence[tuple[str, Shape]]) -> list[NewDelivery]:
    return [
        delivery
        for subscription_id, shape in matches
        for delivery in new_deliveries(
            event, event_id=event_id, event_index=0, subscription_id=subscription_id, shape=shape
        )
    ]
