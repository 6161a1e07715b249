"""
What the figures were taken on.
"""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version

from tests.support.redis_server import redis_binaries


def describe() -> str:
    """
    Two lines: the machine, the versions.
    """
    load = os.getloadavg()[0]
    cores = len(os.sched_getaffinity(0))
    packages = ", ".join(f"{name} {version(name)}" for name in ("celery", "kombu", "redis", "requests"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cores} cores, {platform.machine()}, load before {load:.1f}\n"
        f"Python {platform.python_version()}, {packages}; server {redis_binaries()[0]}"
    )
