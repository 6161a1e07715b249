"""
Expressions of PromQL, as far as it can be told without a Prometheus whether they make sense.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser

from odim_relay.api.metric_definitions import METRICS, Kind, MetricDefinition

PROMTOOL_VERSION = "0.300.1"
_OF_THE_SCRAPE = {"job", "instance", "pod", "namespace"}
_GRAFANA = {"$__rate_interval": "5m"}
_SERIES: dict[str, MetricDefinition] = {
    series: definition for definition in METRICS.values() for series in definition.series
}


PROMTOOL_MISSING = (
    "needs promtool, whose build takes minutes: have it on PATH, or "
    f"`go install github.com/prometheus/prometheus/cmd/promtool@v{PROMTOOL_VERSION}`"
)


def promtool() -> str | None:
    """
    Where Prometheus's own checker is; None without.
    """
    cached = Path.home() / ".cache" / "odim-relay" / f"promtool-v{PROMTOOL_VERSION}"
    return shutil.which("promtool") or (str(cached) if cached.is_file() else None)


@dataclass(frozen=True, slots=True)
class Selected:
    """
    Series that an expression asks for.
    """

    series: str
    matchers: tuple[tuple[str, str, str], ...]


def selected(expression: str) -> list[Selected]:
    """
    All of them; fails when it is no PromQL. Grafana's own variables are filled in.
    """
    found: list[Selected] = []
    for variable, value in _GRAFANA.items():
        expression = expression.replace(variable, value)

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            matchers = tuple((one.name, str(one.op), one.value) for one in node.matchers.matchers)
            found.append(Selected(str(node.name), matchers))

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def labels_of(expression: str) -> set[str]:
    """
    The labels that its aggregations name.
    """
    return {
        label.strip()
        for names in re.findall(r"\b(?:by|without|on|ignoring) *\(([^)]*)\)", expression)
        for label in names.split(",")
        if label.strip()
    }


def flaws(expression: str) -> list[str]:
    """
    What would keep it from ever having a value: metrics, labels, and label values that there are not.
    """
    found = []
    known = set(_OF_THE_SCRAPE)
    for one in selected(expression):
        definition = _SERIES.get(one.series)
        if definition is None:
            found.append(f"there is no metric {one.series}")
            continue
        labels = {*definition.labels, *(["le"] if one.series.endswith("_bucket") else [])}
        known |= labels
        for name, operator, value in one.matchers:
            if name in _OF_THE_SCRAPE:
                continue
            if name not in labels:
                found.append(f"{one.series} has no label {name}")
            elif not _matches_any(definition, name, operator, value):
                found.append(f"no {name} of {one.series} is {value}")
    found += [f"nothing has a label {label}" for label in sorted(labels_of(expression) - known)]
    return found


def counters_without_rate(expression: str) -> list[str]:
    """
    Counters whose sum since ever is compared or shown, which tells nothing.
    """
    rated = set(re.findall(r"(?:rate|increase)\((\w+)", expression))
    return [
        one.series
        for one in selected(expression)
        if (one.series in _SERIES and _SERIES[one.series].kind is not Kind.GAUGE and one.series not in rated)
    ]


def _matches_any(definition: MetricDefinition, name: str, operator: str, value: str) -> bool:
    at = definition.labels.index(name) if name in definition.labels else None
    if at is None or not definition.values:
        return True
    values = {of[at] for of in definition.values}
    if "Re" in operator:
        return all(any(re.fullmatch(part, one) for one in values) for part in value.split("|"))
    return value in values
