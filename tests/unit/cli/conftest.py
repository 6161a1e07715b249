from collections.abc import Iterator

import pytest

from tests.support.command_line import as_before


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    with as_before():
        yield
