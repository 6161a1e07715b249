"""
A service of a compose file as a process of this machine: its command and environment, and nothing to write to.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.processes import LocalProcess
from tests.support.relay_process import ROOT

_BIN = Path(sys.executable).parent
_PROGRAMS = {"odim-relay": "odim_relay", "celery": "celery"}
# In a mount namespace of its own every file system that is the root's is read-only, but for the folder in TMPDIR.
_CLOSED = 'mount -t tmpfs tmpfs "$TMPDIR" && mount -o remount,bind,ro / && exec "$@"'


class NoNamespacesError(Exception):
    """
    This machine lets nobody have file systems of his own; the message tells what was tried.
    """


@cache
def closing() -> tuple[str, ...]:
    """
    What starts a program on a read-only root file system.
    """
    tried = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "--map-root-user")
    try:
        subprocess.run(
            [*tried, "sh", "-c", "mount -o remount,bind,ro / && ! touch /read-only"],
            check=True,
            capture_output=True,
            timeout=30,
        )
    except (OSError, subprocess.CalledProcessError) as exc:
        raise NoNamespacesError(f"no `{' '.join(tried)}` with a root file system made read-only: {exc}") from exc
    return (*tried, "sh", "-c", _CLOSED, "sh")


class ContainerProcess(LocalProcess):
    """
    One service. It is ready when its health check passes.

    `adapt` changes what is said of hosts and ports to what is so here; what the environment says is all there is.
    """

    start_limit_s = 90.0

    def __init__(
        self,
        name: str,
        service: Mapping[str, Any],
        folder: Path,
        *,
        adapt: Callable[[str], str],
        extra: Mapping[str, str],
    ) -> None:
        self.grace_s = float(re.fullmatch(r"(\d+)s", service["stop_grace_period"])[1])  # type: ignore[index]
        temporary = folder / f"{name}-tmp"
        temporary.mkdir()

        def here(text: str) -> str:
            return adapt(text).replace("/tmp/", f"{temporary}/")  # noqa: S108 - the container's

        self._check = [here(word) for word in service["healthcheck"]["test"]]
        self._environment = {
            "PATH": f"{_BIN}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(temporary),
            **{variable: here(value) for variable, value in service["environment"].items()},
            **extra,
        }
        super().__init__(name, [*closing(), *self._command(service["command"])], folder)
        self.env = self._environment

    def is_ready(self) -> bool:
        return self.is_healthy()

    def is_healthy(self) -> bool:
        """
        Whether the health check passes.
        """
        kind, *words = self._check
        argv = ["sh", "-c", *words] if kind == "CMD-SHELL" else self._command(words)
        return self._run(argv).returncode == 0

    def exec(self, command: str, *, stdin: str = "") -> str:
        """
        Run a command in it, and give what it prints; fails when that is not well.
        """
        program, *arguments = shlex.split(command)
        done = self._run(self._command([program, *arguments]), stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, argv: list[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        inside = ["nsenter", f"--target={self.pid}", "--mount"]
        inside += [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return subprocess.run(
            [*inside, *argv],
            env=self._environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @staticmethod
    def _command(words: list[str]) -> list[str]:
        program = _PROGRAMS.get(words[0])
        return words if program is None else [sys.executable, "-m", program, *words[1:]]
