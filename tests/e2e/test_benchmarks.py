"""
The benchmarks run and count; how fast anything is, is not asked here.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import NoResultError, check_counts

ROOT = Path(__file__).parents[2]


@pytest.mark.server
def test_the_delivery_benchmark_compares_both_sides_and_misses_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.delivery", "--count", "200", "--pairs", "1", "--prefetch", "4"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("all there, none twice") == 3
    assert ended.stdout.count("with Redis's") == 3


@pytest.mark.server
def test_the_isolation_benchmark_compares_runs_without_and_with_one_that_hangs() -> None:
    command = [sys.executable, "-m", "benchmarks.isolation", "--pairs", "1", "--seconds", "0.5", "--burst", "10"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("median ratio") == 3


@pytest.mark.server
def test_the_keep_alive_benchmark_compares_both_sides_and_misses_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.keep_alive", "--posts", "40", "--pairs", "1", "--threads", "4"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)

    # 1 is: not worth enough.
    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    assert "at most 40 handshakes" in ended.stdout
    assert "median ratio" in ended.stdout


@pytest.mark.parametrize("counts", [{"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 1, "c": 1}, {"a": 1, "": 1}])
def test_a_run_that_lost_doubled_or_invented_a_delivery_is_no_result(counts: dict[str, int]) -> None:
    with pytest.raises(NoResultError):
        check_counts(counts, 2)


def test_a_run_with_each_delivery_once_is_a_result() -> None:
    check_counts({"a": 1, "b": 1}, 2)
