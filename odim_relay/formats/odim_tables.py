"""
ODIM's tables, all of them together: what they say, and what of them says nothing.

* Of two rows for one address the lexically first counts; of two subscriptions with one id likewise.
* `AggregateToHost` counts only for an aggregate that has no document of its own, which is what ODIM itself goes by. Its
  addresses stand for the machines that `DeviceSubscription` knows them as.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from odim_relay.domain.address import address_key
from odim_relay.domain.inventory import Aggregate
from odim_relay.domain.inventory_entries import AGGREGATES
from odim_relay.formats.odim_rows import (
    RowFlaw,
    aggregate_of,
    read_aggregate_document,
    read_aggregate_hosts,
    read_device,
)
from odim_relay.formats.odim_subscriptions import SubscriptionRow, read_subscription

NO_SOURCES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class OdimView:
    """
    What ODIM's tables say.

    Attributes:
        subscriptions: by our id.
        sources: URI of the machine, by address as `address_key` spells it.
        aggregates: URIs of the elements, by the URI of the aggregate.
        flaws: of each row or part of one that is not used, and of each aggregate that is and stands for nothing.
    """

    subscriptions: Mapping[str, SubscriptionRow] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    aggregates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flaws: tuple[RowFlaw, ...] = ()

    @property
    def skipped(self) -> dict[str, int]:
        """
        How many flaws there are, by reason, in the order of the alphabet.
        """
        return dict(sorted(Counter(flaw.reason for flaw in self.flaws).items()))


def read_tables(
    *,
    subscriptions: Iterable[str],
    devices: Iterable[str],
    aggregate_hosts: Iterable[str],
    aggregates: Mapping[str, str],
    known_sources: Mapping[str, str] = NO_SOURCES,
) -> OdimView:
    """
    Read all tables, each as `OdimTables` has it; never raises, and no row keeps another from being read.

    Args:
        known_sources: machines that aggregates may hold besides those in `devices`, by address.

    Beside the flaws of `odim_rows` and `odim_subscriptions` there are `second_row_of_id`, `second_row_of_address`,
    `second_row_of_aggregate` and `unknown_host_in_aggregate`. A second row that says the same as the first is no flaw.
    """
    flaws: list[RowFlaw] = []
    rows = _subscriptions(subscriptions, flaws)
    sources = _sources(devices, flaws)
    return OdimView(
        subscriptions=rows,
        sources=sources,
        aggregates={
            **_aggregates_by_host(aggregate_hosts, {**known_sources, **sources}, _ids(aggregates), flaws),
            **_aggregates(aggregates, flaws),
        },
        flaws=tuple(flaws),
    )


def _subscriptions(members: Iterable[str], flaws: list[RowFlaw]) -> dict[str, SubscriptionRow]:
    found: dict[str, SubscriptionRow] = {}
    for member in sorted(members):
        row = read_subscription(member)
        if isinstance(row, RowFlaw):
            flaws.append(row)
        elif (first := found.setdefault(row.subscription.subscription_id, row)) != row:
            detail = f"{row.odim_id}: the row for {first.subscription.destination[:80]!r} counts"
            flaws.append(RowFlaw(reason="second_row_of_id", detail=detail))
    return found


def _sources(members: Iterable[str], flaws: list[RowFlaw]) -> dict[str, str]:
    found: dict[str, str] = {}
    for member in sorted(members):
        source = read_device(member)
        if isinstance(source, RowFlaw):
            flaws.append(source)
        elif source is not None and (first := found.setdefault(source.address, source.origin)) != source.origin:
            detail = f"{source.address}: is {first} already, and not {source.origin}"
            flaws.append(RowFlaw(reason="second_row_of_address", detail=detail))
    return found


def _aggregates(documents: Mapping[str, str], flaws: list[RowFlaw]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for uri, document in sorted(documents.items()):
        _keep(read_aggregate_document(uri, document), found, flaws)
    return found


def _aggregates_by_host(
    members: Iterable[str], sources: Mapping[str, str], known: frozenset[str], flaws: list[RowFlaw]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for member in sorted(members):
        row = read_aggregate_hosts(member)
        if isinstance(row, RowFlaw):
            flaws.append(row)
        elif row[0] not in known:
            elements = list(_machines(*row, sources, flaws))
            _keep(aggregate_of(row[0], elements), found, flaws)
    return found


def _machines(id_: str, addresses: Iterable[str], sources: Mapping[str, str], flaws: list[RowFlaw]) -> Iterator[str]:
    for address in addresses:
        origin = sources.get(address_key(address))
        if origin is None:
            detail = f"{id_[:80]!r}: no machine is known at {address[:80]!r}"
            flaws.append(RowFlaw(reason="unknown_host_in_aggregate", detail=detail))
        else:
            yield origin


def _keep(
    read: tuple[Aggregate | None, Iterable[RowFlaw]], found: dict[str, tuple[str, ...]], flaws: list[RowFlaw]
) -> None:
    aggregate, faults = read
    flaws.extend(faults)
    if aggregate is not None and found.setdefault(aggregate.uri, aggregate.elements) != aggregate.elements:
        detail = f"{aggregate.uri}: has other elements in an earlier row"
        flaws.append(RowFlaw(reason="second_row_of_aggregate", detail=detail))


def _ids(documents: Mapping[str, str]) -> frozenset[str]:
    return frozenset(uri.rstrip("/").removeprefix(f"{AGGREGATES}/") for uri in documents)
