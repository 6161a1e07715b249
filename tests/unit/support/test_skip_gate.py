from typing import Literal

import pytest

from tests.support.skip_gate import ALLOWED_SKIPS, SkipGate, read_allowed

TEST_ID = "tests/test_it.py::test_it"


def report(outcome: Literal["passed", "failed", "skipped"]) -> pytest.TestReport:
    place = ("tests/test_it.py", 7, "test_it")
    return pytest.TestReport(TEST_ID, place, {}, outcome, ("tests/test_it.py", 7, "no server"), "setup")


def test_a_skip_that_is_not_allowed_is_refused_with_its_reason() -> None:
    gate = SkipGate({})

    gate.pytest_runtest_logreport(report("skipped"))

    assert gate.refused == {TEST_ID: "no server"}


def test_a_module_that_skips_itself_is_refused() -> None:
    gate = SkipGate({})

    gate.pytest_collectreport(pytest.CollectReport("tests/test_it.py", "skipped", ("tests/test_it.py", 7, "why"), []))

    assert gate.refused == {"tests/test_it.py": "why"}


@pytest.mark.parametrize("outcome", ["passed", "failed"])
def test_what_ran_is_not_refused(outcome: Literal["passed", "failed"]) -> None:
    gate = SkipGate({})

    gate.pytest_runtest_logreport(report(outcome))

    assert gate.refused == {}


def test_an_allowed_skip_is_not_refused() -> None:
    gate = SkipGate({TEST_ID: "no server"})

    gate.pytest_runtest_logreport(report("skipped"))

    assert gate.refused == {}


def test_a_test_that_may_be_skipped_may_not_be_for_another_reason() -> None:
    gate = SkipGate({TEST_ID: "needs a moon"})

    gate.pytest_runtest_logreport(report("skipped"))

    assert gate.refused == {TEST_ID: "no server"}


def test_an_expected_failure_is_not_a_skip() -> None:
    gate = SkipGate({})
    expected = report("skipped")
    expected.wasxfail = "reason: known"

    gate.pytest_runtest_logreport(expected)

    assert gate.refused == {}


def test_an_allowed_skip_needs_a_reason() -> None:
    assert read_allowed(["# a comment", "", "a.py::b # needs a moon"]) == {"a.py::b": "needs a moon"}
    with pytest.raises(ValueError, match="reason"):
        read_allowed(["a.py::b"])


def test_the_committed_list_can_be_read() -> None:
    read_allowed(ALLOWED_SKIPS.read_text().splitlines())
