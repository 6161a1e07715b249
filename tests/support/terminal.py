"""
A person at a terminal who types the commands of a document, and one who runs a script of it.
"""

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.support.processes import tell_guardian
from tests.support.waiting import wait_until

_SIZE = struct.pack("HHHH", 60, 250, 0, 0)  # wide enough that no table is folded
_PROMPT = re.compile(rb"\x1e(\d+)\x1f")
_MOVES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>]|\r")
_FRAMES = re.compile(r"[─-╿]")
ANYTHING = "..."


def run_script(script: str, *, env: Mapping[str, str], folder: Path, timeout_s: float = 300) -> str:
    """
    Run commands as bash does that stops at the first that fails; returns what they print. Fails when one does.
    """
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=script,
        env=dict(env),
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Terminal:
    """
    A shell at a terminal of its own: programs see that it is one, and Ctrl-C reaches what runs in front.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = {**env, "PS1": r"\[\]" + "\x1e$?\x1f", "PS2": "", "TERM": "xterm-256color"}
        self._output = bytearray()
        self._read_to = 0

    def __enter__(self) -> Self:
        self._hand, shell_end = pty.openpty()
        fcntl.ioctl(shell_end, termios.TIOCSWINSZ, _SIZE)
        modes = termios.tcgetattr(shell_end)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(shell_end, termios.TCSANOW, modes)
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "--noediting", "-i"],
            stdin=shell_end,
            stdout=shell_end,
            stderr=shell_end,
            cwd=self._folder,
            env=self._env,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one call, before anything runs
        )
        os.close(shell_end)
        tell_guardian(f"+{self._shell.pid}")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait_for_prompt(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            print(f"--- what stands in the terminal:\n{self.text()[-4000:]}")
        started = psutil.Process(self._shell.pid).children(recursive=True)
        # What still runs in front is told that the terminal is gone, as by closing its window.
        with contextlib.suppress(OSError):
            os.close(self._hand)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGHUP)
        _, left = psutil.wait_procs(started, timeout=30)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._shell.kill()
        self._shell.wait(10)
        tell_guardian(f"-{self._shell.pid}")

    def type(self, command: str) -> None:
        """
        Type a command, and leave it running.
        """
        self._read_to = len(self._output)
        os.write(self._hand, f"{command}\n".encode())

    def run(self, command: str, timeout_s: float) -> int:
        """
        Type a command and wait for its end; returns its status. `fresh` is what it printed.
        """
        self.type(command)
        return self._wait_for_prompt(timeout_s)

    def interrupt(self, timeout_s: float) -> int:
        """
        Press Ctrl-C and wait until the shell asks again; returns the status of what ran.
        """
        self._read_to = len(self._output)
        os.write(self._hand, b"\x03")
        return self._wait_for_prompt(timeout_s)

    def fresh(self) -> str:
        """
        What was printed since the last command, or since `seen`.
        """
        return self.text(self._read_to)

    def seen(self) -> None:
        """
        Count what was printed so far as read.
        """
        self._read_to = len(self._output)

    def text(self, since: int = 0) -> str:
        """
        What was printed, without colours, frames and prompts, and with single spaces.
        """
        plain = _MOVES.sub(b"", _PROMPT.sub(b"", bytes(self._output[since:]))).decode(errors="replace")
        return "\n".join(spaced(line) for line in plain.splitlines())

    def _wait_for_prompt(self, timeout_s: float) -> int:
        found = wait_until(
            lambda: _PROMPT.search(self._output, self._read_to), timeout_s=timeout_s, what="the command to end"
        )
        assert found is not None
        return int(found[1])

    def _read(self) -> None:
        # The kernel says EIO when the last program at the other end is gone.
        with contextlib.suppress(OSError):
            while some := os.read(self._hand, 65536):
                self._output += some


def spaced(line: str) -> str:
    """
    A line with single spaces, and without what frames are drawn of.
    """
    return " ".join(_FRAMES.sub(" ", line).split())


def looks_as_shown(shown: Sequence[str], text: str) -> bool:
    """
    Whether the lines that a document shows stand in `text` in their order and next to each other. `...` stands for
    anything within a line, and alone in a line for any lines.
    """
    pattern = ""
    for line in shown:
        if line.strip() == ANYTHING:
            pattern += r"(?:.*\n)*?"
        elif line.strip():
            pattern += ".*?".join(re.escape(spaced(part)) for part in line.split(ANYTHING)) + r" *\n"
    return re.search(f"^{pattern}", re.sub(r"\n\s*\n+", "\n", f"{text}\n"), re.MULTILINE) is not None
