"""
Events that ODIM could not deliver become deliveries that wait.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import TypeVar

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.event import WHOLE
from odim_relay.domain.identity import delivery_id, imported_event_id
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.errors import TransientError
from odim_relay.formats.odim_rows import RowFlaw
from odim_relay.formats.odim_undelivered import Undelivered, read_undelivered
from odim_relay.ports import (
    Action,
    AnnouncingLedger,
    ImportedEvents,
    NewDelivery,
    NewEvent,
    OdimStore,
    Publisher,
    SubscriptionStore,
)
from odim_relay.telemetry import logger
from odim_relay.use_cases.aftermath import settle
from odim_relay.use_cases.audit import NOT_KEPT, Audit

log = logger(__name__)

T = TypeVar("T")

AT_ONCE = 100
"""
Events whose bodies are in memory together, and that are noted together.
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    An event that is to be imported, without its body.
    """

    recorded_at_ms: float
    key: str
    destination: str


@dataclass(slots=True)
class Survey:
    """
    What there is.

    Attributes:
        found_count: all there are.
        waiting: what is to be imported, in its order.
        counts: how many of these, by subscription.
        known_ids: of events that were imported before.
        without_subscription: how many nobody subscribes to their destination for, by that. They stay in ODIM's Redis.
        flaws: of each that cannot be read. They stay there too.
    """

    found_count: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    known_ids: list[str] = field(default_factory=list)
    without_subscription: Counter[str] = field(default_factory=Counter)
    flaws: list[RowFlaw] = field(default_factory=list)


@dataclass(slots=True)
class Imported:
    """
    What was done.

    Attributes:
        count: of events that became deliveries.
        left_count: of those that had left ODIM's Redis by then, or whose subscription had gone.
    """

    count: int = 0
    left_count: int = 0


class ImportUndelivered:
    """
    Parks what ODIM could not deliver, each event once, for the subscription that has its destination.

    Ids come from ODIM's keys, so what is still in the ledger is not written again; and what was imported is noted, so
    what has left the ledger is not either. It is noted after it was written: who dies in between has at most `AT_ONCE`
    events imported again that were delivered by then, with the same webhook-id. None is lost.
    """

    def __init__(
        self,
        *,
        odim: OdimStore,
        ledger: AnnouncingLedger,
        store: SubscriptionStore,
        imported: ImportedEvents,
        publisher: Publisher,
        now_s: Callable[[], float],
        audit: Audit = NOT_KEPT,
    ) -> None:
        """
        Args:
            now_s: gives the time, seconds since the epoch.
        """
        self._audit = audit
        self._odim = odim
        self._ledger = ledger
        self._imported = imported
        self._publisher = publisher
        self._now_s = now_s
        self._recipients = _Recipients(store)

    def survey(self, *, planned: Iterable[Subscription] = (), read: Callable[[int], object]) -> Survey:
        """
        See what there is; change nothing. The order is that of the events' times, then of ODIM's keys; those that do
        not tell a time come last.

        Args:
            planned: subscriptions that are to count as if they were there.
            read: is told how many more were read.

        Raises:
            TransientError: one of the two Redis cannot be reached.
        """
        self._recipients.refresh(planned)
        survey = Survey()
        for some in _in_steps(self._readable(survey, read), AT_ONCE):
            known = self._imported.among([imported_event_id(one.key) for one in some])
            survey.known_ids += known
            survey.waiting += [one for one in some if imported_event_id(one.key) not in known]
        survey.waiting.sort(key=lambda one: (one.recorded_at_ms, one.key))
        survey.counts.update(self._recipients.of(one.destination) for one in survey.waiting)
        return survey

    def _readable(self, survey: Survey, read: Callable[[int], object]) -> Iterator[Waiting]:
        for key, value in self._odim.undelivered():
            survey.found_count += 1
            if survey.found_count % AT_ONCE == 0:
                read(AT_ONCE)
            event = read_undelivered(key, value)
            if isinstance(event, RowFlaw):
                survey.flaws.append(event)
            elif self._recipients.of(event.destination):
                at_ms = inf if event.recorded_at_ms is None else event.recorded_at_ms
                yield Waiting(at_ms, key, event.destination)
            else:
                survey.without_subscription[_printable(event.destination)] += 1

    def apply(self, survey: Survey, progressed: Callable[[int], object]) -> Imported:
        """
        Import what was found.

        Args:
            progressed: is told how many more are done.

        Raises:
            TransientError: one of the two Redis cannot be reached, or the ledger is full. What was written stays.
        """
        self._recipients.refresh()
        for ids in _in_steps(survey.known_ids, AT_ONCE):
            self._imported.note(ids)  # they are there still: kept for longer
        imported = Imported()
        with self._audit(Action.EVENTS_IMPORTED) as note:
            for some in _in_steps(survey.waiting, AT_ONCE):
                count = self._import(some)
                note.add(count)
                imported.count += count
                imported.left_count += len(some) - count
                progressed(len(some))
        log.info("undelivered.imported", count=imported.count, left=imported.left_count)
        return imported

    def _import(self, waiting: Sequence[Waiting]) -> int:
        values = self._odim.undelivered_values([one.key for one in waiting])
        written: list[str] = []
        try:
            for one, value in zip(waiting, values, strict=True):
                event = None if value is None else read_undelivered(one.key, value)
                id_ = imported_event_id(one.key)
                if isinstance(event, Undelivered) and self._is_parked(event, id_):
                    written.append(id_)
        except TransientError:
            # What was written is in the ledger; that it is noted too only spares doubles.
            with suppress(TransientError):
                self._imported.note(written)
            raise
        self._imported.note(written)
        return len(written)

    def _is_parked(self, event: Undelivered, id_: str) -> bool:
        """
        Park it. False when nobody subscribes to its destination any more.
        """
        while recipient := self._recipients.of(event.destination):
            new = NewEvent(
                event_id=id_,
                payload=event.payload,
                record=f"odim/{event.odim_id}",
                recorded_at_ms=event.recorded_at_ms or round(self._now_s() * 1000),
            )
            delivery = NewDelivery(
                delivery_id=delivery_id(id_, recipient),
                subscription_id=recipient,
                event_index=0,
                shape=WHOLE,  # byte for byte, as ODIM would have sent it
                parked_as=ParkReason.IMPORTED,
            )
            aftermath = self._ledger.announce(new, [delivery], self._recipients.generation)
            if aftermath is not None:
                settle(aftermath, self._publisher)
                return True
            self._recipients.refresh()  # the subscriptions changed: look again
        return False


class _Recipients:
    """
    The subscription of each destination: of several the first by its id.
    """

    def __init__(self, store: SubscriptionStore) -> None:
        self._store = store
        self._by_destination: dict[str, str] = {}
        self.generation = 0

    def refresh(self, planned: Iterable[Subscription] = ()) -> None:
        self.generation, found, _ = self._store.changes_since(0)
        sent = [one for one in (*planned, *found) if one.kind is SubscriptionType.REDFISH_EVENT]
        # Of two with one destination the later counts.
        sent.sort(key=lambda one: one.subscription_id, reverse=True)
        self._by_destination = {one.destination: one.subscription_id for one in sent}

    def of(self, destination: str) -> str:
        """
        Its id; empty for none.
        """
        return self._by_destination.get(destination, "")


def _printable(text: str) -> str:
    """
    Half a character, or what was no UTF-8 in a key, as an escape.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def _in_steps(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
