"""
Finding the subscriptions that could want a record, without asking each of them.

Every subscription stands under the values of one of its filters: of the one that tells it best from the others. Where
many stand under one value, they are told apart by a further filter, and so on. A record is looked up by its own
values, so it meets those that pass the filters on its way, however many others there are.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

from odim_relay.domain.criteria import Criteria
from odim_relay.domain.event import EventRecord

_ENOUGH = 8
"""
So many are asked one by one sooner than looked up.
"""
_FEW_VALUES = 4
_DEEPEST = 3
"""
Filters on the way to one subscription. Behind the first of them only filters of few values count: the copies of
a subscription in the index are its first filter's values, times at most 16.
"""

_Values: TypeAlias = tuple[frozenset[str] | None, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    criteria: Criteria
    values: _Values


@dataclass(frozen=True, slots=True)
class Index:
    """
    Criteria by what they ask for.

    Attributes:
        always: could want any record that comes by here.
        tables: for a filter, its number among the values of a record and who asks for which value.
    """

    always: tuple[Criteria, ...]
    tables: tuple[tuple[int, dict[str, "Index"]], ...]

    @classmethod
    def of(cls, criteria: Sequence[Criteria]) -> Self:
        """
        Build the index of `criteria`, in any order.
        """
        return cls._of([_Entry(one, _values_wanted(one)) for one in criteria], 0)

    @classmethod
    def _of(cls, entries: Sequence[_Entry], depth: int) -> Self:
        if depth == _DEEPEST or (depth and len(entries) <= _ENOUGH):
            return cls(always=tuple(entry.criteria for entry in entries), tables=())
        counts = _count(entries)
        always: list[Criteria] = []
        tables: defaultdict[int, defaultdict[str, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
        for entry in entries:
            number = _most_telling(entry.values, counts, _FEW_VALUES if depth else None)
            if number is None:
                always.append(entry.criteria)
                continue
            rest = _Entry(entry.criteria, (*entry.values[:number], None, *entry.values[number + 1 :]))
            for value in entry.values[number] or ():
                tables[number][value].append(rest)
        return cls(
            always=tuple(always),
            tables=tuple(
                (number, {value: cls._of(members, depth + 1) for value, members in table.items()})
                for number, table in sorted(tables.items())
            ),
        )

    def candidates(self, record: EventRecord, places: tuple[str, ...]) -> list[Criteria]:
        """
        All that accept `record`, and some that do not; one may come more than once.

        Args:
            places: `places_of` the record's origin.
        """
        found: list[Criteria] = []
        messages = (record.message_id, record.registry)
        types = (record.resource_type, *record.further_types)
        self.gather((places, messages, types, (record.event_type,), (record.severity,)), found)
        return found

    def gather(self, values: tuple[tuple[str, ...], ...], found: list[Criteria]) -> None:
        """
        Add to `found` who stands under `values`, which are a record's, filter by filter.
        """
        found += self.always
        for number, table in self.tables:
            for value in values[number]:
                if value in table:
                    table[value].gather(values, found)


def _values_wanted(criteria: Criteria) -> _Values:
    messages = None
    if criteria.message_ids is not None or criteria.registries is not None:
        messages = (criteria.message_ids or frozenset()) | (criteria.registries or frozenset())
    event_types = criteria.event_types
    if event_types is not None:
        # A record without an EventType passes: it is looked up under the empty one.
        event_types |= {""}
    return (criteria.places, messages, criteria.resource_types, event_types, criteria.severities)


def _count(entries: Sequence[_Entry]) -> tuple[Counter[str], ...]:
    counts: tuple[Counter[str], ...] = tuple(Counter() for _ in range(5))
    for entry in entries:
        for count, values in zip(counts, entry.values, strict=True):
            if values:
                count.update(values)
    return counts


def _most_telling(values: _Values, counts: tuple[Counter[str], ...], most_values: int | None) -> int | None:
    def company(number: int) -> tuple[int, int, int]:
        wanted = values[number] or frozenset()
        return max((counts[number][value] for value in wanted), default=0), len(wanted), number

    numbers = [
        number
        for number, wanted in enumerate(values)
        if wanted is not None and (most_values is None or len(wanted) <= most_values)
    ]
    return min(numbers, key=company, default=None)
