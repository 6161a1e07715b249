"""
Everything that stands in a database of Redis, as one text.
"""

from typing import Any

import redis


def dump(client: redis.Redis) -> str:
    """
    Every key with its value, whatever its type.
    """
    parts: list[str] = []
    for key in client.scan_iter(count=1_000):
        parts.append(str(key))
        match client.type(key):
            case b"string":
                value: Any = client.get(key)
            case b"hash":
                value = client.hgetall(key)
            case b"list":
                value = client.lrange(key, 0, -1)
            case b"set":
                value = client.smembers(key)
            case b"zset":
                value = client.zrange(key, 0, -1, withscores=True)
            case b"stream":
                value = client.xrange(key)
            case _:  # it left meanwhile
                value = ""
        parts.append(str(value))
    return "\n".join(parts)
