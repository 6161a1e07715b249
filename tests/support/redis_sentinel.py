"""
A primary, its replica, and the Sentinel that fails over from the one to the other.
"""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

from tests.support.processes import LocalProcess, free_port
from tests.support.redis_server import RedisBinary, RedisServer, redis_binaries
from tests.support.waiting import wait_until

NAME = "primaryset"
_DOWN_AFTER_MS = 1_000


class Sentinel(LocalProcess):
    """
    One Sentinel, whose word is enough.
    """

    def __init__(self, folder: Path, primary: int, *, binary: RedisBinary | None = None) -> None:
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "sentinel.conf"
        configuration.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {primary} 1\n"
            f"sentinel down-after-milliseconds {NAME} {_DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {NAME} 10000\n"
        )
        path = (binary or redis_binaries()[0]).path
        super().__init__(f"sentinel-{self.port}", [path, str(configuration), "--sentinel"], folder)

    def is_ready(self) -> bool:
        return bool(self.told())

    def told(self) -> dict[str, Any]:
        """
        What it says of the primary; empty when it says nothing.
        """
        try:
            with redis.Redis(port=self.port, socket_timeout=1) as client:
                return dict(client.sentinel_master(NAME))
        except redis.RedisError:
            return {}


class Watched:
    """
    All three. `url` is how odim-relay is told of them.
    """

    def __init__(self, folder: Path) -> None:
        self.primary = RedisServer(folder / "primary")
        self.replica = RedisServer(folder / "replica")
        self.sentinel = Sentinel(folder / "sentinel", self.primary.port)

    @property
    def url(self) -> str:
        return f"sentinel://127.0.0.1:{self.sentinel.port}/0?master_name={NAME}"

    def __enter__(self) -> Self:
        self.primary.start()
        self.replica.start()
        with self.replica.client() as client:
            client.replicaof("127.0.0.1", str(self.primary.port))
        self.sentinel.start()
        wait_until(lambda: self.sentinel.told().get("num-slaves"), timeout_s=60, what="the Sentinel to see the replica")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for server in (self.sentinel, self.replica, self.primary):
            server.__exit__(kind, value, traceback)

    def wait_until_copied(self) -> None:
        """
        Until the replica has what the primary has.
        """
        with self.primary.client() as client:
            client.wait(1, 60_000)

    def fail_over(self) -> None:
        """
        Kill the primary, and wait until the replica is in its place.
        """
        self.primary.kill()
        wait_until(lambda: self._is_primary(self.replica), timeout_s=90, what="the replica to take over")

    @staticmethod
    def _is_primary(server: RedisServer) -> bool:
        try:
            with server.client() as client:
                return bool(client.info("replication")["role"] == "master")
        except redis.RedisError:  # who takes over drops the connections that it has
            return False
