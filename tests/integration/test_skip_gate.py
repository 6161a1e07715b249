import pytest

from tests.support.skip_gate import SkipGate

pytest_plugins = ["pytester"]

ONE_IS_SKIPPED = """
import pytest

def test_that_runs():
    pass

def test_that_needs_more():
    pytest.skip("no server")
"""


def run(pytester: pytest.Pytester, *allowed: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=ONE_IS_SKIPPED)
    return pytester.runpytest_inprocess("-p", "no:celery", plugins=[SkipGate(dict.fromkeys(allowed, "no server"))])


def test_a_skip_that_is_not_allowed_fails_the_run_and_is_named(pytester: pytest.Pytester) -> None:
    result = run(pytester)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["test_it.py::test_that_needs_more: Skipped: no server", "*1 passed, 1 skipped*"])


def test_an_allowed_skip_passes(pytester: pytest.Pytester) -> None:
    assert run(pytester, "test_it.py::test_that_needs_more").ret == pytest.ExitCode.OK
