"""
The index finds what asking everybody would find, and asks few.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odim_relay.domain.event import Event, EventFormat, EventRecord, Shape
from odim_relay.domain.inventory import Aggregate, Inventory
from odim_relay.domain.matching import Matcher
from odim_relay.domain.subscription import Filters, Subscription

# --- the same as asking everybody ---

SEGMENTS: Final = ["", "1", "10", "a", "Systems", "Bios", "Thermal#", "Fans"]
URIS: Final = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
KEYS: Final = st.sampled_from(["", "A.x", "A.y", "B.x", "A", "C"])
TYPES: Final = st.sampled_from(["", "Volume", "Drive", "Task"])
SEVERITIES: Final = st.sampled_from(["", "OK", "Warning"])
EVENT_TYPES: Final = st.sampled_from(["", "Alert", "Other", "MetricReport"])


def few(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, max_size=2).map(tuple)


@st.composite
def records(draw: st.DrawFn) -> EventRecord:
    message_id = draw(KEYS)
    return EventRecord(
        event_type=draw(EVENT_TYPES),
        message_id=message_id,
        registry=message_id.partition(".")[0] if "." in message_id else "",
        severity=draw(SEVERITIES),
        origin=draw(st.just("") | URIS).removesuffix("/"),
        resource_type=draw(TYPES),
        further_types=draw(few(TYPES)),
    )


filters = st.builds(
    Filters,
    event_types=few(EVENT_TYPES),
    registry_prefixes=few(KEYS),
    message_ids=few(KEYS),
    exclude_registry_prefixes=st.just(()) | few(KEYS),
    exclude_message_ids=st.just(()) | few(KEYS),
    resource_types=few(TYPES),
    origin_resources=few(st.just("") | URIS),
    subordinate_resources=st.booleans(),
    severities=few(SEVERITIES),
)
subscriptions = st.builds(
    Subscription,
    subscription_id=st.sampled_from("abcdefghijklmnopqrstuvwxyz"),
    destination=st.just("https://subscriber.example/"),
    filters=filters,
    event_format=st.sampled_from([EventFormat.EVENT, EventFormat.EVENT, EventFormat.METRIC_REPORT]),
    context=st.none() | st.just("c"),
)
events = st.builds(
    Event,
    format=st.sampled_from([EventFormat.EVENT, EventFormat.EVENT, EventFormat.METRIC_REPORT]),
    payload=st.just(b"{}"),
    records=st.lists(records(), max_size=3).map(tuple),
)


# Some are called as elements are: an aggregate's URI has no form of its own.
aggregates = st.dictionaries(
    st.sampled_from(["/1", "/a", "/b", "/Systems/1"]),
    st.lists(URIS.map(lambda uri: uri.replace("#", "").rstrip("/")).filter(bool), max_size=3).map(tuple),
)


def segments_of(uri: str) -> list[str]:
    return uri.replace("#/", "/").rstrip("/").split("/")


def passes(filters: Filters, record: EventRecord, elements: Mapping[str, Sequence[str]]) -> bool:
    """
    The rules in their plainest words, apart from the code that is tested.
    """

    def is_at(entry: str) -> bool:
        return any(map(is_at_itself, (entry, *elements.get(entry.rstrip("/"), ()))))

    def is_at_itself(entry: str) -> bool:
        if not entry.strip("/") or not record.origin:
            return False
        if not filters.subordinate_resources:
            return record.origin == entry.rstrip("/")
        wanted = segments_of(entry)
        path = record.origin.replace("#/", "/").split("/")
        return path[: len(wanted)] == wanted

    def has_registry(prefixes: Sequence[str]) -> bool:
        return bool(record.registry) and record.registry in {prefix.split(".")[0] for prefix in prefixes}

    def has_id(ids: Sequence[str]) -> bool:
        return bool(record.message_id) and record.message_id in ids

    chosen = filters.registry_prefixes or filters.message_ids
    return (
        (not filters.event_types or not record.event_type or record.event_type in filters.event_types)
        and (not chosen or has_registry(filters.registry_prefixes) or has_id(filters.message_ids))
        and not has_registry(filters.exclude_registry_prefixes)
        and not has_id(filters.exclude_message_ids)
        and (
            not filters.resource_types
            or any(name and name in filters.resource_types for name in (record.resource_type, *record.further_types))
        )
        and (not filters.origin_resources or any(map(is_at, filters.origin_resources)))
        and (not filters.severities or (bool(record.severity) and record.severity in filters.severities))
    )


def has_filter(filters: Filters) -> bool:
    excluded = any(filters.exclude_registry_prefixes) or any(filters.exclude_message_ids)
    others = (filters.event_types, filters.registry_prefixes, filters.message_ids, filters.resource_types)
    return excluded or any(others) or bool(filters.origin_resources or filters.severities)


def asking_everybody(
    all_of_them: Sequence[Subscription], event: Event, elements: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> list[tuple[str, Shape]]:
    found = []
    for one in sorted({one.subscription_id: one for one in all_of_them}.values(), key=lambda it: it.subscription_id):
        is_asked = "MetricReport" in one.filters.event_types
        if event.format is EventFormat.METRIC_REPORT:
            if is_asked or (one.event_format is EventFormat.METRIC_REPORT and not one.filters.event_types):
                found.append((one.subscription_id, Shape(context=one.context)))
            continue
        if one.event_format is EventFormat.METRIC_REPORT:
            continue
        numbers = tuple(number for number, record in enumerate(event.records) if passes(one.filters, record, elements))
        if len(numbers) == len(event.records):
            if numbers or not has_filter(one.filters):
                found.append((one.subscription_id, Shape(context=one.context)))
        elif numbers:
            found.append((one.subscription_id, Shape(records=numbers, context=one.context)))
    return found


@settings(deadline=None, max_examples=100)
@given(st.lists(subscriptions, max_size=26), st.lists(events, min_size=1, max_size=3), st.just({}) | aggregates)
def test_the_matcher_finds_what_asking_everybody_finds(
    all_of_them: list[Subscription], some: list[Event], elements: dict[str, tuple[str, ...]]
) -> None:
    matcher = Matcher.of(all_of_them)
    inventory = Inventory.of([], [Aggregate(uri=uri, elements=them) for uri, them in elements.items()])

    for event in some:
        assert matcher.match(event, inventory) == asking_everybody(all_of_them, event, elements)


@settings(deadline=None, max_examples=60)
@given(
    before=st.lists(subscriptions, max_size=20),
    saved=st.lists(subscriptions, max_size=8),
    deleted=st.sets(st.sampled_from("abcdefghij")),
    event=events,
)
def test_a_changed_matcher_is_as_good_as_a_new_one(
    before: list[Subscription], saved: list[Subscription], deleted: set[str], event: Event
) -> None:
    kept = [one for one in (*before, *saved) if one.subscription_id not in deleted]
    changed = Matcher.of(before).changed(saved=saved, deleted=deleted)

    assert changed.match(event) == asking_everybody(kept, event)


# --- asking few ---

RECORD: Final = EventRecord(
    event_type="Alert",
    message_id="StorageDevice.VolumeDegraded",
    registry="StorageDevice",
    severity="Warning",
    origin="/redfish/v1/Systems/wanted/Storage/1/Volumes/7",
    resource_type="Volume",
)
WANTING: Final = (
    Filters(),
    Filters(origin_resources=("/redfish/v1/Systems/wanted",), subordinate_resources=True),
    Filters(message_ids=("StorageDevice.VolumeDegraded",)),
    Filters(registry_prefixes=("StorageDevice",), severities=("Warning",)),
    Filters(resource_types=("Volume",), origin_resources=(RECORD.origin,)),
)


def of_their_own_system(number: int) -> Filters:
    return Filters(origin_resources=(f"/redfish/v1/Systems/{number}",), subordinate_resources=True)


def of_one_message(number: int) -> Filters:
    return Filters(message_ids=(f"Registry.Key{number}",), severities=("Warning",), event_types=("Alert",))


def of_one_message_below_one_root(number: int) -> Filters:
    return Filters(
        origin_resources=("/redfish/v1/Systems",), subordinate_resources=True, registry_prefixes=(f"Registry{number}",)
    )


def of_the_same_message_in_their_own_chassis(number: int) -> Filters:
    return Filters(
        message_ids=("StorageDevice.VolumeDegraded",),
        origin_resources=(f"/redfish/v1/Chassis/{number}", "/redfish/v1/Managers/1"),
    )


def of_their_own_event_type(number: int) -> Filters:
    return Filters(event_types=(f"Kind{number}",), severities=("Warning" if number % 2 else "Critical",))


def of_values_that_many_share(number: int) -> Filters:
    # Each value alone is asked for by many, and by many who want this record's; only all three tell.
    return Filters(
        resource_types=("Volume" if number % 10 == 0 else f"Type{number % 9}",),
        severities=("Warning" if number % 4 == 0 else "Critical",),
        event_types=("Other",),
    )


@pytest.mark.parametrize(
    "others",
    [
        of_their_own_system,
        of_one_message,
        of_one_message_below_one_root,
        of_the_same_message_in_their_own_chassis,
        of_their_own_event_type,
        of_values_that_many_share,
    ],
)
def test_ten_thousand_subscriptions_are_asked_as_rarely_as_a_hundred(others: Callable[[int], Filters]) -> None:
    event = Event(format=EventFormat.EVENT, payload=b"{}", records=(RECORD,) * 3)
    asked = {}
    for count in (100, 10_000):
        matcher = Matcher.of(
            Subscription(
                subscription_id=f"{number:05}",
                destination="https://subscriber.example/",
                filters=WANTING[number] if number < len(WANTING) else others(number),
            )
            for number in range(count)
        )
        assert len(matcher.match(event)) == len(WANTING)
        asked[count] = matcher.candidate_count(event)

    assert asked[10_000] <= 2 * asked[100]
    assert asked[10_000] <= 3 * 2 * len(WANTING)


def test_what_is_asked_grows_with_the_records_and_no_faster() -> None:
    matcher = Matcher.of(
        Subscription(subscription_id=str(number), destination="https://s.example/", filters=WANTING[number % 5])
        for number in range(50)
    )

    def asked(count: int) -> int:
        return matcher.candidate_count(Event(format=EventFormat.EVENT, payload=b"{}", records=(RECORD,) * count))

    assert asked(5_000) == 5_000 * asked(1)


def test_a_subscription_with_long_lists_in_every_filter_does_not_swell_the_index() -> None:
    many = tuple(map(str, range(20)))
    wide = Filters(
        origin_resources=many,
        message_ids=many,
        resource_types=many,
        event_types=many,
        severities=many,
    )
    matcher = Matcher.of(
        Subscription(subscription_id=str(number), destination="https://s.example/", filters=wide)
        for number in range(50)
    )

    assert entry_count(matcher._index) <= 50 * 21


def entry_count(index: object) -> int:
    always = getattr(index, "always", ())
    tables = getattr(index, "tables", ())
    return len(always) + sum(entry_count(inner) for _, table in tables for inner in table.values())
