"""
The account of a test: what was published, and what became of it.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Where Kafka keeps a record, and who is to get what is in it.

    Attributes:
        published_at: when Kafka had acknowledged it, seconds since the epoch.
    """

    partition: int
    offset: int
    wanted_by: tuple[str, ...]
    published_at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    What became of all that was published. Sets and mappings are by delivery id.

    Attributes:
        published: deliveries that had to be made: one per record and subscription that wants it.
        delivered: of these, how many were answered 2xx.
        doubled: 2xx answers beyond the first of each delivery.
        lost_ids: of those published, neither delivered nor parked.
        strange_ids: deliveries that nobody was to get.
        parked: reason by delivery.
        quarantined: records in quarantine.
    """

    published: int
    delivered: int
    doubled: int
    lost_ids: frozenset[str]
    strange_ids: frozenset[str]
    parked: Mapping[str, str]
    quarantined: int

    @property
    def lost(self) -> int:
        """
        How many were neither delivered nor parked.
        """
        return len(self.lost_ids)

    @property
    def strangers(self) -> int:
        """
        How many came that nobody was to get.
        """
        return len(self.strange_ids)

    def __str__(self) -> str:
        parked = dict(Counter(self.parked.values())) or 0
        return (
            f"published {self.published}, delivered {self.delivered}, lost {self.lost}, doubled {self.doubled}, "
            f"parked {parked}, quarantined {self.quarantined}, strangers {self.strangers}"
        )

    @property
    def is_perfect(self) -> bool:
        """
        Whether each delivery was made once, and nothing else was.
        """
        return self.delivered == self.published and not (
            self.lost or self.doubled or self.strangers or self.parked or self.quarantined
        )
