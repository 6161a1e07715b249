"""
Servers that tests start on this machine: on a free port, in a folder of their own, ended whatever happens.
"""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import IO, Self

from tests.support.waiting import wait_until

GUARDIAN = Path(__file__).with_name("guardian.py")
LOG_TAIL_CHARS = 4_000

# Below the range from which Linux picks ports for outgoing connections (32768 and up): while a server is down, nobody
# is given its port, and no client connects to itself on it.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """
    A TCP port of 127.0.0.1 that nobody listens on, and that a server can have again after a restart.
    """
    random = SystemRandom()
    for _ in range(200):
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no free port between {PORTS.start} and {PORTS.stop}")


def accepts_connections(port: int) -> bool:
    """
    Whether something listens on this port of 127.0.0.1.
    """
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@cache
def guardian() -> IO[bytes]:
    """
    The pipe to the process that outlives this one and ends what it leaves behind: see guardian.py.

    It is told `+pid` and `-pid`, one per line, and acts when the pipe closes, which the kernel does even for a killed
    process. PR_SET_PDEATHSIG would follow the thread that started the server, not the process, and miss its children.
    """
    process = subprocess.Popen(
        [sys.executable, str(GUARDIAN)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the tests, not the guardian
    )
    assert process.stdin
    process.returncode = 0  # nobody waits for it: it ends after this process, and Popen shall not complain
    atexit.register(process.stdin.close)
    return process.stdin


def tell_guardian(line: str) -> None:
    pipe = guardian()
    pipe.write(f"{line}\n".encode())
    pipe.flush()


class LocalProcess:
    """
    One program in a process group of its own, with its output in `folder/name.log`. Subclasses say when it is ready.

    Construction starts nothing; `start` does, or entering it as a context, which also ends it. Signals other than
    SIGTERM go to the whole group: a worker's children stop, continue and die with it.
    """

    start_limit_s = 30.0
    terminate_limit_s = 10.0

    def __init__(self, name: str, argv: Sequence[str], folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.argv = [str(argument) for argument in argv]
        self.folder = folder
        self.env = {**os.environ, **(env or {})}
        self.log_path = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_offset = 0

    def is_ready(self) -> bool:
        """
        Whether it does its work now. Asked often while it starts, so it must be quick and must not raise.
        """
        return True

    def start(self) -> Self:
        """
        Starts it and returns when it is ready. Raises RuntimeError, with the log's tail, when it ends before or takes
        longer than `start_limit_s`; it does not run then.
        """
        self.launch()
        self.wait_ready()
        return self

    def launch(self) -> None:
        """
        Starts it without waiting.
        """
        if self.running:
            raise RuntimeError(f"{self.name} runs already")
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._log_offset = log.tell()
            self._process = subprocess.Popen(
                self.argv,
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        tell_guardian(f"+{self._process.pid}")

    def wait_ready(self) -> None:
        """
        Waits until it is ready; errors as `start`.
        """
        try:
            wait_until(lambda: not self.running or self.is_ready(), timeout_s=self.start_limit_s, what=self.name)
        except AssertionError as exc:
            self.kill()
            raise RuntimeError(f"{self.name} was not ready in {self.start_limit_s} s:\n{self.log_tail()}") from exc
        if not self.running:
            raise RuntimeError(f"{self.name} ended with {self.returncode} while starting:\n{self.log_tail()}")

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """
        Its exit status, negative for a signal; None while it runs.
        """
        return self._process.poll() if self._process else None

    def send_signal(self, number: int, *, group: bool = True) -> None:
        """
        Sends a signal to the group, or to the first process alone. Nothing happens when it is gone.
        """
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            elif self.running:
                os.kill(self.pid, number)

    def kill(self) -> None:
        """
        SIGKILL to the whole group, also when stopped; returns when it is dead. Idempotent.
        """
        if self._process is None:
            return
        self.send_signal(signal.SIGKILL)
        self._process.wait(self.terminate_limit_s)
        tell_guardian(f"-{self.pid}")

    def stop(self) -> None:
        """
        SIGSTOP: it hangs, its connections stay open.
        """
        self.send_signal(signal.SIGSTOP)

    def cont(self) -> None:
        """
        SIGCONT: it goes on after `stop`.
        """
        self.send_signal(signal.SIGCONT)

    def terminate(self, limit_s: float | None = None) -> int:
        """
        SIGTERM to the first process, as a supervisor would, and its exit status.

        Raises RuntimeError when it needs longer than the limit; it is killed then.
        """
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        limit_s = self.terminate_limit_s if limit_s is None else limit_s
        self.send_signal(signal.SIGTERM, group=False)
        try:
            returncode = self._process.wait(limit_s)
        except subprocess.TimeoutExpired as exc:
            raise RuntimeError(f"{self.name} runs {limit_s} s after SIGTERM:\n{self.log_tail()}") from exc
        finally:
            self.kill()  # what it left in its group, too
        return returncode

    def restart(self) -> None:
        """
        Ends it in good order when it runs, and starts it again on the same port and folder.
        """
        if self.running:
            self.terminate()
        self.start()

    def log(self, *, since_start: bool = False) -> str:
        """
        What it has written, in all or since it was last started.
        """
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(self._log_offset if since_start else 0)
            return log.read().decode(errors="replace")

    def log_tail(self) -> str:
        return self.log()[-LOG_TAIL_CHARS:]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
