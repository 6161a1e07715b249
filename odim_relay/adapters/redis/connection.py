"""
Connections to Redis, and what redis-py's exceptions mean to us.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """
    What TLS needs, PEM.

    Attributes:
        ca: certificates that the server is verified against; None is the system's.
        cert, key: our own certificate and its key, for servers that ask for one.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def options(self) -> dict[str, str]:
        """
        As redis-py names them.
        """
        named = {"ssl_ca_certs": self.ca, "ssl_certfile": self.cert, "ssl_keyfile": self.key}
        return {name: str(path) for name, path in named.items() if path is not None}


NO_FILES = TlsFiles()


def connect(
    url: str,
    *,
    tls: TlsFiles = NO_FILES,
    timeout_s: float = 5.0,
    max_connections: int = 64,
    setting: str = "REDIS__URL",
) -> Client:
    """
    Make a client of the primary; no connection is opened yet.

    Args:
        url: `redis://`, `rediss://`, or `sentinel://host:port;host:port/db?master_name=name` as Celery spells it; with
            `ssl=true` the servers are spoken to by TLS, with `sentinel_ssl=true` the Sentinels.
        timeout_s: of connecting and of each answer.
        setting: where the URL comes from, for the error.

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
    if scheme not in {"redis", "rediss", "unix", "sentinel"}:
        raise ConfigurationError(
            f"{setting}: {scheme!r} is not a scheme for it; use redis://, rediss:// or sentinel://"
        )
    if scheme == "rediss":
        options |= tls.options
    try:
        if scheme == "sentinel":
            return _connect_by_sentinel(url, tls, options, setting)
        return redis.Redis.from_url(url, **options)
    except ValueError as exc:
        raise ConfigurationError(f"{setting} cannot be read: {exc}") from exc


def _connect_by_sentinel(url: str, tls: TlsFiles, options: dict[str, Any], setting: str) -> Client:
    first, *others = url.split(";")
    tail = others[-1] if others else first
    parts = urlsplit(first if not others else f"sentinel://{tail.removeprefix('sentinel://')}")
    query = parse_qs(parts.query)
    name = query.get("master_name", [""])[0]
    if not name:
        raise ConfigurationError(f"{setting}: a sentinel:// URL needs ?master_name=<name of the primary>")
    hosts = []
    for text in [first, *others]:
        host = urlsplit(text if "://" in text else f"sentinel://{text}")
        hosts.append((host.hostname or "", host.port or _SENTINEL_PORT))
    database = int(parts.path.strip("/") or 0)
    by_tls: dict[str, Any] = {"ssl": True, **tls.options}
    to_sentinels: dict[str, Any] = {"socket_timeout": options["socket_timeout"]}
    if query.get("sentinel_ssl", ["false"])[0] == "true":
        to_sentinels |= by_tls
    if query.get("ssl", ["false"])[0] == "true":
        options |= by_tls
    max_connections = options.pop("max_connections")
    sentinel = Sentinel(hosts, sentinel_kwargs=to_sentinels, **options)
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
