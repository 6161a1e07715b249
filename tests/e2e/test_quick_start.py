"""
The commands of docs/quick-start.md, word by word, in a fresh copy of the checkout.

A block's title says at which terminal it is typed. A command whose comment begins with `goes on` is left running; one
with `again` is typed until its answer is as shown. What stands in a block before any command is told by what runs
there, its lines in any order; `^C` is pressed.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.support.documents import Typed, blocks, typed
from tests.support.relay_process import ROOT
from tests.support.terminal import ANYTHING, Terminal, looks_as_shown
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

DOCUMENT = ROOT / "docs" / "quick-start.md"
PORT = 9311
ANSWERS_S = 90.0
STARTS_S = 180.0
STOPS_S = 60.0
CTRL_C = "^C"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """
    A copy of what is tracked here, with this .venv, which `make` takes for up to date.
    """
    for program in ("git", "make", "curl", "bash"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} on PATH (Debian: {program})")
    if not (ROOT / ".venv" / "runtime.stamp").exists():
        pytest.skip("needs a .venv that make setup has made")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    copy = tmp_path / "odim-relay"
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").symlink_to((ROOT / ".venv").resolve())
    for name in ("pyproject.toml", "constraints.txt"):
        os.utime(copy / name, (0, 0))
    return copy


@pytest.fixture
def alone() -> Iterator[None]:
    """
    The page names a port: one test of this machine at a time has it.
    """
    with (Path(tempfile.gettempdir()) / f"odim-relay-quick-start-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", PORT))
            except OSError:
                pytest.fail(f"the page's port {PORT} is taken by another program")
        yield


def environment(checkout: Path) -> dict[str, str]:
    """
    That of somebody who has nothing of ours yet; the packages in .venv are another checkout's but for PYTHONPATH.
    """
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**keep, "HOME": str(checkout.parent), "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}


def follow(terminal: Terminal, step: Typed) -> None:
    """
    Do what the page says, and see what it shows.
    """
    comment = step.command.rpartition("# ")[2] if "# " in step.command else ""
    if step.command and comment.startswith("goes on"):
        terminal.type(step.command)
        expect(terminal, step, STARTS_S)
        terminal.seen()
    elif step.command and comment.startswith("again"):

        def as_shown() -> bool:
            assert terminal.run(step.command, ANSWERS_S) == 0, step
            return looks_as_shown(step.shown, terminal.fresh())

        wait_until(as_shown, timeout_s=ANSWERS_S, what=f"{step} to answer as shown")
    elif step.command:
        status = terminal.run(step.command, ANSWERS_S)
        assert status == 0, f"{step} ended with {status}:\n{terminal.fresh()}"
        expect(terminal, step, 0)
    elif step.shown[0] == CTRL_C:
        terminal.interrupt(STOPS_S)
        assert looks_as_shown(step.shown[1:], terminal.fresh()), terminal.fresh()
    else:
        for line in step.shown:
            wait_until(
                lambda line=line: looks_as_shown([line], terminal.fresh()),  # type: ignore[misc]
                timeout_s=ANSWERS_S,
                what=f"{step.block} to tell {line}",
            )
        terminal.seen()


def expect(terminal: Terminal, step: Typed, timeout_s: float) -> None:
    with suppress(AssertionError):
        wait_until(lambda: looks_as_shown(step.shown, terminal.fresh()), timeout_s=timeout_s, what="the answer")
        return
    shown = "\n".join(step.shown)
    pytest.fail(f"{step} is to answer\n{shown}\n--- and answers\n{terminal.fresh()[:4000]}")


@pytest.mark.usefixtures("alone")
def test_who_follows_the_quick_start_word_by_word_gets_what_it_shows(checkout: Path) -> None:
    steps = [step for block in blocks(DOCUMENT, "console") for step in typed(block)]
    titles = {step.block.title for step in steps}
    assert titles == {"First terminal", "Second terminal", "Third terminal"}
    with ExitStack() as stack:
        terminals = {title: stack.enter_context(Terminal(checkout, environment(checkout))) for title in sorted(titles)}
        for step in steps:
            follow(terminals[step.block.title], step)


def test_the_quick_start_shows_answers_and_not_only_commands() -> None:
    """
    So that the test above sees something that can be wrong.
    """
    steps = [step for block in blocks(DOCUMENT, "console") for step in typed(block)]
    assert sum(any(line != ANYTHING for line in step.shown) for step in steps) >= len(steps) / 2
