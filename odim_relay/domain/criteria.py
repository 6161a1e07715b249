"""
A subscription's filters made ready: normalised once, then asked of every record that could match.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self, TypeAlias

from odim_relay.domain.event import WHOLE, EventFormat, EventRecord, Shape
from odim_relay.domain.message_id import registry_of, without_version
from odim_relay.domain.own_resources import OWN_REGISTRY, is_own
from odim_relay.domain.resource_type import general_type
from odim_relay.domain.subscription import Subscription

Wanted: TypeAlias = frozenset[str] | None
"""
The values that pass; None when there is no such filter. An empty string in a filter is nothing that could be wanted.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Criteria:
    """
    What one subscription wants. Two are equal only when they are the same object.

    Attributes:
        whole: the shape of an event of which every record matched.
        message_ids, registries: a record passes by either.
        places: of `places_of` a record's origin, one of which must be here.
        report_definitions: for reports, where all else is for records.
    """

    subscription_id: str
    whole: Shape
    event_format: EventFormat
    event_types: Wanted
    message_ids: Wanted
    registries: Wanted
    excluded_message_ids: frozenset[str]
    excluded_registries: frozenset[str]
    resource_types: Wanted
    places: Wanted
    severities: Wanted
    report_definitions: Wanted

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        """
        Normalise a subscription's filters.
        """
        filters = subscription.filters
        context = subscription.context
        return cls(
            subscription_id=subscription.subscription_id,
            whole=WHOLE if context is None else Shape(context=context),
            event_format=subscription.event_format,
            event_types=_wanted(filters.event_types),
            message_ids=_wanted(filters.message_ids, without_version),
            registries=_wanted(filters.registry_prefixes, _registry),
            excluded_message_ids=_wanted(filters.exclude_message_ids, without_version) or frozenset(),
            excluded_registries=_wanted(filters.exclude_registry_prefixes, _registry) or frozenset(),
            resource_types=_wanted(filters.resource_types, general_type),
            places=_wanted(filters.origin_resources, _below if filters.subordinate_resources else _itself),
            severities=_wanted(filters.severities),
            report_definitions=_wanted(filters.metric_report_definitions, _itself),
        )

    @property
    def is_restricted(self) -> bool:
        """
        Whether there is any filter on records.
        """
        wanted = (
            self.event_types,
            self.message_ids,
            self.registries,
            self.resource_types,
            self.places,
            self.severities,
        )
        return bool(self.excluded_message_ids or self.excluded_registries) or wanted != _ANYTHING

    @property
    def wants_reports(self) -> bool:
        """
        Whether MetricReports are for it.

        They are for MetricReport subscriptions, unless `EventTypes` names others only. They are also for an Event
        subscription whose `EventTypes` names `MetricReport`: before there was an `EventFormatType`, and in ODIM to
        this day, that is how they are asked for. Of the other filters only MetricReportDefinitions applies to a report.
        """
        asked = self.event_types is not None and EventFormat.METRIC_REPORT in self.event_types
        return asked or (self.event_format is EventFormat.METRIC_REPORT and self.event_types is None)

    def accepts_report(self, definition: str) -> bool:
        """
        Whether a MetricReport made by the definition at this URI is asked for. One that names no definition is not,
        where any is.
        """
        return self.report_definitions is None or _itself(definition) in self.report_definitions

    def accepts(self, record: EventRecord, places: tuple[str, ...]) -> bool:
        """
        Whether every filter lets `record` pass; `places` are those of its origin.

        The format is not asked. A record without a member passes no filter on that member, but for EventTypes: a record
        without an EventType passes (ODIM's contract; some BMCs leave it out).
        """
        return (
            (self.places is None or not self.places.isdisjoint(places))
            and self._accepts_message(record)
            and (self.event_types is None or not record.event_type or record.event_type in self.event_types)
            and (self.resource_types is None or self._accepts_type(record))
            and (self.severities is None or record.severity in self.severities)
            and (record.registry != OWN_REGISTRY or self._asks_for_own(record, places))
        )

    def _asks_for_own(self, record: EventRecord, places: tuple[str, ...]) -> bool:
        """
        Whether one of the relay's own messages is asked for by name, or by where it is about: who wants the events of
        servers, be it all of them, gets no news of other subscriptions.
        """
        return (
            (self.message_ids is not None and record.message_id in self.message_ids)
            or (self.registries is not None and record.registry in self.registries)
            or (self.places is not None and any(is_own(place) and place in self.places for place in places))
        )

    def _accepts_type(self, record: EventRecord) -> bool:
        wanted = self.resource_types or frozenset()
        return record.resource_type in wanted or not wanted.isdisjoint(record.further_types)

    def _accepts_message(self, record: EventRecord) -> bool:
        if self.message_ids is not None or self.registries is not None:
            by_id = self.message_ids is not None and record.message_id in self.message_ids
            by_registry = self.registries is not None and record.registry in self.registries
            if not (by_id or by_registry):
                return False
        return record.message_id not in self.excluded_message_ids and record.registry not in self.excluded_registries


_ANYTHING: tuple[Wanted, ...] = (None,) * 6


def places_of(origin: str) -> tuple[str, ...]:
    """
    What a subscription may have said to mean `origin`: the URI itself; or, ending in a slash, it or a place above it.

    A member within a resource (`/a/Thermal#/Fans/0`) is below the resource.
    """
    if not origin:
        return ()
    path = origin.replace("#/", "/") if "#" in origin else origin
    places = [origin, path + "/"]
    end = path.rfind("/")
    while end > 0:
        places.append(path[: end + 1])
        end = path.rfind("/", 0, end)
    return tuple(places)


def with_aggregates(places: tuple[str, ...], aggregates: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """
    The places of an origin, and the aggregates that mean one of them: as themselves where the origin is an element;
    ending in a slash where it is an element or below one.

    Args:
        places: of `places_of`.
        aggregates: of each element, a resource, the URIs of the aggregates that it is in.
    """
    if not places:
        return places
    # The first is the URI itself, all others end in a slash.
    added = [*aggregates.get(places[0], ())]
    for place in places[1:]:
        added += [f"{uri}/" for uri in aggregates.get(place[:-1], ())]
    return (*places, *dict.fromkeys(added)) if added else places


def _registry(prefix: str) -> str:
    # A version behind the prefix does not count, as in a message id.
    return registry_of(prefix) or prefix


def _itself(uri: str) -> str:
    return uri.rstrip("/")


def _below(uri: str) -> str:
    path = uri.replace("#/", "/").rstrip("/")
    return path and path + "/"


def _wanted(values: Iterable[str], normalised: Callable[[str], str] = str) -> Wanted:
    wanted = tuple(values)
    return frozenset(filter(None, map(normalised, wanted))) if wanted else None
