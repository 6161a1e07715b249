"""
Every values file in `ci/` is one that Helm takes, and what it becomes is what Kubernetes takes.
"""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import odim_relay
from tests.support.chart import CHART, NEWEST_KUBERNETES, PROCESSES, VALUES_FILES, Rendered, Thing, lint, rendered

OLDEST_KUBERNETES = "1.25.0"
"""
That of Chart.yaml's `kubeVersion`.
"""
OWN_KINDS = {"ServiceMonitor", "PrometheusRule", "ScaledObject", "TriggerAuthentication"}
CLUSTER_IS_SILENT = ("icon is recommended",)


def test_there_is_a_values_file_for_each_kind_of_installation() -> None:
    names = {file.name.removesuffix("-values.yaml") for file in VALUES_FILES}
    assert names == {"minimal", "trial", "production", "keda", "keda-prometheus", "odim"}


def test_the_values_file_passes_lint_without_a_warning(values_file: Path) -> None:
    said = lint(values_file)
    complaints = [
        line for line in said.splitlines() if line.startswith("[") and not any(one in line for one in CLUSTER_IS_SILENT)
    ]
    assert complaints == []
    assert "1 chart(s) linted, 0 chart(s) failed" in said


@pytest.mark.parametrize("version", [NEWEST_KUBERNETES, OLDEST_KUBERNETES])
def test_what_it_becomes_is_what_kubernetes_takes(values_file: Path, version: str) -> None:
    assert str(kubernetes_validate.latest_version()) == NEWEST_KUBERNETES
    for thing in rendered(values_file, kubernetes=version).things:
        if thing["kind"] not in OWN_KINDS:
            kubernetes_validate.validate(thing, version, strict=True)


def test_the_judge_is_strict(found: Rendered) -> None:
    broken = found.of("Deployment")[0] | {"spce": {}}
    with pytest.raises(kubernetes_validate.ValidationError, match="spce"):
        kubernetes_validate.validate(broken, NEWEST_KUBERNETES, strict=True)


def test_no_two_objects_have_the_same_name_and_all_have_kubernetes_own_labels(found: Rendered) -> None:
    names = [(thing["kind"], thing["metadata"]["name"]) for thing in found.things]
    assert len(names) == len(set(names))
    for thing in found.things:
        labels = thing["metadata"]["labels"]
        for name in ("name", "instance", "component", "version", "part-of", "managed-by"):
            assert labels[f"app.kubernetes.io/{name}"], thing["metadata"]["name"]
        assert labels["helm.sh/chart"] == f"odim-relay-{odim_relay.__version__}"


def test_no_environment_says_anything_twice(found: Rendered) -> None:
    for name, container in found.containers():
        variables = [variable["name"] for variable in container.get("env", ())]
        assert len(variables) == len(set(variables)), name


def test_the_chart_is_of_this_version() -> None:
    chart: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == chart["version"] == odim_relay.__version__
    assert chart["kubeVersion"] == f">={OLDEST_KUBERNETES}-0"


def test_each_process_is_a_deployment_of_its_own(production: Rendered) -> None:
    assert set(production.deployments) == set(PROCESSES)


@pytest.mark.parametrize("kind", sorted({"Ingress", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler"}))
def test_the_production_file_shows_everything(production: Rendered, kind: str) -> None:
    things: list[Thing] = production.of(kind)
    assert things
