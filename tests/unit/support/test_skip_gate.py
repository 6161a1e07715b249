import pytest

from tests.support.skip_gate import ALLOWED_SKIPS, SkipGate, read_allowed

pytest_plugins = ["pytester"]

ONE_IS_SKIPPED = """
import pytest

def test_that_runs():
    pass

def test_that_needs_more():
    pytest.skip("no server")

@pytest.mark.xfail(strict=True)
def test_that_fails_as_expected():
    assert False
"""


def run(pytester: pytest.Pytester, *allowed: str, source: str = ONE_IS_SKIPPED) -> pytest.RunResult:
    pytester.makepyfile(test_it=source)
    return pytester.runpytest_inprocess("-p", "no:celery", plugins=[SkipGate(frozenset(allowed))])


def test_a_skip_that_is_not_allowed_fails_the_run_and_is_named(pytester: pytest.Pytester) -> None:
    result = run(pytester)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["test_it.py::test_that_needs_more: Skipped: no server", "*1 passed, 1 skipped*"])


def test_an_allowed_skip_passes(pytester: pytest.Pytester) -> None:
    assert run(pytester, "test_it.py::test_that_needs_more").ret == pytest.ExitCode.OK


def test_a_module_that_skips_itself_is_a_skip(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "test_it.py::test_that_needs_more",
        source=ONE_IS_SKIPPED + "\npytest.importorskip('no_such_module')",
    )

    assert result.ret != pytest.ExitCode.OK


def test_an_allowed_skip_needs_a_reason() -> None:
    assert read_allowed(["# a comment", "", "a.py::b # needs a moon"]) == {"a.py::b"}
    with pytest.raises(ValueError, match="reason"):
        read_allowed(["a.py::b"])


def test_the_committed_list_can_be_read() -> None:
    read_allowed(ALLOWED_SKIPS.read_text().splitlines())
