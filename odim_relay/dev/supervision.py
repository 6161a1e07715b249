"""
supervisord: starts the processes of a stack, starts again what dies, stops all of it.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from odim_relay.dev.data_dir import DataDir
from odim_relay.dev.programs import Program, leashed, supervisor_config

_LONGEST_SOCKET = 85
_FALLS = 3
_DO_NOT_WAIT = False


@dataclass(slots=True)
class _Falls:
    """
    How often a program was started and fell at once.
    """

    starts: set[int] = field(default_factory=set)


class Supervision:
    """
    One supervisord and its programs.
    """

    def __init__(self, data_dir: DataDir, programs: Iterable[Program]) -> None:
        self._data_dir = data_dir
        self._programs = list(programs)
        self._folder = data_dir.path
        if len(str(self._folder)) > _LONGEST_SOCKET:
            # A socket's path has at most 107 characters.
            self._folder = Path(tempfile.mkdtemp(prefix="odim-relay-"))
        self._socket = self._folder / "supervisor.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._falls: dict[str, _Falls] = {}

    def start(self, *, keep_open: Iterable[int] = ()) -> None:
        """
        Start supervisord, which starts nothing by itself. It ends in good order if this process is killed (Linux).

        Call it in the main thread: the kernel watches the thread that started it.

        Args:
            keep_open: file descriptors that it holds as long as it lives.
        """
        config = self._data_dir.path / "supervisord.conf"
        config.write_text(
            supervisor_config(self._programs, folder=self._data_dir.path, logs=self._data_dir.logs, socket=self._socket)
        )
        command = (sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config))
        environ = dict(os.environ)
        environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
        with self._data_dir.log("supervisord.out").open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                leashed(command, signal.SIGTERM, parent=os.getpid()),
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us, who then stop it in good order
                pass_fds=tuple(keep_open),
            )

    @property
    def is_running(self) -> bool:
        """
        Whether supervisord lives.
        """
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        """
        Whether supervisord can be asked already.
        """
        try:
            return bool(self._ask("getState"))
        except (OSError, HTTPException, Fault):
            return False

    def start_group(self, name: str) -> None:
        """
        Start the programs of a group, without waiting for them.
        """
        self._ask("startProcessGroup", name, _DO_NOT_WAIT)

    def states(self) -> dict[str, str]:
        """
        The state of each program, as supervisord names it: STOPPED, STARTING, RUNNING, BACKOFF, EXITED, FATAL...
        """
        found: list[dict[str, Any]] = self._ask("getAllProcessInfo")
        for info in found:
            if info["statename"] == "BACKOFF":
                self._falls.setdefault(info["name"], _Falls()).starts.add(info["start"])
        return {info["name"]: info["statename"] for info in found}

    def fallen(self) -> str | None:
        """
        A program that fell several times in a row right after its start, as seen by `states`; None when none did.
        """
        states = self.states()
        for name, state in states.items():
            if state == "FATAL" or (state == "BACKOFF" and len(self._falls[name].starts) >= _FALLS):
                return name
            if state == "RUNNING":
                self._falls.pop(name, None)
        return None

    def stop(self) -> None:
        """
        Stop all programs, first those of the relay, then the stores; return when they are gone. Idempotent.
        """
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        self._process.wait()
        if self._folder != self._data_dir.path:
            with suppress(OSError):
                self._folder.rmdir()

    def kill(self) -> None:
        """
        End everything at once: without supervisord its programs are killed by the kernel (Linux).
        """
        if self._process is not None:
            self._process.kill()

    def _ask(self, method: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self._socket}")
        with ServerProxy("http://127.0.0.1", transport=transport) as server:
            return getattr(server.supervisor, method)(*arguments)
