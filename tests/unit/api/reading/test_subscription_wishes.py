import json
from dataclasses import replace
from typing import Any

import pytest

from odim_relay.api.http.errors import RedfishError
from odim_relay.api.reading.subscription_wishes import changed, read_wish, read_wished_change
from odim_relay.domain.authentication import Authentication, Basic, Bearer, ClientCredentials
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.event import EventFormat
from odim_relay.domain.signing import RetiredSecret
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription

LEAST = {"Destination": "https://receiver.example/hook", "Protocol": "Redfish"}
SECRET = "whsec_" + "A" * 32
NOW_S = 1_000.0


def wish(**members: Any) -> Subscription:
    return read_wish({**LEAST, **members}, EgressPolicy(), owner="ann")


def refused(**members: Any) -> list[tuple[str, list[str]]]:
    """
    The keys and arguments of the messages that it is refused with.
    """
    with pytest.raises(RedfishError) as refusal:
        wish(**members)
    assert refusal.value.status == 400
    return [(str(one["MessageId"]).rpartition(".")[2], one["MessageArgs"]) for one in refusal.value.messages]


def patched(subscription: Subscription, **members: Any) -> Subscription:
    return changed(subscription, read_wished_change(members).values, now_s=NOW_S)


def test_the_least_that_can_be_said_gets_the_usual_rest() -> None:
    assert wish() == Subscription(subscription_id="", destination="https://receiver.example/hook", owner="ann")


def test_everything_that_can_be_said_is_understood() -> None:
    made = wish(
        Name="mine",
        SubscriptionType="RedfishEvent",
        EventFormatType="MetricReport",
        Context="",
        BackupDestinations=["https://backup.example/"],
        HttpHeaders=[{"Authorization": "Basic x", "X-A": ""}, {"X-B": "b"}],
        VerifyCertificate=False,
        DeliveryRetryPolicy="TerminateAfterRetries",
        EventTypes=["MetricReport"],
        RegistryPrefixes=["A"],
        MessageIds=["B.1.0.One"],
        ExcludeRegistryPrefixes=["C"],
        ExcludeMessageIds=["A.Two"],
        ResourceTypes=["Drive"],
        OriginResources=[{"@odata.id": "/redfish/v1/Systems/1"}, "/redfish/v1/Chassis"],
        SubordinateResources=True,
        Severities=["Critical"],
        IncludeOriginOfCondition=False,
        MetricReportDefinitions=[{"@odata.id": "/redfish/v1/TelemetryService/MetricReportDefinitions/1"}],
        SendHeartbeat=True,
        HeartbeatIntervalMinutes=5,
        Oem={
            "OdimRelay": {
                "@odata.type": "#OdimRelay.v1_0_0.EventDestination",
                "Mode": "ordered",
                "SigningSecret": SECRET,
                "MaxInFlight": 2,
                "RatePerSecond": 1,
                "RetentionSeconds": 60,
                "CertificateFingerprint": "ab" * 32,
                "ClientCertificateFile": "client.crt",
                "ClientKeyFile": "client.key",
            }
        },
    )
    assert made == Subscription(
        subscription_id="",
        destination="https://receiver.example/hook",
        name="mine",
        filters=Filters(
            event_types=("MetricReport",),
            registry_prefixes=("A",),
            message_ids=("B.1.0.One",),
            exclude_registry_prefixes=("C",),
            exclude_message_ids=("A.Two",),
            resource_types=("Drive",),
            origin_resources=("/redfish/v1/Systems/1", "/redfish/v1/Chassis"),
            subordinate_resources=True,
            severities=("Critical",),
            metric_report_definitions=("/redfish/v1/TelemetryService/MetricReportDefinitions/1",),
        ),
        event_format=EventFormat.METRIC_REPORT,
        context="",
        headers=(("Authorization", "Basic x"), ("X-A", ""), ("X-B", "b")),
        retry_policy=RetryPolicy.TERMINATE,
        mode=Mode.ORDERED,
        owner="ann",
        backup_destinations=("https://backup.example/",),
        verify_certificate=False,
        heartbeat_minutes=5,
        signing_secret=SECRET,
        max_in_flight=2,
        rate_per_s=1.0,
        retention_s=60,
        certificate_fingerprint="ab" * 32,
        client_certificate_file="client.crt",
        client_key_file="client.key",
    )


@pytest.mark.parametrize(
    "member",
    ["Name", "Context", "HttpHeaders", "EventTypes", "Severities", "OriginResources", "SendHeartbeat", "Oem"],
)
def test_null_is_as_if_it_were_not_said(member: str) -> None:
    assert wish(**{member: None}) == wish()


def test_null_in_an_array_is_nothing() -> None:
    assert wish(MessageIds=[None, "A.B"], HttpHeaders=[None]).filters == Filters(message_ids=("A.B",))


def test_what_is_missing_is_told_also_when_it_is_null() -> None:
    assert refused(Destination=None) == [("PropertyMissing", ["Destination"])]


def test_heartbeats_come_every_hour_where_nobody_says_how_often() -> None:
    assert wish(SendHeartbeat=True).heartbeat_minutes == 60
    assert wish(SendHeartbeat=False).heartbeat_minutes is None


@pytest.mark.parametrize(
    ("members", "key", "arguments"),
    [
        (
            {"HeartbeatIntervalMinutes": 5},
            "PropertyValueConflict",
            ["HeartbeatIntervalMinutes", "SendHeartbeat"],
        ),
        (
            {"HeartbeatIntervalMinutes": 5, "SendHeartbeat": False},
            "PropertyValueConflict",
            ["HeartbeatIntervalMinutes", "SendHeartbeat"],
        ),
        ({"IncludeOriginOfCondition": True}, "PropertyValueNotInList", ["true", "IncludeOriginOfCondition"]),
        ({"SubscriptionType": "SSE"}, "PropertyValueNotInList", ["SSE", "SubscriptionType"]),
        ({"Protocol": "SNMPv3"}, "PropertyValueNotInList", ["SNMPv3", "Protocol"]),
        ({"Id": "7"}, "PropertyNotWritable", ["Id"]),
        ({"Status": {"State": "Enabled"}}, "PropertyNotWritable", ["Status"]),
        ({"SyslogFilters": []}, "PropertyUnknown", ["SyslogFilters"]),
        ({"Colour": None}, "PropertyUnknown", ["Colour"]),
        ({"Oem": {"Contoso": {}}}, "PropertyUnknown", ["Oem/Contoso"]),
        ({"Oem": {"OdimRelay": {"Delivery": {}}}}, "PropertyNotWritable", ["Oem/OdimRelay/Delivery"]),
        ({"Oem": {"OdimRelay": {"Colour": 1}}}, "PropertyUnknown", ["Oem/OdimRelay/Colour"]),
        (
            {"Oem": {"OdimRelay": {"SigningSecret": "hunter2"}}},
            "PropertyValueFormatError",
            ["******", "Oem/OdimRelay/SigningSecret"],
        ),
        ({"Destination": "https://127.0.0.1/"}, "PropertyValueIncorrect", ["Destination", "https://127.0.0.1/"]),
        (
            {"BackupDestinations": ["https://b.example/", "https://169.254.169.254/"]},
            "PropertyValueIncorrect",
            ["BackupDestinations/1", "https://169.254.169.254/"],
        ),
        ({"BackupDestinations": ["https://b.example/"] * 9}, "ArraySizeTooLong", ["BackupDestinations", "8"]),
        ({"Name": "n" * 257}, "StringValueTooLong", ["n" * 200 + "...", "256"]),
        ({"HttpHeaders": [{"X": "v" * 20_000}]}, "StringValueTooLong", ["HttpHeaders", "16384"]),
        (
            {"RegistryPrefixes": ["A"], "ExcludeRegistryPrefixes": ["A"]},
            "PropertyValueConflict",
            ["RegistryPrefixes", "ExcludeRegistryPrefixes"],
        ),
        (
            {"Oem": {"OdimRelay": {"RetentionSeconds": 2_592_001}}},
            "PropertyValueOutOfRange",
            ["2592001", "Oem/OdimRelay/RetentionSeconds"],
        ),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_redfishs_message(members: dict[str, Any], key: str, arguments: list[str]) -> None:
    assert refused(**members) == [(key, arguments)]


def test_faults_of_shape_and_of_meaning_are_told_in_one_answer_each_of_its_kind() -> None:
    assert [key for key, _ in refused(Id="7", Protocol="FTP", Context=1, Oem={"Contoso": {}})] == [
        "PropertyNotWritable",
        "PropertyValueNotInList",
        "PropertyValueTypeError",
        "PropertyUnknown",
    ]
    assert [key for key, _ in refused(Destination="ftp://h/", HeartbeatIntervalMinutes=5, MessageIds=[" x"])] == [
        "PropertyValueFormatError",
        "PropertyValueFormatError",
        "PropertyValueConflict",
    ]


def test_the_resolution_says_what_the_message_cannot() -> None:
    with pytest.raises(RedfishError) as refusal:
        wish(Destination="https://localhost/")
    (message,) = refusal.value.messages
    assert message["Resolution"].startswith("Destination leads to 127.0.0.1, which is loopback")
    assert message["RelatedProperties"] == ["#/Destination"]


@pytest.mark.parametrize(
    "members",
    [
        {"Destination": "https://user:hunter2@h.example/"},
        {"Destination": "https://user:hunter2@h.example/" + "x" * 2_000},
        {"HttpHeaders": [{"Authorization": "hunter2\r\n"}]},
        {"HttpHeaders": {"Authorization": "hunter2"}},
        {"HttpHeaders": [{"Authorization": ["hunter2"]}]},
        {"Oem": {"OdimRelay": {"SigningSecret": ["hunter2"]}}},
        {"Oem": {"OdimRelay": {"SigningSecret": "whsec_hunter2"}}},
    ],
    ids=str,
)
def test_no_message_repeats_a_secret(members: dict[str, Any]) -> None:
    with pytest.raises(RedfishError) as refusal:
        wish(**members)
    assert "hunter2" not in json.dumps(refusal.value.messages)


KNOWN = Subscription(
    subscription_id="s",
    destination="https://receiver.example/",
    context="c",
    headers=(("A", "1"), ("B", "2")),
    backup_destinations=("https://one/", "https://two/", "https://three/"),
    verify_certificate=True,
    retry_policy=RetryPolicy.SUSPEND,
    mode=Mode.ORDERED,
    signing_secret=SECRET,
    max_in_flight=3,
)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"Context": "d"}, {"context": "d"}),
        ({"Context": None}, {"context": None}),
        ({"VerifyCertificate": None}, {"verify_certificate": None}),
        ({"DeliveryRetryPolicy": "RetryForever"}, {"retry_policy": RetryPolicy.FOREVER}),
        ({"DeliveryRetryPolicy": None}, {"retry_policy": RetryPolicy.FOREVER_WITH_BACKOFF}),
        ({"HttpHeaders": [{"C": "3", "D": "4"}]}, {"headers": (("C", "3"), ("D", "4"))}),
        ({"HttpHeaders": [{}, {"C": "3"}]}, {"headers": (("A", "1"), ("C", "3"))}),
        ({"HttpHeaders": [None, {}]}, {"headers": (("B", "2"),)}),
        ({"HttpHeaders": []}, {"headers": ()}),
        ({"HttpHeaders": None}, {"headers": ()}),
        ({"BackupDestinations": [{}, None, "https://new/"]}, {"backup_destinations": ("https://one/", "https://new/")}),
        ({"BackupDestinations": [{}, {}]}, {"backup_destinations": ("https://one/", "https://two/")}),
        ({"BackupDestinations": [{}] * 5}, {}),
        ({"BackupDestinations": []}, {"backup_destinations": ()}),
        ({"Oem": {"OdimRelay": {"SigningSecret": None}}}, {"signing_secret": ""}),
        ({"Oem": {"OdimRelay": {"Mode": "at_most_once"}}}, {"mode": Mode.AT_MOST_ONCE}),
        (
            {"Oem": {"OdimRelay": {"MaxInFlight": None, "RatePerSecond": 2.5, "BatchSize": 9}}},
            {"max_in_flight": None, "rate_per_s": 2.5, "batch_size": 9},
        ),
        (
            {"Oem": {"OdimRelay": {"CaFile": "ca.pem", "CertificateFingerprint": None}}},
            {"ca_file": "ca.pem", "certificate_fingerprint": ""},
        ),
    ],
    ids=str,
)
def test_a_change_changes_what_it_names(members: dict[str, Any], expected: dict[str, Any]) -> None:
    assert patched(KNOWN, **members) == replace(KNOWN, **expected)


OTHER_SECRET = "whsec_" + "B" * 32
KEY = "whsk_" + "A" * 43 + "="


def own(**members: Any) -> dict[str, Any]:
    return {"Oem": {"OdimRelay": members}}


def test_a_secret_that_is_replaced_signs_for_a_day_yet() -> None:
    rotated = patched(KNOWN, **own(SigningSecret=OTHER_SECRET, SigningKey=KEY))

    assert (rotated.signing_secret, rotated.signing_key) == (OTHER_SECRET, KEY)
    assert rotated.retired_secrets == (RetiredSecret(secret=SECRET, until_s=int(NOW_S) + 86_400),)
    assert patched(rotated, **own(SigningSecret=OTHER_SECRET)) == rotated
    assert patched(rotated, **own(SigningSecret=None, SigningKey=None)) == replace(KNOWN, signing_secret="")


@pytest.mark.parametrize(
    ("members", "authentication"),
    [
        ({"Kind": "Basic", "Username": "ann", "Password": "p"}, Basic(username="ann", password="p")),
        ({"Kind": "Bearer", "Token": "t", "Password": None}, Bearer(token="t")),
        (
            {"Kind": "OAuth2ClientCredentials", "TokenUri": "https://i.example/", "ClientId": "a", "ClientSecret": "b"},
            ClientCredentials(token_url="https://i.example/", client_id="a", client_secret="b"),
        ),
    ],
)
def test_how_to_authenticate_is_understood(members: dict[str, Any], authentication: Authentication) -> None:
    assert wish(**own(Authentication=members)).authentication == authentication
    assert patched(KNOWN, **own(Authentication=members)).authentication == authentication


def test_a_part_of_it_is_changed_and_the_rest_stays() -> None:
    known = replace(KNOWN, authentication=Basic(username="ann", password="p"))

    assert patched(known, **own(Authentication={"Password": "q"})).authentication == Basic(username="ann", password="q")
    assert patched(known, **own(Authentication={"Kind": "Bearer", "Token": "t"})).authentication == Bearer(token="t")
    assert patched(known, **own(Authentication=None)).authentication is None
    assert patched(known, Context="d").authentication == known.authentication


@pytest.mark.parametrize(
    ("members", "messages"),
    [
        ({"Token": "hunter2"}, [("PropertyMissing", ["Oem/OdimRelay/Authentication/Kind"])]),
        (
            {"Kind": "Bearer", "Password": "hunter2"},
            [("PropertyValueConflict", [f"Oem/OdimRelay/Authentication/{name}" for name in ("Password", "Kind")])],
        ),
        (
            {"Kind": "Basic", "Username": "a:hunter2", "Password": "hunter2"},
            [("PropertyValueFormatError", ["******", "Oem/OdimRelay/Authentication/Username"])],
        ),
        ({"Kind": "hunter2"}, [("PropertyValueNotInList", ["******", "Oem/OdimRelay/Authentication/Kind"])]),
    ],
)
def test_what_does_not_belong_together_is_told_without_it(
    members: dict[str, Any], messages: list[tuple[str, list[str]]]
) -> None:
    assert refused(**own(Authentication=members)) == messages


def test_what_cannot_be_written_is_told_beside_what_was() -> None:
    change = read_wished_change(
        {
            "Context": "d",
            "Destination": "https://h/",
            "Oem": {"OdimRelay": {"Delivery": {}, "MaxInFlight": 1, "PublicKey": "k"}},
        }
    )
    assert [one["MessageArgs"] for one in change.problems] == [
        ["Oem/OdimRelay/Delivery"],
        ["Oem/OdimRelay/PublicKey"],
        ["Destination"],
    ]
    assert changed(KNOWN, change.values, now_s=NOW_S) == replace(KNOWN, context="d", max_in_flight=1)


@pytest.mark.parametrize(
    ("document", "keys"),
    [
        ({}, ["NoOperation"]),
        ({"Destination": "x", "Colour": 1}, ["PropertyNotWritable", "PropertyUnknown"]),
        ({"Oem": {"OdimRelay": {"Delivery": {}}}}, ["PropertyNotWritable"]),
        ({"Oem": {"OdimRelay": {"@odata.type": "#x.y", "Delivery": {}}}}, ["PropertyNotWritable"]),
        ({"BackupDestinations": [5, {"a": 1}]}, ["PropertyValueTypeError", "PropertyValueTypeError"]),
    ],
    ids=str,
)
def test_a_change_of_nothing_is_refused(document: dict[str, Any], keys: list[str]) -> None:
    with pytest.raises(RedfishError) as refusal:
        read_wished_change(document)
    assert [str(one["MessageId"]).rpartition(".")[2] for one in refusal.value.messages] == keys
