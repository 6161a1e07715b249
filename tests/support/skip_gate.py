"""
In CI, a test may be skipped only when tests/allowed_skips.txt says so, and for the reason that stands there: otherwise
a missing server would go unnoticed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ALLOWED_SKIPS = Path(__file__).parents[1] / "allowed_skips.txt"


def read_allowed(lines: Iterable[str]) -> dict[str, str]:
    """
    The ids of the tests with their reasons, from lines of `test id # reason`. Raises ValueError for a line without a
    reason.
    """
    reasons = {}
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        test_id, separator, reason = line.partition(" # ")
        if not separator or not reason.strip():
            raise ValueError(f"an allowed skip has a reason: `test id # reason`, not {line!r}")
        reasons[test_id.strip()] = reason.strip()
    return reasons


@dataclass(slots=True, eq=False)
class SkipGate:
    """
    A pytest plugin that fails the run, in its summary, for each skipped test (or module) that is not allowed to be.

    Attributes:
        allowed: reasons by test id: what a test says when it is skipped has to contain its reason.
    """

    allowed: Mapping[str, str]
    refused: dict[str, str] = field(default_factory=dict)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._look_at(report)

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._look_at(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.refused and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.refused:
            terminalreporter.section("skipped, and not in tests/allowed_skips.txt", red=True)
            for test_id, reason in self.refused.items():
                terminalreporter.line(f"{test_id}: {reason}", red=True)

    def _look_at(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        is_expected_failure = hasattr(report, "wasxfail")
        if not report.skipped or is_expected_failure:
            return
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = self.allowed.get(report.nodeid)
        if reason is None or reason not in said:
            self.refused[report.nodeid] = said
