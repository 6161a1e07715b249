"""
Which addresses events may be sent to.

A subscriber names any URL, and we POST to it from inside the network: without a policy that reaches what only this host
or its cloud may reach (server-side request forgery). Private networks are allowed: that is where BMCs and their
managers live.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

Network: TypeAlias = IPv4Network | IPv6Network
_Address: TypeAlias = IPv4Address | IPv6Address

_FORBIDDEN: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "an unspecified address"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local, where clouds keep credentials"),
        ("100.100.100.200/32", "where a cloud keeps credentials"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved or broadcast"),
        ("::/128", "an unspecified address"),
        ("::1/128", "loopback"),
        ("fe80::/10", "link-local"),
        ("fd00:ec2::254/128", "where a cloud keeps credentials"),
        ("ff00::/8", "multicast"),
    )
)
# Of IPv6 nothing else is given out: what is not unicast for the world or for a site is reserved (RFC 4291, RFC 4193).
_UNICAST = (IPv6Network("2000::/3"), IPv6Network("fc00::/7"))

_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_6TO4 = IPv6Network("2002::/16")
_LOOPBACKS = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressPolicy:
    """
    What the operator says, over what is forbidden by default.

    Attributes:
        allow: wins over the defaults.
        deny: wins over everything.
    """

    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()

    def problem_with(self, address: str) -> str | None:
        """
        Tell why nothing may be sent to `address`, in words that follow it ("is loopback"); None when it may.

        An IPv6 address that stands for an IPv4 address (mapped, compatible, NAT64, 6to4) is as good as that: it would
        arrive there.

        Args:
            address: an IPv4 or IPv6 address, which may name its zone (`fe80::1%eth0`).
        """
        spelled = ip_address(address.partition("%")[0])
        meant = _meant_by(spelled)
        for form in (spelled, meant):
            denied = _first_with(form, self.deny)
            if denied is not None:
                return f"is in {denied}, which EGRESS__DENY forbids"
        if _first_with(meant, self.allow) is not None:
            return None
        what = _forbidden_as(meant)
        return None if what is None else f"is {what}, which EGRESS__ALLOW does not allow"


ANYWHERE = EgressPolicy(allow=(IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))
"""
Forbids nothing.
"""


def check_egress(url: str, policy: EgressPolicy) -> str | None:
    """
    Tell why nothing may be sent to a Destination, in words that follow its name; None when its host does not tell.

    Only what the URL itself says is judged: an address, or a name that means this host (RFC 6761, 6.3). Other names
    are looked up, and their addresses judged, when something is sent.

    Args:
        url: one that `check_destination` takes.
    """
    host = urlsplit(url).hostname or ""
    problems = [(address, policy.problem_with(address)) for address in _addresses_of(host)]
    if not problems or any(problem is None for _, problem in problems):
        return None
    address, problem = problems[0]
    return f"leads to {address}, which {problem}"


def _addresses_of(host: str) -> tuple[str, ...]:
    name = host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return _LOOPBACKS
    try:
        ip_address(name)
    except ValueError:
        return ()
    return (name,)


def _meant_by(address: _Address) -> _Address:
    """
    The IPv4 address that an IPv6 address stands for; else the address itself.
    """
    if isinstance(address, IPv4Address):
        return address
    number = int(address)
    if address in _6TO4:
        return IPv4Address(number >> 80 & 0xFFFF_FFFF)
    # :: and ::1 are addresses of their own.
    if address in _MAPPED or address in _NAT64 or (address in _COMPATIBLE and number > 1):
        return IPv4Address(number & 0xFFFF_FFFF)
    return address


def _forbidden_as(address: _Address) -> str | None:
    for network, what in _FORBIDDEN:
        if _is_in(address, network):
            return what
    if isinstance(address, IPv6Address) and not any(address in network for network in _UNICAST):
        return "reserved"
    return None


def _first_with(address: _Address, networks: Iterable[Network]) -> Network | None:
    return next((network for network in networks if _is_in(address, network)), None)


def _is_in(address: _Address, network: Network) -> bool:
    return address.version == network.version and address in network
