"""
pytest-celery's nodes over processes of this machine instead of containers: the same tests, where no engine runs.

A test module takes them by defining pytest-celery's fixtures: see tests/integration/test_celery_nodes.py.
"""

import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from celery import Celery
from pytest_celery import CeleryTestBroker, CeleryTestWorker

from tests.support.processes import LocalProcess
from tests.support.redis_server import RedisServer

ROOT = Path(__file__).parents[2]


class CeleryWorker(LocalProcess):
    """
    `celery -A app worker` of a checkout: ready in 0.4 s, when it consumes. SIGTERM is its warm shutdown.
    """

    terminate_limit_s = 30.0

    def __init__(
        self,
        folder: Path,
        app: str = "odim_relay",
        *,
        queues: Sequence[str] = ("deliveries",),
        name: str = "worker",
        pool: str = "threads",
        concurrency: int = 4,
        env: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.hostname = f"{name}@{socket.gethostname()}"
        self.queues = tuple(queues)
        command = [sys.executable, "-m", "celery", "-A", app, "worker", "--hostname", self.hostname]
        options = ["--queues", ",".join(queues), "--pool", pool, "--concurrency", str(concurrency)]
        quiet = ["--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        super().__init__(
            name, [*command, *options, *quiet, *arguments], folder, env={"PYTHONPATH": str(ROOT), **(env or {})}
        )

    def is_ready(self) -> bool:
        return f"{self.hostname} ready." in self.log(since_start=True)


class LocalContainer:
    """
    What pytest-celery's nodes ask of a container, answered by a process that has been started.
    """

    def __init__(self, process: LocalProcess) -> None:
        self.process = process
        self.name = process.name
        self.id = process.name

    @property
    def status(self) -> str:
        return "running" if self.process.running else "exited"

    @property
    def celeryconfig(self) -> dict[str, Any]:
        return {}

    def ready(self) -> bool:
        self.process.wait_ready()
        return True

    def logs(self) -> str:
        return self.process.log()

    def kill(self, signal: str | int = "SIGKILL") -> None:
        """
        Sends the signal, as `docker kill` does: SIGTERM to the first process, SIGKILL, SIGSTOP and SIGCONT to all.
        """
        number = signal_number(signal)
        if number == SIGKILL:
            self.process.kill()
        else:
            self.process.send_signal(number, group=number in FOR_ALL)

    def restart(self, timeout: float | None = None) -> None:
        """
        Starts it again; ends it first, in good order, when it runs.
        """
        if self.process.running:
            self.process.terminate(timeout)
        self.process.start()

    def reload(self) -> None:
        """
        Nothing is remembered that could be out of date.
        """

    def teardown(self) -> None:
        self.process.kill()


SIGKILL = signal.SIGKILL
FOR_ALL = (signal.SIGSTOP, signal.SIGCONT)


def signal_number(name_or_number: str | int) -> signal.Signals:
    return signal.Signals[name_or_number] if isinstance(name_or_number, str) else signal.Signals(name_or_number)


class RedisContainer(LocalContainer):
    """
    A broker's: database 1, as the product's default.
    """

    def __init__(self, server: RedisServer) -> None:
        super().__init__(server)
        self.server = server

    @property
    def celeryconfig(self) -> dict[str, Any]:
        url = self.server.url(database=1)
        return {"url": url, "host_url": url, "hostname": "127.0.0.1", "port": self.server.port, "vhost": "1"}


class WorkerContainer(LocalContainer):
    """
    A worker's.
    """

    def __init__(self, worker: CeleryWorker) -> None:
        super().__init__(worker)
        self.worker = worker

    def worker_name(self) -> str:
        return self.worker.name

    def worker_queue(self) -> str:
        return self.worker.queues[0]

    def log_level(self) -> str:
        return "INFO"

    def version(self) -> str:
        return version("celery")


class LocalRedisBroker(CeleryTestBroker):  # type: ignore[misc] # pytest-celery has no types
    """
    A Redis that has been started, as pytest-celery's broker.
    """

    def __init__(self, server: RedisServer) -> None:
        super().__init__(RedisContainer(server))


class LocalWorker(CeleryTestWorker):  # type: ignore[misc] # as above
    """
    A worker that has been started, as pytest-celery's worker.
    """

    def __init__(self, worker: CeleryWorker, app: Celery) -> None:
        super().__init__(WorkerContainer(worker), app)

    def hostname(self) -> str:
        return str(self.container.worker.hostname)
