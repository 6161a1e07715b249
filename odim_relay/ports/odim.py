"""
ODIM's own Redis, as far as event delivery needs it. Only read, never written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class OdimTables:
    """
    Its rows, as they stand there. Source: ODIM 23.08, lib-persistence-manager and svc-events.

    Attributes:
        subscriptions: members of `Subscription`.
        devices: members of `DeviceSubscription`.
        aggregate_hosts: members of `AggregateToHost`.
        aggregates: documents of the keys `Aggregate:{uri}`, by URI.
    """

    subscriptions: Sequence[str]
    devices: Sequence[str]
    aggregate_hosts: Sequence[str]
    aggregates: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OdimFacts:
    """
    What its server says of itself.

    Attributes:
        role: `master` where it is the primary; None when it does not tell.
        notifications: which keyspace notifications it sends, as `notify-keyspace-events` spells them; None when it does
            not tell.
        counts: rows of each sorted set.
    """

    role: str | None
    notifications: str | None
    counts: Mapping[str, int]


class OdimStore(Protocol):
    """
    ODIM's Redis.
    """

    def read(self) -> OdimTables:
        """
        Read all tables; the three sorted sets as of one moment.
        """
        ...

    def undelivered(self) -> Iterator[tuple[str, bytes]]:
        """
        Walk the events that ODIM could not deliver: key, value. Each once.
        """
        ...

    def undelivered_values(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """
        Read some of these events again, at most 500, by their keys and in that order; None for one that is gone.
        """
        ...

    def wait_for_change(self, at_most_s: float) -> bool:
        """
        Wait until something may have changed. False when nothing was heard of, which proves nothing. For one thread.
        """
        ...

    def ping(self) -> None:
        """
        Ask whether it is there.
        """
        ...

    def examine(self) -> OdimFacts:
        """
        Ask what it is, and how much it holds.
        """
        ...
