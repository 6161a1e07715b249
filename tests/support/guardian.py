"""
Ends the servers of a test run that was killed before it could. A program: processes.py starts it and tells it, on its
standard input, which processes run.
"""

import contextlib
import sys
from collections.abc import Iterable

import psutil


def remaining(lines: Iterable[str]) -> set[int]:
    """
    The pids that were announced with `+` and not taken back with `-`, at the end of the input.
    """
    pids: set[int] = set()
    for line in lines:
        (pids.add if line[0] == "+" else pids.discard)(int(line[1:]))
    return pids


def kill_tree(pid: int) -> None:
    """
    Kills the process and all that descend from it, whatever groups and sessions they have moved to.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [*root.children(recursive=True), root]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


if __name__ == "__main__":
    for pid in remaining(sys.stdin):
        kill_tree(pid)
