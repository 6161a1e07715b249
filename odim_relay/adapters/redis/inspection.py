"""
What a Redis server says of itself.
"""

from typing import Any

from redis.exceptions import ResponseError

from odim_relay.adapters.redis.connection import Client, translated
from odim_relay.ports import RedisFacts


def inspect_redis(client: Client, *, is_behind_sentinel: bool) -> RedisFacts:
    """
    Ask the server.

    Raises:
        TransientError: it cannot be reached.
    """
    with translated("asking what it is"):
        told: Any = client.info()
        return RedisFacts(
            version=tuple(int(part) for part in str(told["redis_version"]).split(".") if part.isdecimal()),
            is_cluster=told.get("redis_mode") == "cluster",
            is_behind_sentinel=is_behind_sentinel,
            role=str(told.get("role", "")),
            appendonly=_config(client, "appendonly"),
            appendfsync=_config(client, "appendfsync"),
            maxmemory_policy=_config(client, "maxmemory-policy"),
            min_replicas_to_write=None if (count := _config(client, "min-replicas-to-write")) is None else int(count),
        )


def maxmemory_bytes(client: Client) -> int:
    """
    Read the server's memory limit; 0 is none, or one that it does not tell.

    Raises:
        TransientError: it cannot be reached.
    """
    with translated("asking for its memory limit"):
        return int(_config(client, "maxmemory") or 0)


def _config(client: Client, name: str) -> str | None:
    try:
        told: Any = client.config_get(name)
    except ResponseError:  # managed servers know no CONFIG
        return None
    value = told.get(name)
    return None if value is None else str(value)
