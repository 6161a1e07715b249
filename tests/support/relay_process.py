"""
The product's processes, as a supervisor starts them.
"""

import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.processes import LocalProcess
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
_MODULES = {"odim-relay": "odim_relay", "celery": "celery"}


def procfile_command(name: str) -> list[str]:
    """
    What the Procfile says for a process, as arguments for Python.
    """
    commands = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    program, *arguments = shlex.split(commands[name])
    return ["-m", _MODULES[program], *arguments]


class RelayProcess(LocalProcess):
    """
    One process of the product; ready when its log has `ready`.
    """

    terminate_limit_s = 30.0

    def __init__(self, name: str, command: Sequence[str], folder: Path, env: Mapping[str, str], *, ready: str) -> None:
        super().__init__(name, [sys.executable, *command], folder, env={"PYTHONPATH": str(ROOT), **env})
        self._ready = ready

    def is_ready(self) -> bool:
        return self._ready in self.log(since_start=True)

    def lines(self, *names: str) -> list[dict[str, Any]]:
        """
        The log's lines of these events since the last start, in order.
        """
        signs = [f'"event": "{name}"' for name in names]
        lines = self.log(since_start=True).splitlines()
        return [json.loads(line) for line in lines if any(sign in line for sign in signs)]


def start_all(processes: Iterable[LocalProcess]) -> None:
    """
    Start them at the same time; returns when all are ready.
    """
    launched = list(processes)
    for process in launched:
        process.launch()
    for process in launched:
        process.wait_ready()


def wait_for_end(process: LocalProcess, timeout_s: float = 30) -> int | None:
    """
    Wait until it has ended by itself, and return its exit status.
    """
    wait_until(lambda: not process.running, timeout_s=timeout_s, what=f"{process.name} to end")
    return process.returncode
