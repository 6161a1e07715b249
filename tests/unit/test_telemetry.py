"""
What a log line must not tell, and of whom.
"""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import structlog

from odim_relay.telemetry import configure_logs, logger


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


def test_what_one_tells_of_itself_stands_in_no_others_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(style="json")
    log = logger("test")
    all_at_once = Barrier(8)

    def tell(number: int) -> None:
        own = log.bind(delivery=number)
        for _ in range(20):
            all_at_once.wait(30)
            own.info("delivery.attempted", attempt=number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(8)))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == 160
    assert all(line["delivery"] == line["attempt"] for line in lines)
