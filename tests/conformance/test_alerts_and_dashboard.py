"""
Alert rules and the dashboard look at what there is, and lead to words that are there.
"""

import json
import re
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from odim_relay.api.metric_definitions import METRICS, PREFIX
from odim_relay.cli.main import main
from tests.support.promql import PROMTOOL_MISSING, counters_without_rate, flaws, promtool, selected

ROOT = Path(__file__).parents[2]
FILES = ROOT / "helm" / "odim-relay" / "files"
RULES = [
    rule
    for group in yaml.safe_load((FILES / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
PANEL = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# --- alerts ---


def test_every_alert_has_a_name_of_its_own() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names)) >= 20
    assert all(re.fullmatch(r"OdimRelay([A-Z][a-z]+)+", name) for name in names)


@RULE
def test_an_alert_looks_at_metrics_and_labels_that_there_are(rule: dict[str, Any]) -> None:
    assert selected(rule["expr"])
    assert flaws(rule["expr"]) == []
    assert counters_without_rate(rule["expr"]) == []


@RULE
def test_an_alert_counts_what_several_processes_tell_alike_once(rule: dict[str, Any]) -> None:
    expression = rule["expr"]
    if not expression.startswith(("absent", "count(", "histogram_quantile")):
        selectors = re.findall(r"odim_relay_\w+", re.sub(r"sum\(odim_relay_sources\)", "", expression))
        assert expression.count("without (instance, pod)") == len(selectors)


@RULE
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    told = rule["annotations"]
    assert set(told) == {"summary", "description", "runbook"}
    assert "`" in told["description"] or "_" in told["description"], "it names no command and no setting"
    # What is counted over a quarter of an hour needs no further patience.
    assert "for" in rule or "increase(" in rule["expr"]
    document, _, anchor = told["runbook"].partition("#")
    assert anchor in anchors(ROOT / document), f"{document} has no #{anchor}"


@RULE
def test_what_an_alert_tells_about_is_a_label_that_its_expression_leaves(rule: dict[str, Any]) -> None:
    named = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    left = {label for one in selected(rule["expr"]) for label in _labels(one.series)}
    dropped = set(re.findall(r"\w+", " ".join(re.findall(r"without \(([^)]*)\)", rule["expr"]))))
    assert named <= left - dropped


@RULE
def test_the_commands_of_an_alert_are_commands(rule: dict[str, Any]) -> None:
    for command in re.findall(r"`odim-relay ([^`]+)`", rule["annotations"]["description"]):
        assert_is_command(re.sub(r"\{\{.*?\}\}", "x", command).split())


def assert_is_command(words: list[str]) -> None:
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, f"odim-relay {' '.join(words)} is no command"
        command, words = found, words[1:]
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= options


def test_prometheus_itself_takes_the_rules() -> None:
    tool = promtool()
    if tool is None:
        pytest.skip(PROMTOOL_MISSING)
    done = subprocess.run(
        [tool, "check", "rules", "--lint=all", "--lint-fatal", str(FILES / "alerts.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# --- the dashboard ---


def test_the_dashboard_is_as_its_program_makes_it() -> None:
    spec = spec_from_file_location("dashboard", ROOT / "scripts" / "dashboard.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (FILES / "dashboard.json").read_text(encoding="utf-8") == module.text(), (
        "run .venv/bin/python scripts/dashboard.py"
    )


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_where_the_figures_come_from_can_be_chosen() -> None:
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert flaws(variables["job"]["definition"].removeprefix("label_values(").partition(",")[0]) == []
    for panel in PANELS:
        for source in (panel["datasource"], *(target["datasource"] for target in panel["targets"])):
            assert source == {"type": "prometheus", "uid": "${datasource}"}


@PANEL
def test_a_panel_shows_metrics_and_labels_that_there_are(panel: dict[str, Any]) -> None:
    assert panel["description"]
    references = [target["refId"] for target in panel["targets"]]
    assert references
    assert len(set(references)) == len(references)
    for target in panel["targets"]:
        expression = target["expr"]
        assert flaws(expression) == []
        assert counters_without_rate(expression) == []
        assert all(("job", "MatchOp.Re", "$job") in one.matchers for one in selected(expression))
        named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) - {"instance"}
        assert named <= {label for one in selected(expression) for label in _labels(one.series)}


def test_the_dashboard_shows_every_store_queue_and_subscription_figure() -> None:
    shown = {one.series for panel in PANELS for target in panel["targets"] for one in selected(target["expr"])}
    gauges = {name for name, one in METRICS.items() if one.kind == "gauge" and name.startswith(PREFIX)}
    left_out = {
        f"{PREFIX}{name}" for name in ("sources", "aggregates", "odim_rows", "odim_rows_skipped", "quarantine_bytes")
    }
    assert gauges - shown == left_out


def _labels(series: str) -> tuple[str, ...]:
    return next(one.labels for one in METRICS.values() if series in one.series)
