"""
Spans by OpenTelemetry, exported by OTLP over HTTP.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from odim_relay.domain.destination import without_secrets
from odim_relay.domain.outcome import Outcome, Verdict, verdict_of
from odim_relay.ports import Claim, Record, TopicPartition
from odim_relay.telemetry import logger

log = logger(__name__)

_EXPORT_WITHIN_S = 5.0
_LAST_WITHIN_S = 3.0
_NOTHING = Context()
"""
Not what happens to be current in this thread: a span's parent is what its event says.
"""


class OpenTelemetryTracer:
    """
    `Tracer` over OpenTelemetry's SDK. Spans are exported by a thread of its own; those that its queue cannot hold while
    nobody takes them are dropped.
    """

    def __init__(self, *, endpoint: str, sample_ratio: float, version: str, instance: str) -> None:
        """
        Args:
            endpoint: URL of a collector's OTLP/HTTP receiver.
            sample_ratio: of the traces that begin here; the others say themselves whether they are sampled.
            instance: name of this process, unique among all.
        """
        # They complain at each try, which may be several times a second; `_Exporter` tells it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
            resource=Resource.create(
                {"service.name": "odim-relay", "service.version": version, "service.instance.id": instance}
            ),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(_Exporter(endpoint)))
        self._tracer = self._provider.get_tracer("odim_relay", version)

    def record(self, partition: TopicPartition, record: Record) -> "_RecordSpan":
        """
        See `Tracer.record`.
        """
        return _RecordSpan(
            self._tracer.start_span(
                f"ingest {partition.topic}",
                context=_parent(record.traceparent),
                kind=SpanKind.CONSUMER,
                attributes={
                    "messaging.system": "kafka",
                    "messaging.operation.name": "ingest",
                    "messaging.destination.name": partition.topic,
                    "messaging.destination.partition.id": str(partition.partition),
                    "messaging.kafka.offset": record.offset,
                },
            )
        )

    def attempt(self, claim: Claim, destination: str) -> "_AttemptSpan":
        """
        See `Tracer.attempt`.
        """
        return _AttemptSpan(
            self._tracer.start_span(
                "deliver",
                context=_parent(claim.traceparent),
                kind=SpanKind.CLIENT,
                links=_links(one.traceparent for one in claim.passengers),
                attributes={
                    "http.request.method": "POST",
                    "url.full": without_secrets(destination),
                    "odim_relay.delivery_id": claim.delivery_id,
                    "odim_relay.subscription_id": claim.subscription_id,
                    "odim_relay.attempt": claim.attempt,
                    "odim_relay.event_count": 1 + len(claim.passengers),
                },
            )
        )

    def close(self) -> None:
        """
        See `Tracer.close`.
        """
        closing = Thread(target=self._provider.shutdown, name="tracer-closing", daemon=True)
        closing.start()
        closing.join(_LAST_WITHIN_S)


class _Traced:
    def __init__(self, span: Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"

    def _end(self, attributes: Mapping[str, str | int], problem: str) -> None:
        self._span.set_attributes(attributes)
        if problem:
            self._span.set_attribute("error.type", problem)
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class _RecordSpan(_Traced):
    def end(self, *, event_count: int, problem: str = "") -> None:
        """
        See `RecordSpan.end`.
        """
        self._end({"odim_relay.event_count": event_count}, problem)


class _AttemptSpan(_Traced):
    def end(self, outcome: Outcome, decision: str) -> None:
        """
        See `AttemptSpan.end`.
        """
        attributes: dict[str, str | int] = {"odim_relay.decision": decision}
        if outcome.status is not None:
            attributes["http.response.status_code"] = outcome.status
        if outcome.address:
            attributes["network.peer.address"], _, port = outcome.address.rpartition(":")
            attributes["network.peer.port"] = int(port)
        is_well = verdict_of(outcome) is Verdict.DELIVERED
        self._end(attributes, "" if is_well else str(outcome.failure or outcome.status or "broken"))


class _Exporter(SpanExporter):
    """
    Tells once that spans are not taken, and once that they are again.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = without_secrets(endpoint)
        self._exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_WITHIN_S)
        self._is_failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """
        See `SpanExporter.export`.
        """
        result = self._exporter.export(spans)
        is_failing = result is not SpanExportResult.SUCCESS
        if is_failing and not self._is_failing:
            log.warning("spans.not_exported", endpoint=self._endpoint)
        elif self._is_failing and not is_failing:
            log.info("spans.exported_again", endpoint=self._endpoint)
        self._is_failing = is_failing
        return result

    def shutdown(self) -> None:
        """
        See `SpanExporter.shutdown`.
        """
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


def _parent(traceparent: str) -> Context:
    context = _context(traceparent)
    return _NOTHING if context is None else set_span_in_context(NonRecordingSpan(context), _NOTHING)


def _links(traceparents: Iterable[str]) -> list[Link]:
    return [Link(context) for context in map(_context, traceparents) if context is not None]


def _context(traceparent: str) -> SpanContext | None:
    """
    Of one that `domain.trace_context` let pass.
    """
    if not traceparent:
        return None
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
