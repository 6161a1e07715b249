"""
The proxy that requests go out through, and which do not.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import unquote, urlsplit

_NAME = re.compile(r"\.?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_NOT_IN_A_URI = re.compile(r"[^!-~]")


class ProxyKind(StrEnum):
    """
    How a proxy is spoken to. With SOCKS5H it looks names up itself, with SOCKS5 we do.
    """

    HTTP = "http"
    HTTPS = "https"
    SOCKS5 = "socks5"
    SOCKS5H = "socks5h"


_DEFAULT_PORTS = {ProxyKind.HTTP: 80, ProxyKind.HTTPS: 443, ProxyKind.SOCKS5: 1080, ProxyKind.SOCKS5H: 1080}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """
    A proxy. Its text is without the credentials, which are secrets.
    """

    kind: ProxyKind
    host: str
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def is_http(self) -> bool:
        """
        Tell whether it takes HTTP requests: those for http:// destinations as they are, others by CONNECT.
        """
        return self.kind in {ProxyKind.HTTP, ProxyKind.HTTPS}

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"


def read_proxy(url: str) -> Proxy:
    """
    Read a proxy's URL: `scheme://[user:password@]host[:port]`, the credentials percent-encoded where they must be.

    Raises:
        ValueError: it is none; the message never has the URL in it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the proxy's URL has a host or port that cannot be read") from None
    if _NOT_IN_A_URI.search(url):
        raise ValueError("the proxy's URL has a character that no URL may have")
    if parts.scheme not in tuple(ProxyKind):
        schemes = ", ".join(f"{kind}://" for kind in ProxyKind)
        raise ValueError(f"a proxy's URL begins with one of {schemes}")
    if not host:
        raise ValueError("the proxy's URL has no host")
    if port == 0:
        raise ValueError("the proxy's URL has the port 0")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("the proxy's URL has something after its host; what is special in a password is %-encoded")
    kind = ProxyKind(parts.scheme)
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if password and not username:
        raise ValueError("the proxy's URL has a password and no user")
    if ":" in username and kind in {ProxyKind.HTTP, ProxyKind.HTTPS}:
        raise ValueError("the proxy's user has a colon in it, which Basic authentication cannot carry")
    if max(len(username.encode()), len(password.encode())) > 255:  # noqa: PLR2004 - RFC 1929
        raise ValueError("the proxy's user or password is longer than 255 bytes")
    return Proxy(kind=kind, host=host, port=port or _DEFAULT_PORTS[kind], username=username, password=password)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoProxy:
    """
    Which hosts are gone to directly.

    Attributes:
        names: lower-case; `example.com` is that name and what is below it, `.example.com` only what is below it.
        networks: of hosts that are given by address. Names are not looked up for this.
    """

    is_everything: bool = False
    names: tuple[str, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def has(self, host: str) -> bool:
        """
        Tell whether `host`, a name or an address without brackets, is gone to directly.
        """
        if self.is_everything:
            return True
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            name = host.lower().removesuffix(".")
            return any(name == one or name.endswith(one if one[0] == "." else f".{one}") for one in self.names)
        return any(address.version == network.version and address in network for network in self.networks)


def read_no_proxy(entries: Iterable[str]) -> NoProxy:
    """
    Read names (a leading dot: only what is below it), addresses, networks in CIDR, and `*` for all.

    Raises:
        ValueError: one of them is none of these.
    """
    names: list[str] = []
    networks: list[IPv4Network | IPv6Network] = []
    is_everything = False
    for entry in entries:
        if entry == "*":
            is_everything = True
            continue
        try:
            networks.append(ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            if not _NAME.fullmatch(entry):
                problem = f"{entry!r} is no host name, address, network or *; it has no port and no scheme"
                raise ValueError(problem) from None
            names.append(entry.lower())
    return NoProxy(is_everything=is_everything, names=tuple(names), networks=tuple(networks))
