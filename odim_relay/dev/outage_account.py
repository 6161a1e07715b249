"""
What became of every event of a demonstrated outage. Pure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odim_relay.dev.meter import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """
    The count, event by event.

    Attributes:
        arrived: events that were accepted, each counted once.
        lost_ids: published and not accepted, so far.
        doubled_ids: accepted more than once.
        strange_ids: accepted, but never published.
        waited: published before the subscriber was back, and not accepted before.
        most_waiting: parked in the ledger at once.
        refused: requests that were answered 503.
        probes, knocks: single deliveries, and connections without a request, to see whether it is back.
        outage_s: None before its end.
        first_s, last_s: from the subscriber's return to the first event, and to the last of those that had waited.
    """

    published: int = 0
    arrived: int = 0
    lost_ids: Sequence[str] = ()
    doubled_ids: Sequence[str] = ()
    strange_ids: Sequence[str] = ()
    waited: int = 0
    most_waiting: int = 0
    refused: int = 0
    probes: int = 0
    knocks: int = 0
    outage_s: float | None = None
    first_s: float | None = None
    last_s: float | None = None

    @property
    def is_flawless(self) -> bool:
        """
        Whether there was an outage, and every event arrived exactly once all the same.
        """
        has_proof = self.published > 0 and self.waited > 0 and self.last_s is not None
        return has_proof and not (self.lost_ids or self.doubled_ids or self.strange_ids)


def settle(
    published_at_s: Mapping[str, float],
    arrivals: Sequence[tuple[float, str]],
    *,
    down_at_s: float,
    back_at_s: float,
    refused: int = 0,
    most_waiting: int = 0,
    reading: Reading | None = None,
) -> Account:
    """
    Count. All times are of one clock.

    Args:
        arrivals: when each event was accepted, in that order.
        down_at_s, back_at_s: the outage; 0 when that has not come yet.
    """
    arrivals = list(arrivals)  # others come meanwhile
    counts = Counter(event_id for _, event_id in arrivals)
    reading = reading or Reading()
    first_s = last_s = None
    waited: set[str] = set()
    if back_at_s:
        late = [(at_s, event_id) for at_s, event_id in arrivals if at_s >= back_at_s]
        before = {event_id for at_s, event_id in arrivals if at_s < back_at_s}
        waited = {event_id for event_id, at_s in published_at_s.items() if at_s < back_at_s} - before
        if late:
            first_s = late[0][0] - back_at_s
        if late and waited <= counts.keys():
            last_s = max(at_s for at_s, event_id in late if event_id in waited or not waited) - back_at_s
    return Account(
        published=len(published_at_s),
        arrived=len(counts.keys() & published_at_s.keys()),
        lost_ids=tuple(event_id for event_id in published_at_s if event_id not in counts),
        doubled_ids=tuple(event_id for event_id, count in counts.items() if count > 1),
        strange_ids=tuple(event_id for event_id in counts if event_id not in published_at_s),
        waited=len(waited),
        most_waiting=most_waiting,
        refused=refused,
        probes=reading.probes,
        knocks=reading.knocks,
        outage_s=back_at_s - down_at_s if back_at_s else None,
        first_s=first_s,
        last_s=last_s,
    )
