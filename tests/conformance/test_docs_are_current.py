"""
Documents that are made from the code say what the code does.
"""

import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made() -> Iterator[Any]:
    spec = spec_from_file_location("docs", ROOT / "scripts" / "docs.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.path.insert(0, str(ROOT / "scripts"))  # as it is for a program that runs there
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.mark.parametrize(
    ("name", "maker"),
    [
        ("cli.md", "cli_markdown"),
        ("settings.md", "settings_markdown"),
        ("metrics.md", "metrics_markdown"),
        ("logs.md", "logs_document"),
        ("api-reference.md", "api_reference_markdown"),
    ],
)
def test_a_document_is_as_the_code_makes_it(made: Any, name: str, maker: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == getattr(made, maker)(), (
        f"docs/{name} is old: run .venv/bin/python scripts/docs.py"
    )


def test_the_schema_of_the_charts_values_is_as_the_settings_make_it(made: Any) -> None:
    file = ROOT / "helm" / "odim-relay" / "values.schema.json"
    assert file.read_text(encoding="utf-8") == made.chart_schema.schema_text(), (
        "the chart's values.schema.json is old: run .venv/bin/python scripts/docs.py"
    )


def test_every_setting_and_every_command_is_explained(made: Any) -> None:
    for row in [*made.settings_markdown().splitlines(), *made.cli_markdown().splitlines()]:
        assert not row.endswith("|  |"), row
