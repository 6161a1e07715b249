"""
What an operator does to parked deliveries: lets them take their turn, or discards them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from odim_relay.domain.delivery import DEAD_LETTER_REASONS
from odim_relay.ports import (
    Action,
    Aftermath,
    BacklogLedger,
    DeliveryRecord,
    FlowListing,
    Index,
    Publisher,
    SubscriptionFlow,
)
from odim_relay.use_cases.aftermath import settle
from odim_relay.use_cases.audit import NOT_KEPT, Audit

MOST_AT_ONCE = 200
"""
Letters that one script changes (L8).
"""


class Verb(StrEnum):
    """
    What is done to them.
    """

    REPLAY = "replay"
    DISCARD = "discard"


class Obstacle(StrEnum):
    """
    Why a letter is left as it is: a newer version wrote it; its subscription is deleted, and the sweep takes it; it
    waits for its turn already; it waits for its subscription to be resumed.
    """

    NEWER = "newer"
    GONE = "gone"
    IN_TURN = "in_turn"
    SUSPENDED = "suspended"


@dataclass(slots=True, kw_only=True)
class Survey:
    """
    What would be done, and to what nothing can be done. Nothing was changed by finding out.

    Attributes:
        counts: by subscription and reason.
        waiting_for_resume: by suspended subscription: those that are sent when it is resumed, whether they would be
            changed or are left.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: Counter[Obstacle] = field(default_factory=Counter)
    waiting_for_resume: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """
        How many would be changed.
        """
        return self.counts.total()


@dataclass(slots=True, kw_only=True)
class Done:
    """
    What was done.

    Attributes:
        count: letters that this call changed; what somebody else changed meanwhile is theirs.
        is_published: False when the broker was away: the reaper publishes the tasks when it is back.
    """

    count: int = 0
    is_published: bool = True


class LettersByHand:
    """
    Replays and discards. May be ended anywhere and called again, and by several at once: each letter is changed once.
    """

    def __init__(
        self,
        *,
        ledger: BacklogLedger,
        flows: FlowListing,
        publisher: Publisher,
        pause: Callable[[float], object],
        audit: Audit = NOT_KEPT,
    ) -> None:
        """
        Args:
            pause: waits so many seconds.
        """
        self._audit = audit
        self._ledger = ledger
        self._flows = flows
        self._publisher = publisher
        self._pause = pause
        self._known: dict[str, SubscriptionFlow] = {}

    def survey(self, verb: Verb, records: Iterable[DeliveryRecord], limit: int | None = None) -> Survey:
        """
        Find out what `apply` would do, with the same arguments.
        """
        survey = Survey()
        wanted_count = 0
        for record in records:
            if wanted_count == limit:
                break
            obstacle = self._obstacle(verb, record)
            if obstacle is None:
                wanted_count += 1
                survey.counts[record.subscription_id, str(record.reason)] += 1
            else:
                survey.left[obstacle] += 1
            if obstacle in {None, Obstacle.SUSPENDED} and self._flow(record.subscription_id).suspended_by:
                survey.waiting_for_resume[record.subscription_id] += 1
        return survey

    def apply(
        self,
        verb: Verb,
        records: Iterable[DeliveryRecord],
        *,
        limit: int | None = None,
        rate: float | None = None,
        progressed: Callable[[int], None] = lambda _: None,
    ) -> Done:
        """
        Change the letters, in steps.

        Replayed ones take their turn at their old place. Where others wait for their turn already, theirs is looked at
        too: a destination that is believed to be down is probed now.

        Args:
            limit: change at most so many.
            rate: at most so many per second.
            progressed: told how many were changed, after each step.

        Raises:
            TransientError: Redis cannot be reached; what was changed stays so. Call again for the rest.
        """
        done = Done()
        most = MOST_AT_ONCE if rate is None else max(1, min(MOST_AT_ONCE, round(rate / 4)))
        change = self._ledger.release if verb is Verb.REPLAY else self._ledger.discard
        action = Action.LETTERS_REPLAYED if verb is Verb.REPLAY else Action.LETTERS_DISCARDED
        wait_s = 0.0
        of: set[str] = set()
        with self._audit(action) as note:
            note.add(0)
            for ids in self._steps(verb, _noting(records, of), most, limit):
                if wait_s > 0:
                    self._pause(wait_s)
                count, aftermath = change(ids)
                done.count += count
                note.add(count)
                note.subject = next(iter(of)) if len(of) == 1 else ""
                note.detail = f"of {len(of)} subscriptions" if len(of) > 1 else ""
                self._settle(aftermath, done)
                progressed(count)
                wait_s = count / rate if rate else 0.0
        return done

    def _steps(
        self, verb: Verb, records: Iterable[DeliveryRecord], most: int, limit: int | None
    ) -> Iterator[list[str]]:
        ids: list[str] = []
        looked_at: set[str] = set()
        wanted_count = 0
        for record in records:
            if wanted_count == limit:
                break
            obstacle = self._obstacle(verb, record)
            if obstacle is None:
                wanted_count += 1
            elif obstacle is not Obstacle.IN_TURN or record.subscription_id in looked_at:
                continue
            looked_at.add(record.subscription_id)
            ids.append(record.delivery_id)
            if len(ids) >= most:
                yield ids
                ids = []
        if ids:
            yield ids

    def _settle(self, aftermath: Aftermath, done: Done) -> None:
        # Once the broker was away nobody waits for it again: each step would take as long as it takes to find out.
        if done.is_published:
            done.is_published = settle(aftermath, self._publisher)

    def _obstacle(self, verb: Verb, record: DeliveryRecord) -> Obstacle | None:
        if record.is_newer:
            return Obstacle.NEWER
        if verb is Verb.DISCARD:
            return None
        flow = self._flow(record.subscription_id)
        if not flow.exists:
            return Obstacle.GONE
        is_dead = record.reason in DEAD_LETTER_REASONS
        if record.index is Index.READY and record.due_at_ms is None and not is_dead:
            return Obstacle.SUSPENDED if flow.suspended_by else Obstacle.IN_TURN
        return None

    def _flow(self, subscription_id: str) -> SubscriptionFlow:
        if subscription_id not in self._known:
            self._known.update(self._flows.subscriptions([subscription_id]))
        return self._known[subscription_id]


def _noting(records: Iterable[DeliveryRecord], subscription_ids: set[str]) -> Iterator[DeliveryRecord]:
    """
    The same records; whose they are is noted as they pass.
    """
    for record in records:
        subscription_ids.add(record.subscription_id)
        yield record
