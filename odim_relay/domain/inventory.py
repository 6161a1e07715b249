"""
Which machine an address belongs to, and which machines belong together.

A *source* is an address that events come from, and the URI by which the controller in front of it knows the machine:
`/redfish/v1/Systems/{uuid}.{id}` as a rule. An *aggregate* is a named set of resources; who subscribes to it subscribes
to its elements.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from odim_relay.domain.address import address_key

_PSEUDO_HOST = re.compile(r"[A-Za-z]+Collection")
_DEVICE = re.compile(r"/redfish/v1/(?:systems|chassis|managers)/([^/.]+)\.[^/]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    Where events come from.

    Attributes:
        address: as `address_key` spells it.
        origin: URI of what it is, without a trailing slash.
    """

    address: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """
    Resources that belong together.

    Attributes:
        uri: `/redfish/v1/AggregationService/Aggregates/{id}`, without a trailing slash.
        elements: URIs without trailing slashes; with none it stands for nothing.
    """

    uri: str
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """
    What is known of sources and aggregates. Immutable: threads may share one.

    Attributes:
        origins: by address.
        aggregates: of each element, the URIs of the aggregates that it is in, ascending.
    """

    origins: Mapping[str, str] = field(default_factory=dict)
    aggregates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[Source], aggregates: Iterable[Aggregate]) -> Self:
        """
        Build one; of two sources of one address, or two aggregates of one URI, the later counts.
        """
        of_element: defaultdict[str, set[str]] = defaultdict(set)
        for aggregate in {one.uri: one for one in aggregates}.values():
            for element in aggregate.elements:
                of_element[element].add(aggregate.uri)
        return cls(
            origins={source.address: source.origin for source in sources},
            aggregates={element: tuple(sorted(uris)) for element, uris in of_element.items()},
        )

    @property
    def is_used(self) -> bool:
        """
        Whether any source is known. While none is, events count as what they say they are.
        """
        return bool(self.origins)

    def origin_of(self, address: str) -> str:
        """
        The URI of what an address belongs to, in any spelling and with or without a port; empty for an unknown one.
        """
        # As it comes it is right nearly always; the spelling costs more than the look-up.
        return self.origins.get(address) or self.origins.get(address_key(address), "")


EMPTY = Inventory()


def is_pseudo_host(source: str) -> bool:
    """
    Whether this is no address but the name that ODIM gives as the source of events of its own: `SystemsCollection`.
    """
    return _PSEUDO_HOST.fullmatch(source) is not None


def device_of(origin: str) -> str:
    """
    The id that the controller puts before a machine's own ids: `6d4a...` of `/redfish/v1/Systems/6d4a....1`; empty
    where the URI is not of that form.
    """
    match = _DEVICE.match(origin)
    return match[1] if match else ""
