"""
What is parked for a subscription, in pages, and what is done to many of them within one request.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from odim_relay import bootstrap
from odim_relay.domain.delivery import DEAD_LETTER_REASONS
from odim_relay.ports import DeliveryRecord
from odim_relay.use_cases.letters_by_hand import Done, Verb

PAGE_SIZE = 25
MOST_LOOKED_AT = 10_000
"""
Letters that are walked for a page: beyond that it takes the command line.
"""
MOST_CHANGED = 20_000
_WITHIN_S = 4.0


class Kind(StrEnum):
    """
    Which letters.
    """

    ALL = "all"
    DEAD = "dead"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """
    One page of them, in the order in which they came in.

    Attributes:
        page: from 1.
        has_more: there are some after it.
        is_cut: there may be, where nobody looks for them.
    """

    rows: Sequence[DeliveryRecord]
    page: int
    has_more: bool
    is_cut: bool


def letters_page(subscription_id: str, kind: Kind, page: int) -> Letters:
    """
    Read one page.

    Raises:
        TransientError: Redis cannot be reached.
    """
    start = (page - 1) * PAGE_SIZE
    seen = _Counted(islice(bootstrap.delivery_listing().parked([subscription_id]), MOST_LOOKED_AT))
    found = (record for record in seen if _is(record, kind))
    rows = list(islice(found, start, start + PAGE_SIZE + 1))
    is_cut = seen.count >= MOST_LOOKED_AT
    return Letters(rows=rows[:PAGE_SIZE], page=page, has_more=len(rows) > PAGE_SIZE, is_cut=is_cut)


def change_dead_letters(verb: Verb, subscription_id: str) -> tuple[Done, int]:
    """
    Replay or discard a subscription's dead letters, as many as a request has time for. Tells also how many are left.

    Raises:
        TransientError: Redis cannot be reached; what was changed stays so.
    """
    until_s = time.monotonic() + _WITHIN_S
    parked = bootstrap.delivery_listing().parked([subscription_id])
    dead = (record for record in parked if _is(record, Kind.DEAD))
    done = bootstrap.letters_by_hand().apply(verb, _until(until_s, dead), limit=MOST_CHANGED)
    return done, dead_letter_count(subscription_id)


def change_one(verb: Verb, record: DeliveryRecord) -> Done:
    """
    Replay or discard one.

    Raises:
        TransientError: Redis cannot be reached.
    """
    return bootstrap.letters_by_hand().apply(verb, [record])


def dead_letter_count(subscription_id: str) -> int:
    """
    How many dead letters a subscription has.
    """
    counts = counts_by_reason(subscription_id)
    return sum(count for reason, count in counts.items() if reason in DEAD_LETTER_REASONS)


def counts_by_reason(subscription_id: str) -> Mapping[str, int]:
    """
    How many letters a subscription has, by reason.
    """
    return {one.reason: one.count for one in bootstrap.delivery_listing().backlogs([subscription_id])}


def is_dead(record: DeliveryRecord) -> bool:
    """
    Whether it failed, and is not sent again by itself soon.
    """
    return record.reason in DEAD_LETTER_REASONS


def _is(record: DeliveryRecord, kind: Kind) -> bool:
    return kind is Kind.ALL or is_dead(record) is (kind is Kind.DEAD)


def _until(until_s: float, records: Iterable[DeliveryRecord]) -> Iterator[DeliveryRecord]:
    for record in records:
        if time.monotonic() >= until_s:
            return
        yield record


class _Counted(Iterator[DeliveryRecord]):
    def __init__(self, records: Iterable[DeliveryRecord]) -> None:
        self._records = iter(records)
        self.count = 0

    def __next__(self) -> DeliveryRecord:
        record = next(self._records)
        self.count += 1
        return record
