"""
What the guide and the chart's README tell people to write is what the chart takes.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.chart import CHART, VALUES_FILES, rendered_with
from tests.support.relay_process import ROOT

MINIMAL = next(file for file in VALUES_FILES if file.name == "minimal-values.yaml")
GUIDE = ROOT / "docs" / "kubernetes.md"
BLOCKS: list[dict[str, Any]] = [
    yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
]


def test_the_guide_has_examples() -> None:
    assert len(BLOCKS) == 7


@pytest.mark.parametrize("values", BLOCKS, ids=",".join)
def test_an_example_of_the_guide_is_taken(values: dict[str, Any]) -> None:
    is_whole = "embeddedRedis" in values or "redis" in values.get("settingsFromSecrets", {})
    assert rendered_with(values, *([] if is_whole else [MINIMAL])).of("Deployment")


def test_the_command_of_the_readme_says_enough() -> None:
    text = (CHART / "README.md").read_text()
    chosen = dict(re.findall(r"--set settings\.([\w.]+)=(\S+)", text))
    assert chosen == {"redis.url": "redis://redis:6379/0", "kafka.bootstrap_servers": "kafka:9092"}
    tree = {"redis": {"url": chosen["redis.url"]}, "kafka": {"bootstrap_servers": chosen["kafka.bootstrap_servers"]}}
    assert rendered_with({"settings": tree}).of("Deployment")


def test_the_readme_tells_of_every_value() -> None:
    told = set(re.findall(r"`([\w.*]+)`", (CHART / "README.md").read_text()))
    values: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    assert {name for name in values if name not in told and f"{name}.*" not in told} == set()


def test_every_value_has_its_place_in_the_schema_and_each_of_the_schemas_its_default() -> None:
    schema: dict[str, Any] = yaml.safe_load(Path(CHART / "values.schema.json").read_text())
    values: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    assert schema["properties"].keys() - {"global"} == values.keys()
