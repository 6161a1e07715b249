"""
What a Redis server says of itself.
"""

import time
from statistics import median
from typing import Any

from redis.exceptions import ResponseError

from odim_relay.adapters.redis.connection import Client, translated
from odim_relay.ports import RedisCondition, RedisFacts

_TIMES = 9


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


def inspect_condition(client: Client) -> RedisCondition:
    """
    Ask the server how it does.

    Raises:
        TransientError: it cannot be reached.
    """
    with translated("asking how it does"):
        told: Any = client.info()
        took_ms, ahead_ms = zip(*(_ask_for_the_time(client) for _ in range(_TIMES)), strict=True)
        return RedisCondition(
            maxmemory_bytes=_number(client, "maxmemory"),
            used_bytes=int(told.get("used_memory", 0)),
            host_bytes=int(told.get("total_system_memory", 0)),
            evicted_count=int(told.get("evicted_keys", 0)),
            aof_write=str(told.get("aof_last_write_status", "ok")),
            aof_rewrite=str(told.get("aof_last_bgrewrite_status", "ok")),
            client_count=int(told.get("connected_clients", 0)),
            most_clients=_number(client, "maxclients"),
            hz=_number(client, "hz"),
            answer_ms=median(took_ms),
            # The quickest answer tells the time best.
            ahead_ms=min(zip(took_ms, ahead_ms, strict=True))[1],
        )


def _ask_for_the_time(client: Client) -> tuple[float, float]:
    asked_s, began_s = time.time(), time.monotonic()
    seconds, microseconds = client.time()
    took_s = time.monotonic() - began_s
    return took_s * 1000, (int(seconds) + int(microseconds) / 1e6 - asked_s - took_s / 2) * 1000


def _number(client: Client, name: str) -> int | None:
    found = _config(client, name)
    return None if found is None else int(found)


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
