"""
A subscription's Destination: whether it can be sent to, and how it is told.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import urlsplit, urlunsplit

_NOT_IN_A_URI = re.compile(r'[^!-~]|[<>"{}|\\^`]')
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_PORT = re.compile(r"[0-9]{1,5}")
_HIGHEST_PORT = 65535
_LONGEST_HOST = 253
_BRACKETS = "has brackets that do not enclose an IPv6 address"


def check_destination(url: str) -> str | None:
    """
    Tell why `url` cannot be a Destination, in words that follow its name ("has no host"); None when it can.

    It must be an absolute http or https URL of RFC 3986 with a host, no user-info and no fragment. A host that ends
    in a number must be a full IPv4 address, for resolvers read `10.20` and `0x7f.1` each in a way of their own; IPv6
    stands in brackets. A name in other than ASCII is not translated: there are two ways to, which do not always agree
    (IDNA 2003 and 2008). Whether the address may be reached is not asked here.
    """
    return _check_characters(url) or _check_parts(url)


def without_secrets(url: str) -> str:
    """
    A URL without its user-info and query, for logs and listings.
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def without_user_info(url: str) -> str:
    """
    A URL without its user-info, for those who know its query already.
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def _check_characters(url: str) -> str | None:
    if not url:
        return "is empty"
    strange = _NOT_IN_A_URI.search(url)
    if strange:
        where = f"has the character {strange[0]!a} at position {strange.start()}, which no URL may have"
        if strange[0].isascii():
            return where
        return f"{where}; a host's name is given in its ASCII form (xn--...), all else percent-encoded"
    return "has a fragment (#), which is never sent" if "#" in url else None


def _check_parts(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return _BRACKETS
    if parts.scheme not in {"http", "https"}:
        return "does not begin with http:// or https://"
    if not parts.netloc:
        return "has no host"
    if "@" in parts.netloc:
        return "has user-info before its host; give credentials as HttpHeaders"
    return _check_authority(parts.netloc)


def _check_authority(authority: str) -> str | None:
    if authority.startswith("["):
        host, closed, rest = authority[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            return _BRACKETS
        return _check_ipv6(host) or (_check_port(rest[1:]) if rest else None)
    host, colon, port = authority.partition(":")
    if ":" in port:
        return "has more than one colon in its host; an IPv6 address stands in brackets"
    return _check_host(host) or (_check_port(port) if colon else None)


def _check_ipv6(host: str) -> str | None:
    try:
        IPv6Address(host)
    except AddressValueError:
        return _BRACKETS
    return None


def _check_host(host: str) -> str | None:
    if not host:
        return "has no host"
    # A dot at the end says that the name is complete.
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            IPv4Address(host)
        except AddressValueError:
            return "has a host that ends in a number and is no IPv4 address"
        return None
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        return "has a host that is no host name"
    return None


def _check_port(port: str) -> str | None:
    if _PORT.fullmatch(port) and 1 <= int(port) <= _HIGHEST_PORT:
        return None
    return f"has a port that is not 1 to {_HIGHEST_PORT}"
