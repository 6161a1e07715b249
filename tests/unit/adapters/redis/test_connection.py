from pathlib import Path
from typing import Any

import pytest

from odim_relay.adapters.redis.connection import TlsFiles, connect
from odim_relay.errors import ConfigurationError

FILES = TlsFiles(ca=Path("ca.pem"), cert=Path("cert.pem"), key=Path("key.pem"))
NAMED = {"ssl_ca_certs": "ca.pem", "ssl_certfile": "cert.pem", "ssl_keyfile": "key.pem"}


def tls_of(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in NAMED}


def sentinel_options(url: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """
    How the servers are spoken to, and how the Sentinels.
    """
    pool: Any = connect(url, tls=FILES).connection_pool
    sentinels = [one.connection_pool for one in pool.sentinel_manager.sentinels]
    is_tls = "SSL" in pool.connection_class.__name__
    return (
        {"tls": is_tls, **tls_of(pool.connection_kwargs)},
        [{"tls": "SSL" in one.connection_class.__name__, **tls_of(one.connection_kwargs)} for one in sentinels],
    )


def test_files_are_for_tls_alone() -> None:
    assert tls_of(connect("rediss://h:1/0", tls=FILES).connection_pool.connection_kwargs) == NAMED
    assert tls_of(connect("redis://h:1/0", tls=FILES).connection_pool.connection_kwargs) == {}
    assert TlsFiles().options == {}


@pytest.mark.parametrize(
    ("query", "server", "sentinel"),
    [
        ("", False, False),
        ("&ssl=true", True, False),
        ("&sentinel_ssl=true", False, True),
        ("&ssl=true&sentinel_ssl=true", True, True),
    ],
)
def test_servers_and_sentinels_are_each_spoken_to_as_the_url_says(query: str, server: bool, sentinel: bool) -> None:
    to_server, to_sentinels = sentinel_options(f"sentinel://:secret@a:1;b:2/3?master_name=m{query}")
    assert to_server == ({"tls": True, **NAMED} if server else {"tls": False})
    assert to_sentinels == [{"tls": True, **NAMED} if sentinel else {"tls": False}] * 2


@pytest.mark.parametrize(
    "url",
    [
        "http://h/",
        "redis://h:port/0",
        "redis://h:1/0?socket_timeout=x",
        "sentinel://h:1/0",
        "sentinel://h:port/0?master_name=m",
        "sentinel://a:1;b:port/0?master_name=m",
        "sentinel://h:1/zero?master_name=m",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_its_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^ODIM__REDIS_URL"):
        connect(url, setting="ODIM__REDIS_URL")
