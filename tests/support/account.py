"""
The account of a test: what was published, and what became of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Where Kafka keeps a record, and who is to get what is in it.
    """

    partition: int
    offset: int
    wanted_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    What became of all that was published. Sets and mappings are by delivery id.

    Attributes:
        published: deliveries that had to be made: one per record and subscription that wants it.
        delivered: of these, how many were answered 2xx.
        lost: of these, neither delivered nor parked.
        doubled: 2xx answers beyond the first of each delivery.
        strangers: deliveries that nobody was to get.
        parked: reason by delivery.
        quarantined: records in quarantine.
    """

    published: int
    delivered: int
    lost: frozenset[str]
    doubled: int
    strangers: frozenset[str]
    parked: Mapping[str, str]
    quarantined: int

    @property
    def is_perfect(self) -> bool:
        """
        Whether each delivery was made once, and nothing else was.
        """
        return self.delivered == self.published and not (
            self.lost or self.doubled or self.strangers or self.parked or self.quarantined
        )
