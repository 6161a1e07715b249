from dataclasses import replace
from ipaddress import ip_network

import pytest

from odim_relay.domain.authentication import Bearer, ClientCredentials
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.event import EventFormat
from odim_relay.domain.subscription import Filters, Mode, Subscription, SubscriptionType
from odim_relay.domain.subscription_flaws import FlawKind, flaws_of

GOOD = Subscription(subscription_id="s", destination="https://receiver.example/hook")
POLICY = EgressPolicy(deny=(ip_network("10.9.0.0/16"),))


def told(subscription: Subscription) -> list[tuple[str, FlawKind]]:
    return [(flaw.member, flaw.kind) for flaw in flaws_of(subscription, POLICY)]


def test_a_subscription_that_uses_everything_has_no_flaw() -> None:
    full = replace(
        GOOD,
        name="n" * 256,
        context="c" * 4_096,
        filters=Filters(
            event_types=("Alert",),
            registry_prefixes=("A", "B"),
            message_ids=("A.1.0.One",),
            exclude_registry_prefixes=("C",),
            exclude_message_ids=("A.Two",),
            resource_types=("Drive",) * 1_000,
            origin_resources=("/redfish/v1/Systems/1",),
            subordinate_resources=True,
            severities=("OK", "Warning", "Critical"),
            metric_report_definitions=("/redfish/v1/TelemetryService/MetricReportDefinitions/1",),
        ),
        headers=(("Authorization", "Basic x"), ("X-A", "")),
        backup_destinations=tuple(f"https://backup{number}.example/" for number in range(8)),
        heartbeat_minutes=65_535,
        signing_secret="whsec_" + "A" * 32,
        max_in_flight=1,
        rate_per_s=0.01,
        retention_s=2_592_000,
        batch_size=2,
    )
    assert told(full) == []
    assert (
        told(replace(full, heartbeat_minutes=1, max_in_flight=10_000, rate_per_s=1e6, retention_s=1, batch_size=500))
        == []
    )


@pytest.mark.parametrize(
    ("changed", "member", "kind"),
    [
        ({"destination": ""}, "Destination", FlawKind.FORMAT),
        ({"destination": "https://u:p@h/"}, "Destination", FlawKind.FORMAT),
        ({"destination": "https://h/" + "x" * 2_000}, "Destination", FlawKind.TOO_LONG),
        ({"destination": "https://10.9.0.1/"}, "Destination", FlawKind.FORBIDDEN),
        ({"destination": "https://localhost/"}, "Destination", FlawKind.FORBIDDEN),
        ({"backup_destinations": ("https://b/", "ftp://b/")}, "BackupDestinations", FlawKind.FORMAT),
        ({"backup_destinations": ("https://10.9.1.1/",)}, "BackupDestinations", FlawKind.FORBIDDEN),
        ({"backup_destinations": (GOOD.destination,)}, "BackupDestinations", FlawKind.CONFLICT),
        ({"backup_destinations": ("https://b/", "https://b/")}, "BackupDestinations", FlawKind.CONFLICT),
        ({"backup_destinations": ("https://b/",) * 9}, "BackupDestinations", FlawKind.TOO_MANY),
        ({"headers": (("Host", "x"),)}, "HttpHeaders", FlawKind.FORMAT),
        ({"headers": (("A", "1"), ("a", "2"))}, "HttpHeaders", FlawKind.FORMAT),
        ({"headers": (("A", "x" * 16_380),)}, "HttpHeaders", FlawKind.TOO_LONG),
        ({"filters": Filters(severities=("ok",))}, "Severities", FlawKind.NOT_IN_LIST),
        ({"filters": Filters(event_types=("",))}, "EventTypes", FlawKind.FORMAT),
        ({"filters": Filters(resource_types=(" Drive",))}, "ResourceTypes", FlawKind.FORMAT),
        ({"filters": Filters(resource_types=("Drives",))}, "ResourceTypes", FlawKind.NOT_IN_LIST),
        ({"filters": Filters(registry_prefixes=("x" * 4_097,))}, "RegistryPrefixes", FlawKind.TOO_LONG),
        ({"filters": Filters(exclude_message_ids=("A.B",) * 1_001)}, "ExcludeMessageIds", FlawKind.TOO_MANY),
        ({"filters": Filters(origin_resources=("redfish/v1",))}, "OriginResources", FlawKind.FORMAT),
        ({"filters": Filters(metric_report_definitions=("x",))}, "MetricReportDefinitions", FlawKind.FORMAT),
        (
            {"filters": Filters(message_ids=("R.1.0.Key",), exclude_message_ids=("R.1.4.2.Key",))},
            "MessageIds",
            FlawKind.CONFLICT,
        ),
        (
            {"filters": Filters(registry_prefixes=("R",), exclude_registry_prefixes=("R",))},
            "RegistryPrefixes",
            FlawKind.CONFLICT,
        ),
        ({"context": "x" * 4_097}, "Context", FlawKind.TOO_LONG),
        ({"name": "x" * 257}, "Name", FlawKind.TOO_LONG),
        ({"signing_secret": "hunter2"}, "SigningSecret", FlawKind.FORMAT),
        ({"signing_key": "whsec_hunter2"}, "SigningKey", FlawKind.FORMAT),
        ({"authentication": Bearer(token="hunter2 ")}, "Authentication/Token", FlawKind.FORMAT),
        (
            {"authentication": Bearer(token="a"), "headers": (("authorization", "b"),)},
            "Authentication",
            FlawKind.CONFLICT,
        ),
        (
            {
                "authentication": ClientCredentials(
                    token_url="https://169.254.169.254/", client_id="a", client_secret="hunter2"
                )
            },
            "Authentication/TokenUri",
            FlawKind.FORBIDDEN,
        ),
        ({"heartbeat_minutes": 0}, "HeartbeatIntervalMinutes", FlawKind.OUT_OF_RANGE),
        ({"heartbeat_minutes": 65_536}, "HeartbeatIntervalMinutes", FlawKind.OUT_OF_RANGE),
        ({"max_in_flight": 0}, "MaxInFlight", FlawKind.OUT_OF_RANGE),
        ({"batch_size": 1}, "BatchSize", FlawKind.OUT_OF_RANGE),
        ({"batch_size": 501}, "BatchSize", FlawKind.OUT_OF_RANGE),
        ({"batch_size": 2, "mode": Mode.AT_MOST_ONCE}, "BatchSize", FlawKind.CONFLICT),
        ({"batch_size": 2, "event_format": EventFormat.METRIC_REPORT}, "BatchSize", FlawKind.CONFLICT),
        ({"batch_size": 2, "kind": SubscriptionType.SSE}, "BatchSize", FlawKind.CONFLICT),
        ({"rate_per_s": 0.0}, "RatePerSecond", FlawKind.OUT_OF_RANGE),
        ({"rate_per_s": float("nan")}, "RatePerSecond", FlawKind.OUT_OF_RANGE),
        ({"retention_s": 2_592_001}, "RetentionSeconds", FlawKind.OUT_OF_RANGE),
    ],
)
def test_each_wrong_member_is_found_with_its_kind(changed: dict[str, object], member: str, kind: FlawKind) -> None:
    assert told(replace(GOOD, **changed)) == [(member, kind)]  # type: ignore[arg-type]


def test_all_flaws_are_found_at_once() -> None:
    bad = replace(GOOD, destination="ftp://h/", context="x" * 5_000, filters=Filters(severities=("a", "OK", "b")))
    found = list(flaws_of(bad, POLICY))
    assert [(flaw.member, flaw.index) for flaw in found] == [
        ("Destination", None),
        ("Severities", 0),
        ("Severities", 2),
        ("Context", None),
    ]


@pytest.mark.parametrize(
    ("event_types", "wrong"), [((), []), (("MetricReport",), []), (("MetricReport", "Alert"), [1]), (("Alert",), [0])]
)
def test_who_asks_for_reports_can_ask_for_no_other_type_of_event(
    event_types: tuple[str, ...], wrong: list[int]
) -> None:
    reports = replace(GOOD, event_format=EventFormat.METRIC_REPORT, filters=Filters(event_types=event_types))
    found = list(flaws_of(reports, POLICY))
    assert [(flaw.member, flaw.kind, flaw.index) for flaw in found] == [
        ("EventTypes", FlawKind.NOT_IN_LIST, index) for index in wrong
    ]
    assert told(replace(reports, event_format=EventFormat.EVENT)) == []


def test_a_secret_stands_in_no_flaw() -> None:
    bad = replace(
        GOOD,
        destination="https://user:hunter2@h/",
        headers=(("Authorization", "hunter2\n"),),
        signing_secret="whsec_hunter2!",
    )
    found = list(flaws_of(bad, POLICY))
    assert [flaw.member for flaw in found] == ["Destination", "HttpHeaders", "SigningSecret"]
    assert "hunter2" not in str(found)


def test_a_streams_destination_is_not_judged() -> None:
    stream = replace(GOOD, kind=SubscriptionType.SSE, destination="redfish-sse://127.0.0.1:1")
    assert told(stream) == []
