"""
What Prometheus and Grafana get from the chart is what the files say.
"""

import json

import yaml

from tests.support.chart import CHART, VALUES_FILES, Rendered, rendered

MINIMAL = next(file for file in VALUES_FILES if file.name == "minimal-values.yaml")
MOST_BYTES = 1_048_576
"""
Of a ConfigMap.
"""


def test_the_rules_are_those_of_the_file_with_their_own_templates_untouched(production: Rendered) -> None:
    text = (CHART / "files" / "alerts.yaml").read_text()
    assert "{{ $labels" in text
    rule = production.one("PrometheusRule")
    assert rule["apiVersion"] == "monitoring.coreos.com/v1"
    assert rule["spec"] == yaml.safe_load(text)
    assert rule["spec"]["groups"]
    assert rule["metadata"]["labels"]["release"] == "prometheus"


def test_the_dashboard_is_the_file_and_is_found_by_grafana(production: Rendered) -> None:
    config = production.one("ConfigMap", "-dashboard")
    (text,) = config["data"].values()
    assert json.loads(text) == json.loads((CHART / "files" / "dashboard.json").read_text())
    assert len(text.encode()) < MOST_BYTES
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert config["metadata"]["annotations"] == {"grafana_folder": "relay"}


def test_who_does_not_ask_for_them_gets_none_of_them() -> None:
    found = rendered(MINIMAL)
    assert not found.of("PrometheusRule", "ServiceMonitor")
    assert len(found.of("ConfigMap")) == 1
