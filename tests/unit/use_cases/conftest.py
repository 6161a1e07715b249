from collections.abc import Iterator, MutableMapping
from typing import Any, TypeAlias

import pytest
import structlog.testing

from tests.fakes.relay import InMemoryRelay

Logs: TypeAlias = list[MutableMapping[str, Any]]


@pytest.fixture
def relay() -> InMemoryRelay:
    return InMemoryRelay()


@pytest.fixture
def logs() -> Iterator[Logs]:
    """
    What was logged since, line by line.
    """
    with structlog.testing.capture_logs() as captured:
        yield captured
