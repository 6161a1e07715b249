import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.event import Event, EventFormat, EventRecord
from odim_relay.domain.stream_filter import EVERY_EVENT, StreamFilter
from odim_relay.domain.stream_filter_syntax import FilterError

FAN = EventRecord(
    event_type="Alert",
    message_id="Environmental.FanFailed",
    registry="Environmental",
    severity="Critical",
    origin="/redfish/v1/Chassis/1/Thermal#/Fans/0",
    resource_type="Thermal",
)
TASK = EventRecord(
    message_id="TaskEvent.TaskStarted",
    registry="TaskEvent",
    origin="/redfish/v1/TaskService/Tasks/7",
    resource_type="Task",
)
BARE = EventRecord()
EVENT = Event(format=EventFormat.EVENT, payload=b"", records=(FAN, TASK, BARE))
REPORT = Event(
    format=EventFormat.METRIC_REPORT,
    payload=b"",
    report_definition="/redfish/v1/TelemetryService/MetricReportDefinitions/Power/",
)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("RegistryPrefix eq 'Environmental'", (0,)),
        ("RegistryPrefix eq Environmental", (0,)),
        ("RegistryPrefix eq 'Environmental.1.0'", (0,)),
        ("MessageId eq 'TaskEvent.1.0.TaskStarted'", (1,)),
        ("MessageId eq TaskEvent.TaskStarted", (1,)),
        ("MessageId eq 'taskevent.TaskStarted'", None),
        ("EventType eq 'Alert'", (0,)),
        ("ResourceType eq '#Task.v1_2_0.Task'", (1,)),
        ("ResourceType eq Task or ResourceType eq Thermal", (0, 1)),
        ("OriginResource eq '/redfish/v1/TaskService/Tasks/7/'", (1,)),
        ("OriginResource eq '/redfish/v1/TaskService'", None),
        ("OriginResource eq '/redfish/v1/TaskService' and SubordinateResources eq true", (1,)),
        ("SubordinateResources eq true and OriginResource eq '/redfish/v1/Chassis/1/Thermal'", (0,)),
        ("SubordinateResources eq true and OriginResource eq '/redfish/v1/Chas'", None),
        ("SubordinateResources eq false and OriginResource eq '/redfish/v1/TaskService'", None),
        ("SubordinateResources eq true", (0, 1, 2)),
        (
            "(OriginResource eq /redfish/v1/Chassis and SubordinateResources eq true) or OriginResource eq /redfish/v1",
            (0,),
        ),
        (
            "SubordinateResources eq true and (OriginResource eq /redfish/v1/Chassis or OriginResource eq /redfish/v1)",
            (0, 1),
        ),
        ("SubordinateResources eq true and (OriginResource eq /redfish/v1/Chassis and EventType eq Alert)", (0,)),
        ("EventFormatType eq Event", (0, 1, 2)),
        ("EventFormatType eq 'MetricReport'", None),
        ("not (RegistryPrefix eq 'TaskEvent')", (0, 2)),
        ("not RegistryPrefix eq TaskEvent and not RegistryPrefix eq Environmental", (2,)),
        ("RegistryPrefix eq TaskEvent or RegistryPrefix eq Environmental and EventType eq Other", (1,)),
        ("(RegistryPrefix eq TaskEvent or RegistryPrefix eq Environmental) and EventType eq Alert", (0,)),
        ("  ( ( MessageId   eq  'x' ) )or(ResourceType eq 'Task')  ", (1,)),
        ("MessageId eq ''", None),
        ("OriginResource eq '/' and SubordinateResources eq true", None),
        ("MetricReportDefinition eq '/x'", None),
    ],
)
def test_a_filter_chooses_records(text: str, numbers: tuple[int, ...] | None) -> None:
    assert StreamFilter.of(text).wanted(EVENT) == numbers


@pytest.mark.parametrize(
    ("text", "is_wanted"),
    [
        ("EventFormatType eq MetricReport", True),
        ("EventFormatType eq Event", False),
        ("MetricReportDefinition eq '/redfish/v1/TelemetryService/MetricReportDefinitions/Power'", True),
        ("MetricReportDefinition eq '/redfish/v1/TelemetryService/MetricReportDefinitions/Other'", False),
        ("EventFormatType eq Event or EventFormatType eq MetricReport", True),
        ("not (MessageId eq 'a')", False),
    ],
)
def test_reports_come_to_who_asks_for_them(text: str, is_wanted: bool) -> None:
    assert StreamFilter.of(text).wanted(REPORT) == (() if is_wanted else None)


def test_without_a_filter_every_event_is_wanted_and_no_report() -> None:
    empty = Event(format=EventFormat.EVENT, payload=b"")
    assert EVERY_EVENT.wanted(EVENT) == (0, 1, 2)
    assert EVERY_EVENT.wanted(empty) == ()
    assert EVERY_EVENT.wanted(REPORT) is None
    assert StreamFilter.of("EventFormatType eq Event").wanted(empty) is None


def test_a_quote_within_quotes_is_doubled() -> None:
    odd = Event(format=EventFormat.EVENT, payload=b"", records=(EventRecord(event_type="it's (so)"),))
    assert StreamFilter.of("EventType eq 'it''s (so)'").wanted(odd) == (0,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at character 1: the end stands where the name of a property is expected"),
        ("MessageId", "at character 10: the end stands where eq is expected"),
        ("MessageId ne 'x'", "at character 11: 'ne' stands where eq is expected"),
        ("MessageId eq", "at character 13: the end stands where a value is expected"),
        ("MessageId eq and", "at character 14: 'and' stands where a value is expected"),
        ("MessageId eq 'x", "at character 14: a quote is opened and not closed"),
        ("MessageId eq 'x' 'y'", "at character 18: \"'y'\" stands where the end, and, or or is expected"),
        ("(MessageId eq 'x'", "at character 1: a parenthesis is opened and not closed"),
        ("MessageId eq 'x')", "at character 17: ')' stands where the end, and, or or is expected"),
        ("MessageId eq 'x' and", "at character 21: the end stands where the name of a property is expected"),
        ("'MessageId' eq 'x'", "at character 1: \"'MessageId'\" stands where the name of a property is expected"),
        ("Severity eq 'OK'", "at character 1: 'Severity' is no property to filter by; they are EventFormatType, "),
        ("and", "at character 1: 'and' stands where the name of a property is expected"),
        ("EventFormatType eq Trap", "at character 1: EventFormatType is Event or MetricReport, not 'Trap'"),
        ("SubordinateResources eq yes", "at character 1: SubordinateResources is true or false, not 'yes'"),
        ("not SubordinateResources eq true", "at character 5: SubordinateResources filters nothing by itself"),
        ("MessageId eq x or SubordinateResources eq true", "at character 19: SubordinateResources filters nothing"),
        ("(" * 40 + "MessageId eq x" + ")" * 40, "at character 34: it is nested deeper than 32 levels"),
        ("not " * 5_000, "at character 4097: it goes on beyond 4096 characters"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(FilterError) as refusal:
        StreamFilter.of(text)
    assert str(refusal.value).startswith(message)


@given(st.text(alphabet="()' eqandornotMessageId", max_size=60))
def test_no_text_ends_in_another_error(text: str) -> None:
    try:
        StreamFilter.of(text)
    except FilterError as exc:
        assert str(exc).startswith("at character ")  # noqa: PT017 - whether it is raised is not the question
