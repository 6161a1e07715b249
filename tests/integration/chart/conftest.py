"""
The chart's tests need Helm, and nothing else.
"""

from pathlib import Path

import pytest

from tests.support.chart import VALUES_FILES, Rendered, rendered
from tests.support.helm import HelmMissingError, helm


@pytest.fixture(autouse=True)
def _with_helm() -> None:
    try:
        helm()
    except HelmMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=VALUES_FILES, ids=lambda file: file.name.removesuffix("-values.yaml"))
def values_file(request: pytest.FixtureRequest) -> Path:
    file: Path = request.param
    return file


@pytest.fixture
def found(values_file: Path) -> Rendered:
    """
    What a values file becomes.
    """
    return rendered(values_file)


@pytest.fixture
def production() -> Rendered:
    return rendered(next(file for file in VALUES_FILES if file.name == "production-values.yaml"))


@pytest.fixture
def trial() -> Rendered:
    return rendered(next(file for file in VALUES_FILES if file.name == "trial-values.yaml"))
