"""
Addresses of machines, in the one spelling by which they are compared.
"""

import re
from ipaddress import IPv6Address, ip_address

_NUMBER = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}){{3}}")


def host_of(address: str) -> str:
    """
    An address without its port, as it is spelled otherwise: `host`, `host:port`, `[v6]:port`, `[v6]` or `v6`. What is
    none of these (a URL) comes back as it is.
    """
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, colon, port = address.partition(":")
    # More than one colon: an IPv6 address without brackets, and so without a port.
    return host if colon and (not port or port.isdecimal()) else address


def address_key(address: str) -> str:
    """
    The one spelling of an address or a name, with or without a port: equal for what means the same machine.

    IPv6 is compressed, in lower case and without its zone; IPv6 that holds an IPv4 address (`::ffff:10.0.0.1`) is that
    one; names are in lower case, without a dot at their end. Empty for what is neither: with white space, or nothing.
    """
    if _IPV4.fullmatch(address):
        return address  # nearly all are; the general way costs ten times as much
    host = host_of(address.strip())
    try:
        number = ip_address(host.partition("%")[0])
    except ValueError:
        name = host.lower().removesuffix(".")
        return "" if any(letter.isspace() or letter in "|/[]" for letter in name) else name
    if isinstance(number, IPv6Address) and number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return str(number)
