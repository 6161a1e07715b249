"""
Sources and aggregates as people give them: in the one spelling in which they are kept, or what is wrong with them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from odim_relay.domain.address import address_key, host_of
from odim_relay.domain.inventory import Aggregate, Source, is_pseudo_host

AGGREGATES = "/redfish/v1/AggregationService/Aggregates"
LONGEST_ADDRESS = 255
LONGEST_URI = 4_096
MOST_ELEMENTS = 10_000
"""
Of one aggregate.
"""

_PORT = re.compile(r"(?::[0-9]{1,5})?")
_NAME = re.compile(r"[\w.-]+")
_NUMBERS = re.compile(r"[\d.]+")
_RESOURCE = re.compile(r"/redfish/v1/[^/]+/[^/].*")
_SHOWN = 80


class Member(StrEnum):
    """
    A member of an entry, by the name that people have for it.
    """

    ADDRESS = "address"
    SYSTEM = "system"
    AGGREGATE = "aggregate"
    ELEMENTS = "elements"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    What about an entry cannot be.

    Attributes:
        problem: in words that follow the member's name.
        value: that is wrong, not all of a long one.
        index: of the element that is meant.
    """

    member: Member
    problem: str
    value: str
    index: int | None = None

    def __str__(self) -> str:
        return f"{self.member} {self.problem}"


def read_source(address: str, system: str) -> Source | Fault:
    """
    The source that an address, in any spelling, and the URI of what it belongs to make; else what is wrong first.
    """
    key = read_address(address)
    if isinstance(key, Fault):
        return key
    problem = _wrong_with_uri(system)
    if problem:
        return Fault(member=Member.SYSTEM, problem=problem, value=system[:_SHOWN])
    return Source(address=key, origin=_plain(system))


def read_address(address: str) -> str | Fault:
    """
    An address or a name in the spelling by which it is kept. A port does not count, nor does a dot at the end.
    """
    problem = _wrong_with_address(address)
    return Fault(member=Member.ADDRESS, problem=problem, value=address[:_SHOWN]) if problem else address_key(address)


def _wrong_with_address(address: str) -> str:
    key = address_key(address)
    text = address.strip()
    host = host_of(text)
    behind = text.partition("]")[2] if text.startswith("[") else text[len(host) :]
    why = ""
    if not key:
        why = "is none: give a name, an IPv4 or an IPv6 address, with or without a port"
    elif len(key) > LONGEST_ADDRESS:
        why = f"is longer than {LONGEST_ADDRESS} characters"
    elif not _PORT.fullmatch(behind):
        why = "is none: only a port may follow a host, as in bmc7:443 and [fe80::1]:443"
    elif _NUMBERS.fullmatch(key) and not _is_number(key):
        why = "is none: an IPv4 address is four numbers up to 255"
    elif not _NAME.fullmatch(key) and not _is_number(key):
        why = "is none: a name has letters, digits, dots, hyphens and underscores"
    elif is_pseudo_host(host):
        why = "is none: ODIM calls itself so in events of its own, which need no entry"
    return f"{_shown(address)} {why}" if why else ""


def _is_number(key: str) -> bool:
    try:
        ip_address(key)
    except ValueError:
        return False
    return True


def read_aggregate(name: str, elements: Iterable[str]) -> Aggregate | Fault:
    """
    The aggregate of this id or URI, with each element once; else what is wrong first.
    """
    uri = read_aggregate_uri(name)
    if isinstance(uri, Fault):
        return uri
    plain: dict[str, None] = {}
    for index, element in enumerate(elements):
        problem = _wrong_with_uri(element)
        if problem:
            return Fault(member=Member.ELEMENTS, problem=problem, value=element[:_SHOWN], index=index)
        plain[_plain(element)] = None
    if len(plain) > MOST_ELEMENTS:
        problem = f"are {len(plain)}; {MOST_ELEMENTS} are the most"
        return Fault(member=Member.ELEMENTS, problem=problem, value=str(len(plain)))
    return Aggregate(uri=uri, elements=tuple(plain))


def read_aggregate_uri(name: str) -> str | Fault:
    """
    The URI of an aggregate that is named by its id or its URI.
    """
    id_ = _plain(name).removeprefix(f"{AGGREGATES}/")
    if not id_ or "/" in id_ or id_ != id_.strip() or not id_.isprintable() or len(id_) > LONGEST_ADDRESS:
        problem = f"{_shown(name)} is none: give its id, or its URI {AGGREGATES}/ID"
        return Fault(member=Member.AGGREGATE, problem=problem, value=name[:_SHOWN])
    return f"{AGGREGATES}/{id_}"


def _wrong_with_uri(uri: str) -> str:
    if len(uri) > LONGEST_URI:
        return f"{_shown(uri)} is longer than {LONGEST_URI} characters"
    if not uri.isprintable() or uri.split() != [uri] or not _RESOURCE.fullmatch(_plain(uri)):
        return f"{_shown(uri)} is none: give the URI of a resource, as /redfish/v1/Systems/UUID.1"
    return ""


def _plain(uri: str) -> str:
    return uri.removesuffix("/")


def _shown(value: str) -> str:
    return repr(value[:_SHOWN])
