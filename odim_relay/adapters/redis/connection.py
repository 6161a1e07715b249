"""
Connections to Redis, and what redis-py's exceptions mean to us.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)
from redis.retry import Retry
from redis.sentinel import Sentinel

from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.errors import ConfigurationError, PermanentError, TransientError

Client: TypeAlias = redis.Redis

_SHARED = ("_ledger", "_journal", "_backlog", "_destination", "_admission")
"""
What all scripts share, each part knowing those before it.
"""
_MAIN = "local function main()\n{own}\nend\nlocal result = main()\nwrite_sums()\nreturn result\n"
_SENTINEL_PORT = 26379
_REFUSED_FOR_NOW = ("LOADING", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "MISCONF", "TRYAGAIN", "UNBLOCKED")


def connect(url: str, *, ca_file: Path | None = None, timeout_s: float = 5.0, max_connections: int = 64) -> Client:
    """
    Make a client; no connection is opened yet.

    Args:
        url: `redis://`, `rediss://`, or `sentinel://host:port;host:port/db?master_name=name` as Celery spells it.
        timeout_s: of connecting and of each answer.

    Raises:
        ConfigurationError: the URL cannot be used.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "max_connections": max_connections,
        # One try: what is to be done after a failure is for the caller, who knows what is safe to repeat.
        "retry": Retry(NoBackoff(), 0),
    }
    scheme = url.partition("://")[0]
    if scheme == "sentinel":
        return _connect_by_sentinel(url, ca_file, options)
    if scheme not in {"redis", "rediss", "unix"}:
        raise ConfigurationError(
            f"REDIS__URL: {scheme!r} is not a scheme for it; use redis://, rediss:// or sentinel://"
        )
    if ca_file is not None and scheme == "rediss":
        options["ssl_ca_certs"] = str(ca_file)
    try:
        return redis.Redis.from_url(url, **options)
    except ValueError as exc:
        raise ConfigurationError(f"REDIS__URL cannot be read: {exc}") from exc


def _connect_by_sentinel(url: str, ca_file: Path | None, options: dict[str, Any]) -> Client:
    first, *others = url.split(";")
    tail = others[-1] if others else first
    parts = urlsplit(first if not others else f"sentinel://{tail.removeprefix('sentinel://')}")
    query = parse_qs(parts.query)
    name = query.get("master_name", [""])[0]
    if not name:
        raise ConfigurationError("REDIS__URL: a sentinel:// URL needs ?master_name=<name of the primary>")
    hosts = []
    for text in [first, *others]:
        host = urlsplit(text if "://" in text else f"sentinel://{text}")
        hosts.append((host.hostname or "", host.port or _SENTINEL_PORT))
    database = int(parts.path.strip("/") or 0)
    if query.get("ssl", ["false"])[0] == "true":
        options["ssl"] = True
        if ca_file is not None:
            options["ssl_ca_certs"] = str(ca_file)
    max_connections = options.pop("max_connections")
    sentinel = Sentinel(hosts, sentinel_kwargs={"socket_timeout": options["socket_timeout"]}, **options)
    client: Client = sentinel.master_for(
        name, db=database, max_connections=max_connections, password=parts.password, username=parts.username
    )
    return client


def text(value: bytes | str | None) -> str:
    """
    A reply as text; empty for nil.
    """
    return value.decode() if isinstance(value, bytes) else value or ""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """
    Turn redis-py's exceptions into ours; `what` was being done.
    """
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError) as exc:
        raise TransientError(f"Redis failed while {what}: {exc}") from exc
    except ResponseError as exc:
        if str(exc).startswith(_REFUSED_FOR_NOW) or "NOSCRIPT" in str(exc):
            raise TransientError(f"Redis refused while {what}: {exc}") from exc
        raise PermanentError(f"Redis did not understand us while {what}: {exc}") from exc
    except RedisError as exc:
        raise TransientError(f"Redis failed while {what}: {exc}") from exc


class Scripts:
    """
    The Lua scripts of this folder, on one server, under one key prefix and the same rules.
    """

    def __init__(self, client: Client, prefix: str, rules: LedgerRules | None = None) -> None:
        self.client = client
        self.prefix = prefix
        self.rules = rules or LedgerRules()
        self._digests: dict[str, str] = {}

    def run(self, name: str, *arguments: str | bytes | float) -> Any:
        """
        Run a script; it is loaded when the server does not know it (any more).

        Raises:
            TransientError: Redis cannot be reached or refuses for now.
            PermanentError: the script failed; a fault of ours.
        """
        with translated(f"running {name}"):
            digest = self._digests.get(name) or self._load(name)
            try:
                return self.client.execute_command("EVALSHA", digest, 1, self.prefix, *arguments)
            except NoScriptError:
                self._load(name)
                return self.client.execute_command("EVALSHA", digest, 1, self.prefix, *arguments)

    def source(self, name: str) -> str:
        """
        A script as it is loaded, with all that it shares.
        """
        folder = files("odim_relay.adapters.redis") / "scripts"
        shared = "".join((folder / f"{part}.lua").read_text() for part in _SHARED)
        own = (folder / f"{name}.lua").read_text()
        return f"{self.rules.as_lua()}{shared}{_MAIN.format(own=own)}"

    def _load(self, name: str) -> str:
        digest = str(self.client.script_load(self.source(name)))
        self._digests[name] = digest
        return digest


def refuse_cluster(client: Client) -> None:
    """
    Stop when the server is a Redis Cluster node (L34).

    Raises:
        ConfigurationError: it is one.
        TransientError: it cannot be reached.
    """
    with translated("asking for its mode"):
        mode = client.info("server").get("redis_mode")
    if mode == "cluster":
        raise ConfigurationError(
            "REDIS__URL is a Redis Cluster node: the ledger's scripts touch several keys and Celery has no transport "
            "for Cluster. Use a single primary, with replicas and Sentinel for fail-over"
        )
