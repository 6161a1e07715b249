from dataclasses import replace
from typing import Any, Final

import pytest

from odim_relay.domain.event import WHOLE, Event, EventFormat, EventRecord, Shape
from odim_relay.domain.inventory import Aggregate, Inventory
from odim_relay.domain.matching import Matcher, wants, wants_reports
from odim_relay.domain.subscription import Filters, Subscription

VOLUME: Final = "/redfish/v1/Systems/1/Storage/1/Volumes/7"
RECORD: Final = EventRecord(
    event_type="Alert",
    message_id="StorageDevice.VolumeDegraded",
    registry="StorageDevice",
    severity="Warning",
    origin=VOLUME,
    resource_type="Volume",
)


def subscription(name: str = "s", **members: Any) -> Subscription:
    format_ = members.pop("event_format", EventFormat.EVENT)
    context = members.pop("context", None)
    return Subscription(
        subscription_id=name,
        destination="https://subscriber.example/",
        filters=Filters(**members),
        event_format=format_,
        context=context,
    )


def event(*records: EventRecord) -> Event:
    return Event(format=EventFormat.EVENT, payload=b"{}", records=records)


REPORT: Final = Event(format=EventFormat.METRIC_REPORT, payload=b"{}")


# --- one filter after the other ---


@pytest.mark.parametrize(
    ("filters", "is_wanted"),
    [
        ({}, True),
        ({"event_types": ("Alert",)}, True),
        ({"event_types": ("StatusChange", "Alert")}, True),
        ({"event_types": ("StatusChange",)}, False),
        ({"event_types": ("alert",)}, False),
        ({"event_types": ("",)}, False),
        ({"registry_prefixes": ("StorageDevice",)}, True),
        ({"registry_prefixes": ("StorageDevice.1.5",)}, True),
        ({"registry_prefixes": ("Storage",)}, False),
        ({"registry_prefixes": ("",)}, False),
        ({"message_ids": ("StorageDevice.VolumeDegraded",)}, True),
        ({"message_ids": ("StorageDevice.1.0.VolumeDegraded",)}, True),
        ({"message_ids": ("StorageDevice.9.8.7.VolumeDegraded",)}, True),
        ({"message_ids": ("VolumeDegraded",)}, False),
        ({"message_ids": ("StorageDevice",)}, False),
        ({"message_ids": ("",)}, False),
        ({"message_ids": ("Other.Key",), "registry_prefixes": ("StorageDevice",)}, True),
        ({"message_ids": ("StorageDevice.1.0.VolumeDegraded",), "registry_prefixes": ("Other",)}, True),
        ({"message_ids": ("Other.Key",), "registry_prefixes": ("Other",)}, False),
        ({"exclude_message_ids": ("StorageDevice.1.0.VolumeDegraded",)}, False),
        ({"exclude_message_ids": ("StorageDevice.1.0.Other",)}, True),
        ({"exclude_registry_prefixes": ("StorageDevice",)}, False),
        ({"exclude_registry_prefixes": ("StorageDevice.1.5",)}, False),
        ({"exclude_registry_prefixes": ("Other",)}, True),
        ({"registry_prefixes": ("StorageDevice",), "exclude_message_ids": ("StorageDevice.VolumeDegraded",)}, False),
        ({"message_ids": ("StorageDevice.VolumeDegraded",), "exclude_registry_prefixes": ("StorageDevice",)}, False),
        ({"resource_types": ("Volume",)}, True),
        ({"resource_types": ("Volume.v1_2_0.Volume",)}, True),
        ({"resource_types": ("Drive", "Volume")}, True),
        ({"resource_types": ("Storage",), "subordinate_resources": True}, False),
        ({"resource_types": ("volume",)}, False),
        ({"resource_types": ("",)}, False),
        ({"severities": ("Warning", "Critical")}, True),
        ({"severities": ("OK",)}, False),
        ({"severities": ("warning",)}, False),
        ({"subordinate_resources": True}, True),
        ({"event_types": ("Alert",), "severities": ("OK",)}, False),
    ],
)
def test_a_record_passes_when_it_passes_every_filter(filters: dict[str, Any], is_wanted: bool) -> None:
    assert wants(subscription(**filters), RECORD) is is_wanted


@pytest.mark.parametrize(
    ("member", "filters"),
    [
        ("message_id", {"message_ids": ("StorageDevice.VolumeDegraded", "")}),
        ("registry", {"registry_prefixes": ("StorageDevice", "")}),
        ("severity", {"severities": ("Warning", "")}),
        ("resource_type", {"resource_types": ("Volume", "")}),
        ("origin", {"origin_resources": (VOLUME, "", "/"), "subordinate_resources": True}),
        ("origin", {"origin_resources": (VOLUME, "", "/"), "subordinate_resources": False}),
    ],
)
def test_a_record_without_the_member_does_not_pass_a_filter_on_it(member: str, filters: dict[str, Any]) -> None:
    assert wants(subscription(**filters), RECORD)
    nothing: dict[str, Any] = {member: ""}
    assert not wants(subscription(**filters), replace(RECORD, **nothing))


def test_a_record_without_an_event_type_passes_every_filter_on_event_types() -> None:
    assert wants(subscription(event_types=("StatusChange",)), replace(RECORD, event_type=""))


def test_a_record_without_a_message_id_is_not_excluded() -> None:
    excluding = subscription(exclude_message_ids=("", "A.B"), exclude_registry_prefixes=("", "A"))

    assert wants(excluding, replace(RECORD, message_id="", registry=""))


@pytest.mark.parametrize(
    ("entry", "origin", "itself", "subordinate"),
    [
        ("/redfish/v1/Systems/1", "/redfish/v1/Systems/1", True, True),
        ("/redfish/v1/Systems/1/", "/redfish/v1/Systems/1", True, True),
        ("/redfish/v1/Systems/1", "/redfish/v1/Systems/1/", False, True),
        ("/redfish/v1/Systems/1", "/redfish/v1/Systems/10", False, False),
        ("/redfish/v1/Systems/1", "/redfish/v1/Systems/1.1", False, False),
        ("/redfish/v1/Systems/10", "/redfish/v1/Systems/1", False, False),
        ("/redfish/v1/Systems/1", "/redfish/v1/Systems/1/Bios", False, True),
        ("/redfish/v1/Systems/1", "/redfish/v1/Systems/10/Bios", False, False),
        ("/redfish/v1/Systems", "/redfish/v1/Systems/1", False, True),
        ("/redfish/v1/Systems/", "/redfish/v1/Systems/1/Bios", False, True),
        ("/redfish/v1/Systems", "/redfish/v1/Systems", True, True),
        ("/redfish/v1/systems", "/redfish/v1/Systems", False, False),
        ("/redfish/v1/", "/redfish/v1/Chassis/1", False, True),
        ("/redfish/v1/Chassis/1/Thermal", "/redfish/v1/Chassis/1/Thermal#/Fans/0", False, True),
        ("/redfish/v1/Chassis/1/Thermal", "/redfish/v1/Chassis/1/Thermal/#/Fans/0", False, True),
        ("/redfish/v1/Chassis/1/Thermal#/Fans/0", "/redfish/v1/Chassis/1/Thermal#/Fans/0", True, True),
        ("/redfish/v1/Chassis/1/Thermal#/Fans/0", "/redfish/v1/Chassis/1/Thermal", False, False),
        ("/redfish/v1/Chassis/1/Thermal#/Fans", "/redfish/v1/Chassis/1/Thermal#/Fans/0", False, True),
        ("", "/redfish/v1/Systems/1", False, False),
        ("/", "/redfish/v1/Systems/1", False, False),
        ("Systems", "/redfish/v1/Systems/1", False, False),
    ],
)
def test_an_origin_matches_by_whole_path_segments(entry: str, origin: str, itself: bool, subordinate: bool) -> None:
    record = replace(RECORD, origin=origin)

    assert wants(subscription(origin_resources=("/other", entry)), record) is itself
    assert wants(subscription(origin_resources=("/other", entry), subordinate_resources=True), record) is subordinate


# --- formats ---


@pytest.mark.parametrize(
    ("event_format", "event_types", "wants_them"),
    [
        (EventFormat.EVENT, (), False),
        (EventFormat.EVENT, ("Alert",), False),
        (EventFormat.EVENT, ("Alert", "MetricReport"), True),
        (EventFormat.METRIC_REPORT, (), True),
        (EventFormat.METRIC_REPORT, ("MetricReport",), True),
        (EventFormat.METRIC_REPORT, ("Alert",), False),
        (EventFormat.METRIC_REPORT, ("",), False),
    ],
)
def test_reports_go_to_those_who_ask_for_them(
    event_format: EventFormat, event_types: tuple[str, ...], wants_them: bool
) -> None:
    asking = subscription(
        "s",
        event_format=event_format,
        event_types=event_types,
        origin_resources=("/elsewhere",),
        severities=("Critical",),
        context="c",
    )

    assert wants_reports(asking) is wants_them
    assert Matcher.of([asking]).match(REPORT) == ([("s", Shape(context="c"))] if wants_them else [])


@pytest.mark.parametrize(
    ("asked", "wants_it"),
    [
        ("/redfish/v1/TelemetryService/MetricReportDefinitions/One", True),
        ("/redfish/v1/TelemetryService/MetricReportDefinitions/One/", True),
        ("/redfish/v1/TelemetryService/MetricReportDefinitions/Two", False),
        ("/redfish/v1/TelemetryService/MetricReportDefinitions", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    "who", [{"event_format": EventFormat.METRIC_REPORT}, {"event_types": ("MetricReport",)}], ids=["format", "type"]
)
def test_a_report_goes_to_those_who_ask_for_its_definition(
    who: dict[str, Any], slash: str, asked: str, wants_it: bool
) -> None:
    asking = subscription("s", metric_report_definitions=("/other", asked), **who)
    report = replace(REPORT, report_definition=f"/redfish/v1/TelemetryService/MetricReportDefinitions/One{slash}")

    assert bool(Matcher.of([asking]).match(report)) is wants_it


def test_a_report_that_does_not_say_how_it_was_made_goes_to_those_only_who_do_not_ask() -> None:
    anything = subscription("a", event_format=EventFormat.METRIC_REPORT)
    asking = [
        subscription(name, event_format=EventFormat.METRIC_REPORT, metric_report_definitions=(uri,))
        for name, uri in (("b", "/one"), ("c", ""), ("d", "/"))
    ]

    assert Matcher.of([anything, *asking]).match(REPORT) == [("a", WHOLE)]


def test_a_definition_says_nothing_about_events() -> None:
    asking = subscription("s", metric_report_definitions=("/other",))

    assert Matcher.of([asking]).match(event(RECORD)) == [("s", WHOLE)]


def test_a_subscription_for_reports_gets_no_event() -> None:
    reports = subscription(event_format=EventFormat.METRIC_REPORT)

    assert not wants(reports, RECORD)
    assert Matcher.of([reports]).match(event(RECORD)) == Matcher.of([reports]).match(event()) == []


# --- what is sent ---


def test_the_shape_has_the_records_that_matched() -> None:
    other = replace(RECORD, event_type="Other", origin="/redfish/v1/Chassis/1", resource_type="Chassis")
    matcher = Matcher.of(
        [
            subscription("a", event_types=("Alert",)),
            subscription("b", event_types=("Other",), context="mine"),
            subscription("c", resource_types=("Volume", "Chassis"), context="mine"),
            subscription("d"),
            subscription("e", severities=("OK",)),
        ]
    )

    assert matcher.match(event(RECORD, other, RECORD)) == [
        ("a", Shape(records=(0, 2))),
        ("b", Shape(records=(1,), context="mine")),
        ("c", Shape(context="mine")),
        ("d", WHOLE),
    ]


def test_what_lacks_something_is_completed_for_everybody() -> None:
    matcher = Matcher.of([subscription("a", event_types=("Alert",)), subscription("b", context="mine")])
    lacking = replace(event(RECORD, replace(RECORD, event_type="Other")), is_complete=False)

    assert matcher.match(lacking) == [
        ("a", Shape(records=(0,), is_completed=True)),
        ("b", Shape(context="mine", is_completed=True)),
    ]


def test_matches_come_by_ascending_id_whatever_the_order_of_subscriptions() -> None:
    subscriptions = [
        subscription("c"),
        subscription("b", event_types=("Alert",)),
        subscription("d", event_types=("Alert",)),
        subscription("a"),
    ]

    assert [name for name, _ in Matcher.of(subscriptions).match(event(RECORD))] == ["a", "b", "c", "d"]


def test_an_event_without_records_goes_to_those_without_filters() -> None:
    matcher = Matcher.of(
        [
            subscription("a"),
            subscription("b", event_types=("Alert",)),
            subscription("c", exclude_message_ids=("A.B",)),
            subscription("d", subordinate_resources=True, context="mine"),
        ]
    )

    assert matcher.match(event()) == [("a", WHOLE), ("d", Shape(context="mine"))]


def test_a_subscription_that_matches_in_several_ways_gets_a_record_once() -> None:
    twice = subscription(
        "s",
        origin_resources=("/redfish/v1/Systems", "/redfish/v1/Systems/1"),
        subordinate_resources=True,
        message_ids=("StorageDevice.VolumeDegraded",),
        registry_prefixes=("StorageDevice",),
    )
    elsewhere = replace(RECORD, origin="/redfish/v1/Chassis/1")

    assert Matcher.of([twice]).match(event(RECORD, elsewhere, RECORD)) == [("s", Shape(records=(0, 2)))]


def test_the_list_of_matches_belongs_to_the_caller() -> None:
    reports, alerts = subscription("b", event_types=("MetricReport",)), subscription("c", event_types=("Alert",))
    matcher = Matcher.of([subscription("a"), reports, alerts])
    for one in (event(RECORD), event(), REPORT):
        before = list(matcher.match(one))
        matcher.match(one).clear()

        assert matcher.match(one) == before


# --- aggregates ---

AGGREGATES: Final = "/redfish/v1/AggregationService/Aggregates"
INVENTORY: Final = Inventory.of(
    [],
    [
        Aggregate(uri=f"{AGGREGATES}/a", elements=("/redfish/v1/Systems/1", "/redfish/v1/Systems/2")),
        Aggregate(uri=f"{AGGREGATES}/b", elements=("/redfish/v1/Systems/1", VOLUME)),
        Aggregate(uri=f"{AGGREGATES}/none", elements=()),
    ],
)


@pytest.mark.parametrize(
    ("origin", "itself", "below"),
    [
        ("/redfish/v1/Systems/1", "ab", "ab"),
        ("/redfish/v1/Systems/1/Bios", "", "ab"),
        ("/redfish/v1/Systems/1#/Status", "", "ab"),
        ("/redfish/v1/Systems/2", "a", "a"),
        ("/redfish/v1/Systems/2/Bios", "", "a"),
        (VOLUME, "b", "ab"),
        ("/redfish/v1/Systems/10", "", ""),
        ("/redfish/v1/Systems", "", ""),
        ("/redfish/v1/Chassis/1", "", ""),
        (f"{AGGREGATES}/a", "a", "a"),
        ("", "", ""),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_an_aggregate_means_its_elements(origin: str, itself: str, below: str, slash: str) -> None:
    subscriptions = [
        subscription(
            f"{name}{is_below:d}", origin_resources=(f"{AGGREGATES}/{name}{slash}",), subordinate_resources=is_below
        )
        for name in ("a", "b", "none")
        for is_below in (False, True)
    ]
    found = Matcher.of(subscriptions).match(event(replace(RECORD, origin=origin)), INVENTORY)

    assert [name for name, _ in found] == sorted([f"{name}0" for name in itself] + [f"{name}1" for name in below])


def test_who_names_an_element_in_several_ways_gets_its_record_once() -> None:
    uris = ("/redfish/v1/Systems/1", f"{AGGREGATES}/a", f"{AGGREGATES}/b")
    several = subscription("s", origin_resources=uris, subordinate_resources=True)

    elsewhere = replace(RECORD, origin="/redfish/v1/Chassis/1")
    assert Matcher.of([several]).match(event(RECORD, elsewhere), INVENTORY) == [("s", Shape(records=(0,)))]


def test_an_aggregate_means_nothing_while_none_is_known() -> None:
    asking = subscription("s", origin_resources=(f"{AGGREGATES}/a",), subordinate_resources=True)

    assert Matcher.of([asking]).match(event(RECORD)) == []


def test_asking_by_an_aggregate_is_counted_as_any_other() -> None:
    matcher = Matcher.of(
        [
            subscription(name, origin_resources=(f"{AGGREGATES}/{name}",), subordinate_resources=True)
            for name in ("a", "b", "c")
        ]
    )

    assert matcher.candidate_count(event(RECORD, RECORD)) == 0
    assert matcher.candidate_count(event(RECORD, RECORD), INVENTORY) == 4


# --- changes ---


def test_changes_make_a_new_matcher_and_leave_the_old_one() -> None:
    old = Matcher.of([subscription("a"), subscription("b", event_types=("Alert",)), subscription("c")])

    new = old.changed(
        saved=[subscription("b", event_types=("Other",)), subscription("d", severities=("Warning",))],
        deleted=["c", "unknown"],
    )

    for as_before in (old, old.changed(), old.changed(deleted=["unknown"])):
        assert [name for name, _ in as_before.match(event(RECORD))] == ["a", "b", "c"]
    assert [name for name, _ in new.match(event(RECORD))] == ["a", "d"]


def test_what_is_saved_and_deleted_is_gone() -> None:
    saved = subscription("a", event_types=("Alert",))

    assert Matcher.of([]).changed(saved=[saved], deleted=["a"]).match(event(RECORD)) == []


def test_what_was_deleted_may_come_again() -> None:
    one = subscription("a", event_types=("Alert",))

    assert Matcher.of([one]).changed(deleted=["a"]).changed(saved=[one]).match(event(RECORD)) == [("a", WHOLE)]


def test_an_earlier_change_counts_after_a_later_one() -> None:
    alerts = [subscription(name, event_types=("Alert",)) for name in "abcd"]
    changed = Matcher.of(alerts[:3]).changed(saved=[subscription("a", event_types=("Other",))], deleted=["b"])

    assert [name for name, _ in changed.changed(saved=[alerts[3]]).match(event(RECORD))] == ["c", "d"]


def test_many_changes_are_no_different_from_few() -> None:
    alerts = [subscription(f"{number:03}", event_types=("Alert",)) for number in range(200)]
    matcher = Matcher.of([])
    for one in alerts:
        matcher = matcher.changed(saved=[one])
    for one in alerts[::2]:
        matcher = matcher.changed(deleted=[one.subscription_id])

    assert [name for name, _ in matcher.match(event(RECORD))] == [one.subscription_id for one in alerts[1::2]]
    assert len(matcher._changed_ids) <= 64, "the index was not made anew"
