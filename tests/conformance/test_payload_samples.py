"""
Payloads as devices send them, bare and in ODIM's envelope.
"""

import json
from typing import Any

import pytest

from odim_relay.domain.event import WHOLE, Event, EventFormat, Shape
from odim_relay.domain.matching import Matcher
from odim_relay.domain.subscription import Subscription
from odim_relay.formats import Ignored
from odim_relay.formats.registry import FORMATS
from odim_relay.formats.shaping import shape_body
from tests.conformance.odim_answers import wrapped
from tests.support.redfish_schemas import flaws
from tests.support.shared import shared_rows

SAMPLES = {row["name"]: row for row in shared_rows("redfish_events.jsonl")}
ENVELOPES = {row["note"]: row["value"].encode() for row in shared_rows("formats/odim.jsonl")}

# What sources wrote against the schema and the relay keeps as it came.
SOURCES_OWN = {
    "origin-expanded": {"Events/0/OriginOfCondition: additionalProperties"},
    "hpe-ilo-submit-test-event": {"Events/0/OriginOfCondition: type"},
}
INCOMPLETE = {"hpe-ilo-submit-test-event", "openbmc-bmcweb-event", "no-odata-type-no-id"}


def read(format_name: str, value: bytes) -> Event:
    decoded = FORMATS[format_name](value)
    assert isinstance(decoded, tuple), decoded
    (event,) = decoded
    return event


def bytes_of(name: str) -> bytes:
    return json.dumps(SAMPLES[name]["payload"], ensure_ascii=False).encode()


def test_there_are_as_many_samples_as_expected() -> None:
    assert (len(SAMPLES), len(ENVELOPES)) == (41, 4)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_understood_with_every_record(name: str) -> None:
    payload: dict[str, Any] = SAMPLES[name]["payload"]
    event = read("redfish", bytes_of(name))

    assert event.payload == bytes_of(name)
    assert event.format is (EventFormat.METRIC_REPORT if "MetricValues" in payload else EventFormat.EVENT)
    members = payload.get("Events", [])
    assert [record.event_type for record in event.records] == [one.get("EventType", "") for one in members]
    assert [record.message_id.split(".")[-1] for record in event.records] == [
        one["MessageId"].split(".")[-1] for one in members
    ]
    assert all(record.registry for record in event.records)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_means_the_same_in_the_envelope(name: str) -> None:
    bare = read("redfish", bytes_of(name))
    event = read("odim", wrapped(bytes_of(name), ip="10.0.0.1:443"))

    assert event.source == "10.0.0.1"
    assert (event.format, event.payload, event.records, event.report_definition) == (
        bare.format,
        bare.payload,
        bare.records,
        bare.report_definition,
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_the_type_at_the_origin_of_a_sample_is_known_unless_it_is_an_oems(name: str) -> None:
    records = read("redfish", bytes_of(name)).records

    assert all(record.resource_type for record in records if record.origin and "/Oem/" not in record.origin)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_takes_a_context(name: str) -> None:
    body = json.loads(shape_body(bytes_of(name), Shape(context="\u2713"), event_id="e"))

    assert body == SAMPLES[name]["payload"] | {"Context": "\u2713"}


def shape_of(event: Event) -> Shape:
    everything = Subscription(subscription_id="s", destination="https://s.example/", event_format=event.format)
    ((_, shape),) = Matcher.of([everything]).match(event)
    return shape


@pytest.mark.parametrize("format_name", ["redfish", "odim"])
@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_sent_of_a_sample_is_as_its_schema_wants_it(name: str, format_name: str) -> None:
    payload = SAMPLES[name]["payload"]
    event = read(format_name, wrapped(bytes_of(name)) if format_name == "odim" else bytes_of(name))

    body = json.loads(shape_body(event.payload, shape_of(event), event_id="e"))

    kind = "MetricReport.v1_5_2" if event.format is EventFormat.METRIC_REPORT else "Event.v1_13_0"
    assert flaws(body, kind) == SOURCES_OWN.get(name, set())
    assert body | payload | {"Events": None} == body | {"Events": None}
    for sent, source in zip(body.get("Events", []), payload.get("Events", []), strict=True):
        assert sent | source == sent


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_that_is_complete_is_sent_as_it_came(name: str) -> None:
    assert (shape_of(read("redfish", bytes_of(name))) == WHOLE) is (name not in INCOMPLETE)


def test_one_of_two_hundred_records_can_be_sent_alone() -> None:
    body = json.loads(shape_body(bytes_of("large-200-records"), Shape(records=(150,)), event_id="e"))
    whole = SAMPLES["large-200-records"]["payload"]

    assert body == whole | {"Events": [whole["Events"][150] | {"MemberId": "0"}], "Events@odata.count": 1}


def test_what_vendors_do_otherwise_is_understood() -> None:
    (hpe,) = read("redfish", bytes_of("hpe-ilo-submit-test-event")).records
    (dell,) = read("redfish", bytes_of("dell-idrac9-rac1195-informational")).records
    (openbmc,) = read("redfish", bytes_of("openbmc-bmcweb-event")).records

    assert (hpe.origin, hpe.resource_type) == ("/redfish/v1/Systems/1", "ComputerSystem")
    assert (dell.message_id, dell.registry, dell.origin) == ("IDRAC.RAC1195", "IDRAC", "")
    assert openbmc.event_type == ""


def test_odims_own_records_are_understood() -> None:
    start_up = "PluginStartUp: control message, not for subscribers"
    events = [read("odim", value) for note, value in ENVELOPES.items() if note != start_up]

    assert FORMATS["odim"](ENVELOPES[start_up]) == Ignored(kind="plugin_start_up")
    assert [(one.format.value, one.source, len(one.records)) for one in events] == [
        ("Event", "10.24.0.7", 1),
        ("Event", "10.24.0.7", 1),
        ("MetricReport", "10.24.0.8", 0),
    ]
