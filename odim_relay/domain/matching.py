"""
Which subscriptions an event goes to, and how much of it. Source: EventDestination v1_16_0.

The rules where the standard leaves room, or ODIM does otherwise:

* EventTypes: exact. A record without an EventType passes (ODIM).
* RegistryPrefixes and MessageIds: a union; versions do not count on either side. Exclude... is subtracted from it.
* ResourceTypes: the type of the resource at the record's origin, by its URI; where that names a property made of
  another type (an IP address, a message), also that type; `Resource` is any. A record whose type is not known, or that
  has no origin, does not pass. SubordinateResources has no say here: an event of a Volume is none of a Storage.
* OriginResources: the URI itself, with SubordinateResources also what is below it by path segment. A slash at the end
  of either does not count. An empty URI is no resource: it matches nothing.
* Severities: exact, as the schema spells them; `MessageSeverity`, or `Severity` where only that is given.
* A record that lacks another filter's member does not pass that filter.
* An aggregate in OriginResources means its elements, each as if it were named itself.
* The relay's own messages (registry `OdimRelay`), wherever they come from, go only to who names the registry or one of
  them, or has the EventService or something below it among its OriginResources.
* An Event without records goes to the subscriptions without any filter.
* MetricReports: see `Criteria.wants_reports`.
* MetricReportDefinitions: the URI itself; a slash at the end of either does not count. A report that does not say by
  which definition it was made does not pass.
"""

from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Self

from odim_relay.domain.criteria import Criteria, places_of, with_aggregates
from odim_relay.domain.event import Event, EventFormat, EventRecord, Shape
from odim_relay.domain.inventory import EMPTY, Inventory
from odim_relay.domain.matching_index import Index
from odim_relay.domain.own_resources import OWN_REGISTRY
from odim_relay.domain.subscription import Subscription

_FEW_CHANGES = 64
_PART_CHANGED = 16


def wants(subscription: Subscription, record: EventRecord) -> bool:
    """
    Whether a subscription wants a record of an Event. Those for MetricReports want none.
    """
    criteria = Criteria.of(subscription)
    return criteria.event_format is EventFormat.EVENT and criteria.accepts(record, places_of(record.origin))


def wants_reports(subscription: Subscription) -> bool:
    """
    Whether a subscription wants MetricReports.
    """
    return Criteria.of(subscription).wants_reports


class Matcher:
    """
    A set of subscriptions, ready to be asked. Immutable: threads may share one.
    """

    __slots__ = ("_by_id", "_changed_ids", "_fresh", "_index", "_reports", "_unrestricted")

    def __init__(
        self, by_id: dict[str, Criteria], index: Index | None = None, changed_ids: frozenset[str] = frozenset()
    ) -> None:
        """
        Args:
            by_id: all subscriptions; is kept.
            index: of those that had filters when it was made; None has one made.
            changed_ids: which have been saved or deleted since.
        """
        in_order = sorted(by_id.values(), key=attrgetter("subscription_id"))
        for_events = [criteria for criteria in in_order if criteria.event_format is EventFormat.EVENT]
        restricted = [criteria for criteria in for_events if criteria.is_restricted]
        self._by_id = by_id
        self._index = Index.of(restricted) if index is None else index
        self._changed_ids = changed_ids
        self._fresh = Index.of([criteria for criteria in restricted if criteria.subscription_id in changed_ids])
        self._unrestricted = [_all_of(criteria) for criteria in for_events if not criteria.is_restricted]
        self._reports = [criteria for criteria in in_order if criteria.wants_reports]

    @classmethod
    def of(cls, subscriptions: Iterable[Subscription]) -> Self:
        """
        The matcher of `subscriptions`; of two with one id the later counts.
        """
        return cls({subscription.subscription_id: Criteria.of(subscription) for subscription in subscriptions})

    def changed(self, *, saved: Iterable[Subscription] = (), deleted: Iterable[str] = ()) -> Self:
        """
        The matcher with `saved` subscriptions added or replaced, and then without the ids in `deleted`.

        A few changes are looked up beside the index that stands, so they cost little; many have it made anew. Unknown
        ids do not matter.
        """
        fresh = {subscription.subscription_id: Criteria.of(subscription) for subscription in saved}
        by_id = self._by_id | fresh
        gone = set(deleted)
        for subscription_id in gone:
            by_id.pop(subscription_id, None)
        changed_ids = self._changed_ids.union(fresh, gone)
        if len(changed_ids) > max(_FEW_CHANGES, len(by_id) // _PART_CHANGED):
            return type(self)(by_id)
        return type(self)(by_id, self._index, changed_ids)

    def match(self, event: Event, inventory: Inventory = EMPTY) -> list[tuple[str, Shape]]:
        """
        The ids of the subscriptions that want `event`, ascending, each with the shape of its body.

        An aggregate that a subscription names means the elements that it has in `inventory`.

        The shape has the records that matched, None for all of them, and the subscription's Context; an Event that is
        not complete is completed. The list is the caller's.
        """
        if event.format is EventFormat.METRIC_REPORT:
            definition = event.report_definition
            return [_all_of(criteria) for criteria in self._reports if criteria.accepts_report(definition)]
        matches = self._match_records(event, inventory)
        if event.is_complete:
            return matches
        return [(subscription_id, replace(shape, is_completed=True)) for subscription_id, shape in matches]

    def _match_records(self, event: Event, inventory: Inventory) -> list[tuple[str, Shape]]:
        matched = self._matched(event, inventory)
        matches = self._match_unrestricted(event)
        if not matched:
            return matches
        count = len(event.records)
        for criteria, numbers in matched.items():
            matches.append(_all_of(criteria) if len(numbers) == count else _part_of(criteria, numbers))
        matches.sort(key=_subscription_id)
        return matches

    def _match_unrestricted(self, event: Event) -> list[tuple[str, Shape]]:
        numbers = tuple(number for number, record in enumerate(event.records) if record.registry != OWN_REGISTRY)
        if len(numbers) == len(event.records):
            return list(self._unrestricted)
        return [(id_, replace(shape, records=numbers)) for id_, shape in self._unrestricted] if numbers else []

    def whole(self, subscription_ids: Iterable[str] | None = None) -> list[tuple[str, Shape]]:
        """
        These subscriptions, or all, as `match` would tell them for an event that each of them wants whole.
        """
        ids = self._by_id.keys() if subscription_ids is None else self._by_id.keys() & set(subscription_ids)
        return [_all_of(self._by_id[id_]) for id_ in sorted(ids)]

    def candidate_count(self, event: Event, inventory: Inventory = EMPTY) -> int:
        """
        How many times `match` asks a subscription about a record: what the event costs, in units.
        """
        return sum(len(self._candidates(record, _places(record, inventory))) for record in event.records)

    def _candidates(self, record: EventRecord, places: tuple[str, ...]) -> list[Criteria]:
        candidates = self._index.candidates(record, places)
        if self._changed_ids:
            candidates = [criteria for criteria in candidates if criteria.subscription_id not in self._changed_ids]
            candidates += self._fresh.candidates(record, places)
        return candidates

    def _matched(self, event: Event, inventory: Inventory) -> dict[Criteria, list[int]]:
        matched: dict[Criteria, list[int]] = {}
        for number, record in enumerate(event.records):
            places = _places(record, inventory)
            for criteria in self._candidates(record, places):
                if not criteria.accepts(record, places):
                    continue
                numbers = matched.setdefault(criteria, [])
                # A candidate that comes twice for one record comes so before the next record.
                if not numbers or numbers[-1] != number:
                    numbers.append(number)
        return matched


def _places(record: EventRecord, inventory: Inventory) -> tuple[str, ...]:
    places = places_of(record.origin)
    return with_aggregates(places, inventory.aggregates) if inventory.aggregates else places


def _all_of(criteria: Criteria) -> tuple[str, Shape]:
    return criteria.subscription_id, criteria.whole


def _part_of(criteria: Criteria, numbers: list[int]) -> tuple[str, Shape]:
    return criteria.subscription_id, Shape(records=tuple(numbers), context=criteria.whole.context)


def _subscription_id(match: tuple[str, Shape]) -> str:
    return match[0]
