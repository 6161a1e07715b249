"""
An event's trace, from the headers of its Kafka record to the request that its subscriber gets, over real processes.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.collector import CollectedSpan, Collector
from tests.support.events import event
from tests.support.kafka_client import Header, odim_envelope
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.receiver import Behaviour, Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay, Subscriber
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

SOON_S = 30.0
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "hunter2"
_OF_TRACING = ("odim_relay.adapters.otel", "opentelemetry.sdk.trace", "opentelemetry.exporter")
"""
Not all of OpenTelemetry: redis-py imports its metrics where they are installed.
"""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced(
    collector: Collector, kafka: KafkaServer | KafkaMock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Relay]:
    """
    A relay that traces.
    """
    folder = tmp_path_factory.mktemp("traced")
    settings = {"TRACING__ENABLED": "true", "TRACING__OTLP_ENDPOINT": collector.endpoint}
    with (
        RedisServer(folder / "redis") as redis,
        Receiver.start() as receiver,
        Relay(folder, redis=redis, kafka=kafka.bootstrap_servers, receiver=receiver, settings=settings) as relay,
    ):
        yield relay
        relay.tell()


@pytest.fixture(autouse=True)
def _end_traced_subscriptions(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "traced" in request.fixturenames:
        relay: Relay = request.getfixturevalue("traced")
        for subscriber in tuple(relay.subscribers.values()):
            relay.unsubscribe(subscriber)


def publish(relay: Relay, *numbers: int, traceparents: tuple[str, ...] = ()) -> None:
    headers: list[Header] = [("traceparent", one.encode()) for one in traceparents]
    relay.kafka.produce(
        relay.topic, [(b"key", odim_envelope(event(number)), headers) for number in numbers], partition=0
    )


def headers_of(relay: Relay, subscriber: Subscriber, count: int) -> list[dict[str, str]]:
    relay.receiver.wait_for_requests(subscriber.path, count, SOON_S)
    return [{name.lower(): value for name, value in pairs} for _, pairs, _ in relay.receiver.bodies(subscriber.path)]


def spans_of(collector: Collector, trace_id: str, count: int) -> list[CollectedSpan]:
    """
    What processes export some seconds later.
    """
    wait_until(lambda: len(collector.of_trace(trace_id)) >= count, timeout_s=SOON_S, what=f"{count} spans")
    return sorted(collector.of_trace(trace_id), key=lambda span: span.attributes.get("odim_relay.attempt", 0))


def test_a_records_trace_goes_through_bridge_and_worker_to_the_request_with_a_span_for_each_attempt(
    traced: Relay, collector: Collector
) -> None:
    subscriber = traced.subscribe(headers=(("Authorization", SECRET),), destination="")
    traced.receiver.behave(subscriber.path, Behaviour(first=(503,)))

    publish(traced, 1, traceparents=(f"00-{TRACE}-{SPAN}-01",))
    requests = headers_of(traced, subscriber, 2)
    ingest, first, second = spans_of(collector, TRACE, 3)

    assert (ingest.name, ingest.parent_id) == (f"ingest {traced.topic}", SPAN)
    assert ingest.attributes["messaging.destination.name"] == traced.topic
    assert ingest.attributes["odim_relay.event_count"] == 1
    assert [span.name for span in (first, second)] == ["deliver", "deliver"]
    assert {span.parent_id for span in (first, second)} == {ingest.span_id}
    assert [request["traceparent"] for request in requests] == [first.traceparent, second.traceparent]
    assert [span.attributes["odim_relay.attempt"] for span in (first, second)] == [1, 2]
    assert [span.attributes["http.response.status_code"] for span in (first, second)] == [503, 200]
    assert [(span.is_error, span.attributes.get("error.type")) for span in (first, second)] == [
        (True, "503"),
        (False, None),
    ]
    assert {span.attributes["odim_relay.delivery_id"] for span in (first, second)} == {requests[0]["webhook-id"]}
    assert first.attributes["odim_relay.subscription_id"] == subscriber.id
    assert first.attributes["network.peer.port"] == traced.receiver.port
    assert {span.service["service.name"] for span in (ingest, first)} == {"odim-relay"}
    assert ingest.service["service.instance.id"] != first.service["service.instance.id"]
    assert SECRET not in repr(collector.spans)


def test_a_record_that_brings_no_trace_begins_one(traced: Relay, collector: Collector) -> None:
    subscriber = traced.subscribe()

    publish(traced, 2)
    (request,) = headers_of(traced, subscriber, 1)
    _, trace_id, span_id, flags = request["traceparent"].split("-")
    ingest, deliver = spans_of(collector, trace_id, 2)

    assert (ingest.parent_id, deliver.parent_id) == ("", ingest.span_id)
    assert (deliver.span_id, flags) == (span_id, "01")


def test_what_is_not_to_be_sampled_is_exported_by_nobody_and_passed_on_as_such(
    traced: Relay, collector: Collector
) -> None:
    subscriber = traced.subscribe()
    trace_id = "a" * 32

    publish(traced, 3, traceparents=(f"00-{trace_id}-{SPAN}-00",))
    publish(traced, 4, traceparents=(f"00-{'b' * 32}-{SPAN}-01",))
    told = [one["traceparent"] for one in headers_of(traced, subscriber, 2)]
    spans_of(collector, "b" * 32, 2)

    (unsampled,) = [one for one in told if one.startswith(f"00-{trace_id}-")]  # whichever came first
    assert unsampled.endswith("-00")
    assert collector.of_trace(trace_id) == []


def test_spans_are_told_by_processes_that_end(traced: Relay, collector: Collector) -> None:
    subscriber = traced.subscribe()
    trace_id = "c" * 32

    publish(traced, 5, traceparents=(f"00-{trace_id}-{SPAN}-01",))
    headers_of(traced, subscriber, 1)
    for process in (traced.worker, traced.bridge):
        process.terminate(20)
    told = collector.of_trace(trace_id)
    for process in (traced.worker, traced.bridge):
        process.start()

    assert {span.name for span in told} == {"deliver", f"ingest {traced.topic}"}


# --- without ---


@pytest.mark.parametrize(
    ("traceparents", "sent"),
    [
        ((), None),
        ((f"00-{TRACE}-{SPAN}-01",), f"00-{TRACE}-{SPAN}-01"),
        ((f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01"), None),
        (("garbage\r\nX-Injected: 1",), None),
    ],
    ids=["none", "one", "two", "garbage"],
)
def test_who_does_not_trace_passes_on_what_the_record_brought(
    relay: Relay, traceparents: tuple[str, ...], sent: str | None
) -> None:
    subscriber = relay.subscribe()
    relay.receiver.behave(subscriber.path, Behaviour(first=(503,)))

    publish(relay, 1, traceparents=traceparents)

    assert [one.get("traceparent") for one in headers_of(relay, subscriber, 2)[:2]] == [sent, sent]


@pytest.mark.parametrize("module", ["odim_relay.celery", "odim_relay.bridge.process", "odim_relay.api.process"])
def test_who_does_not_trace_imports_nothing_for_it(module: str) -> None:
    program = (
        f"import sys, {module}; from odim_relay import bootstrap; bootstrap.tracer(); "
        f"print([name for name in sys.modules if name.startswith({_OF_TRACING!r})])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "[]\n"


def test_who_wants_traces_without_what_makes_them_is_told_what_to_install() -> None:
    program = (
        "import sys; sys.modules['opentelemetry.sdk.trace'] = None; import odim_relay.celery; "
        "from odim_relay import bootstrap\ntry: bootstrap.tracer()\nexcept Exception as exc: print(repr(exc))"
    )
    env = {**os.environ, "ODIM_RELAY_TRACING__ENABLED": "true"}

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, env=env
    )

    assert "ConfigurationError" in done.stdout
    assert "pip install 'odim-relay[tracing]'" in done.stdout


def test_a_collector_that_is_away_delays_nothing_and_is_told_of_once_by_each_process(
    kafka: KafkaServer | KafkaMock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("untold")
    with Collector() as gone:
        pass  # its port refuses from now on
    settings = {"TRACING__ENABLED": "true", "TRACING__OTLP_ENDPOINT": gone.endpoint.replace("//", "//user:hunter2@")}
    with (
        RedisServer(folder / "redis") as redis,
        Receiver.start() as receiver,
        Relay(folder, redis=redis, kafka=kafka.bootstrap_servers, receiver=receiver, settings=settings) as relay,
    ):
        subscriber = relay.subscribe()
        publish(relay, *range(200))
        arrived = headers_of(relay, subscriber, 200)
        for process in (relay.worker, relay.bridge):
            wait_until(lambda: process.lines("spans.not_exported"), timeout_s=SOON_S, what="a word of it")  # noqa: B023
        for process in (relay.worker, relay.bridge):
            process.terminate(20)

        assert len({one["traceparent"] for one in arrived}) == 200
        for process in (relay.worker, relay.bridge):
            assert len(process.lines("spans.not_exported")) == 1
            assert "hunter2" not in process.log()
