# ruff: noqa: INP001 - a program, not a package
"""
Writes helm/odim-relay/files/dashboard.json anew, from the rows below.

    .venv/bin/python scripts/dashboard.py
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "helm" / "odim-relay" / "files" / "dashboard.json"
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH = 24
_HEIGHT = 8
_STATES = {"0": ("closed", "green"), "1": ("probed", "yellow"), "2": ("open", "red")}


def of(metric: str, matchers: str = "", window: str = "") -> str:
    """
    The series of a metric, of the jobs that are looked at.
    """
    wanted = ", ".join(part for part in ('job=~"$job"', matchers) if part)
    return f"odim_relay_{metric}{{{wanted}}}{window}"


def one(expression: str) -> str:
    """
    What every api process tells alike, once.
    """
    return f"max without (instance, pod) ({expression})"


def rate(metric: str, matchers: str = "") -> str:
    """
    Per second.
    """
    return one(f"rate({of(metric, matchers, '[$__rate_interval]')})")


def quantile(q: float, metric: str) -> str:
    """
    Of a histogram.
    """
    buckets = f"rate({of(f'{metric}_bucket', '', '[$__rate_interval]')})"
    return f"histogram_quantile({q}, sum by (le) ({buckets}))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """
    One panel.

    Attributes:
        queries: what each line is called, in Grafana's words, and its expression.
    """

    title: str
    queries: tuple[tuple[str, str], ...]
    about: str
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    is_stacked: bool = False
    has_states: bool = False


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "At a glance",
        (
            Panel(
                title="Stores",
                kind="stat",
                queries=(
                    ("{{store}}", f"min without (instance, pod) ({of('store_up')})"),
                    ("beat", one(of("beat_up"))),
                ),
                about="1 when it answers. Without Redis there are no metrics at all.",
                width=6,
            ),
            Panel(
                title="Workers",
                kind="stat",
                queries=(("workers", one(of("workers"))), ("slots", one(of("worker_slots")))),
                about="Those that claimed a delivery within the last minute; idle ones are not seen.",
                width=4,
            ),
            Panel(
                title="Waiting and dead letters",
                kind="stat",
                queries=(
                    ("waiting", f"sum({one(of('waiting'))})"),
                    ("dead letters", f"sum({one(of('dead_letters'))})"),
                ),
                about="Of all subscriptions.",
                width=6,
            ),
            Panel(
                title="Ledger",
                kind="gauge",
                queries=(("full", f"{one(of('ledger_bytes'))} / {one(of('ledger_max_bytes'))}"),),
                about="Over four fifths the oldest of whoever holds most leave unsent.",
                unit="percentunit",
                width=4,
            ),
            Panel(
                title="Subscriptions",
                kind="stat",
                queries=(
                    ("all", one(of("subscriptions"))),
                    ("suspended", f"sum({one(of('subscription_suspended'))})"),
                ),
                about="Suspended ones collect and are sent nothing.",
                width=4,
            ),
        ),
    ),
    (
        "Taking events in",
        (
            Panel(
                title="Records and events per second",
                queries=(
                    ("records", rate("records_ingested_total")),
                    ("events", rate("events_ingested_total")),
                    ("unmatched", rate("events_unmatched_total")),
                    ("of unknown sources", rate("events_unknown_source_total")),
                ),
                about="Unmatched: no subscription wanted them.",
            ),
            Panel(
                title="Behind in Kafka",
                queries=(("records", one(of("kafka_lag"))),),
                about="Records that Kafka holds and that were not taken in.",
            ),
            Panel(
                title="Quarantine",
                queries=(
                    ("records kept", one(of("quarantine_records"))),
                    ("coming per second", rate("records_quarantined_total")),
                ),
                about="Records that could not be understood: odim-relay quarantine list.",
            ),
        ),
    ),
    (
        "Delivery",
        (
            Panel(
                title="Deliveries per second, by how they left",
                queries=(("{{outcome}}", rate("deliveries_total")),),
                about="expired and over_quota left unsent.",
                is_stacked=True,
            ),
            Panel(
                title="Requests per second, by what came of them",
                queries=(("{{outcome}} {{status_class}}", rate("attempts_total")),),
                about="transient ones are tried again, rejected ones wait for a person.",
                is_stacked=True,
            ),
            Panel(
                title="Requests that got no answer, per second",
                queries=(("{{failure}}", rate("attempt_failures_total")),),
                about="Why they were not answered.",
                is_stacked=True,
            ),
            Panel(
                title="Queue and deliveries under way",
                queries=(("queued", one(of("queue_depth"))), ("under way", one(of("deliveries_active")))),
                about="Under way: queued, being sent, or waiting for a retry.",
            ),
            Panel(
                title="Retries, replays and repairs per second",
                queries=(
                    ("retries", rate("deliveries_retried_total")),
                    ("replays", rate("replays_total")),
                    ("reaped", rate("reaped_total")),
                ),
                about="Reaped: held by a process that died, or their task was lost.",
            ),
            Panel(
                title="Parked per second, by reason",
                queries=(
                    ("{{reason}}", rate("parked_total")),
                    ("dead letter: {{reason}}", rate("dead_letters_total")),
                ),
                about="Dead letters: rejected and broken ones wait for a person.",
                is_stacked=True,
            ),
        ),
    ),
    (
        "Latency",
        (
            Panel(
                title="From Kafka to the subscriber's 2xx",
                queries=tuple(
                    (f"p{round(q * 100)}", quantile(q, "delivery_latency_seconds")) for q in (0.5, 0.9, 0.99)
                ),
                about="While a gap is drained it holds how long those events waited.",
                unit="s",
                width=12,
            ),
            Panel(
                title="A request, to its answer or failure",
                queries=tuple(
                    (f"p{round(q * 100)}", quantile(q, "attempt_duration_seconds")) for q in (0.5, 0.9, 0.99)
                ),
                about="How quickly receivers answer; DELIVERY__TIMEOUT_S is the most.",
                unit="s",
                width=12,
            ),
        ),
    ),
    (
        "Subscriptions",
        (
            Panel(
                title="Waiting: the ten that most waits for",
                queries=(("{{subscription}}", f"topk(10, {one(of('waiting'))} > 0)"),),
                about="Deliveries that are parked until their turn comes.",
            ),
            Panel(
                title="Dead letters: the ten with most",
                queries=(("{{subscription}}", f"topk(10, {one(of('dead_letters'))} > 0)"),),
                about="odim-relay dead-letters list --subscription ID",
            ),
            Panel(
                title="Oldest waiting event: the ten oldest",
                queries=(("{{subscription}}", f"topk(10, {one(of('oldest_waiting_age_seconds'))} > 0)"),),
                about="After its retention it leaves unsent.",
                unit="s",
            ),
            Panel(
                title="Breakers that are not closed",
                kind="state-timeline",
                queries=(("{{subscription}}", f"topk(20, {one(of('breaker_state'))} > 0)"),),
                about="Open: nothing but probes goes there.",
                width=12,
                has_states=True,
            ),
            Panel(
                title="Breakers opened and closed, and probes, per second",
                queries=(
                    ("opened", rate("breakers_opened_total")),
                    ("closed", rate("breakers_closed_total")),
                    ("probes", rate("probes_total")),
                    ("knocks", rate("connection_probes_total")),
                ),
                about="Knocks: connections to destinations that had taken none.",
                width=12,
            ),
        ),
    ),
    (
        "Stores and processes",
        (
            Panel(
                title="Ledger",
                queries=(("holds", one(of("ledger_bytes"))), ("may hold", one(of("ledger_max_bytes")))),
                about="Payloads, and what each delivery costs beside them.",
                unit="bytes",
            ),
            Panel(
                title="Api processes: memory",
                queries=(("{{instance}}", 'process_resident_memory_bytes{job=~"$job"}'),),
                about="Resident.",
                unit="bytes",
            ),
            Panel(
                title="Api processes: CPU",
                queries=(("{{instance}}", 'rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval])'),),
                about="Cores.",
            ),
            Panel(
                title="Versions",
                kind="stat",
                queries=(("{{version}}", f"count by (version) ({of('build_info')})"),),
                about="Api processes of each version.",
            ),
            Panel(
                title="Certificate of the API expires in",
                kind="stat",
                queries=(
                    (
                        "",
                        f"min without (instance, pod) ({of('api_certificate_expires_at_seconds')}) - time()",
                    ),
                ),
                about="Put another into its files: it is served within seconds.",
                unit="s",
            ),
            Panel(
                title="Age of what was read of ODIM",
                queries=(("age", one(of("odim_read_age_seconds"))),),
                about="What was read last serves on.",
                unit="s",
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """
    The dashboard as Grafana reads it.
    """
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": y, "w": _WIDTH, "h": 1},
            }
        )
        x, y = 0, y + 1
        for panel in row:
            if x + panel.width > _WIDTH:
                x, y = 0, y + _HEIGHT
            panels.append(_panel(panel, len(panels) + 1, x, y))
            x += panel.width
        y += _HEIGHT
    return {
        "uid": "odim-relay",
        "title": "odim-relay",
        "description": "Events from Kafka to their subscribers. What to do about it: docs/operations.md.",
        "tags": ["odim-relay"],
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": 39,
        "version": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
                {
                    "name": "job",
                    "label": "Relay",
                    "type": "query",
                    "datasource": _DATASOURCE,
                    "query": {"query": "label_values(odim_relay_build_info, job)", "refId": "job"},
                    "definition": "label_values(odim_relay_build_info, job)",
                    "refresh": 2,
                    "includeAll": True,
                    "allValue": ".*",
                    "current": {"text": "All", "value": "$__all"},
                },
            ]
        },
        "panels": panels,
    }


def _panel(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 20 if panel.is_stacked else 5,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.is_stacked else "none", "group": "A"},
        }
        defaults["min"] = 0
    if panel.kind == "gauge":
        steps = [{"color": "green", "value": None}, {"color": "yellow", "value": 0.6}, {"color": "red", "value": 0.78}]
        defaults |= {"min": 0, "max": 1, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.has_states:
        options = {
            state: {"text": text, "color": color, "index": index}
            for index, (state, (text, color)) in enumerate(_STATES.items())
        }
        defaults["mappings"] = [{"type": "value", "options": options}]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": _HEIGHT},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _DATASOURCE,
                "expr": expression,
                "legendFormat": legend or "__auto",
                "range": True,
            }
            for index, (legend, expression) in enumerate(panel.queries)
        ],
    }


def text() -> str:
    """
    The file's content.
    """
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
