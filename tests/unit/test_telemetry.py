"""
What a log line must not tell.
"""

import logging
from collections.abc import Iterator

import pytest
import structlog

from odim_relay.telemetry import configure_logs


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_does_not_tell_the_values_of_variables(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(style=style)
    log = logging.getLogger("test")

    def fail(header: str) -> None:
        if header:
            raise ValueError("a wrong header")

    try:
        fail("Bearer " + "s3cret" * 2)
    except ValueError:
        log.exception("it failed")
    told = capsys.readouterr().err
    assert "a wrong header" in told
    assert "s3crets3cret" not in told
