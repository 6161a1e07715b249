"""
What the receiver wrote down of each request, and what can be told from it and from what was published.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Self

from odim_relay.domain.identity import delivery_id, event_id
from tests.support.account import Place
from tests.support.relay import Relay
from tests.support.subscriber import Subscriber


class Arrival(NamedTuple):
    """
    One request. `at` is in seconds since the epoch, as everywhere here.
    """

    at: float
    path: str
    id: str
    is_accepted: bool


@dataclass(frozen=True)
class Journal:
    """
    All requests in order of arrival.
    """

    arrivals: Sequence[Arrival]

    @classmethod
    def read(cls, log: Path) -> Self:
        """
        Read a receiver's log.
        """
        found = []
        for line in log.read_text().splitlines():
            at, path, id_, _, status = line.split("\t")
            found.append(Arrival(float(at), path, id_, status.startswith("2")))
        return cls(sorted(found))

    def accepted_at(self) -> dict[str, float]:
        """
        When each delivery was answered 2xx first.
        """
        found: dict[str, float] = {}
        for arrival in self.arrivals:
            if arrival.is_accepted:
                found.setdefault(arrival.id, arrival.at)
        return found

    def accepted_between(self, since: float, until: float) -> int:
        """
        How many requests were answered 2xx in this time.
        """
        return sum(arrival.is_accepted and since <= arrival.at <= until for arrival in self.arrivals)

    def of(self, path: str) -> "Journal":
        """
        The requests at one path.
        """
        return Journal([arrival for arrival in self.arrivals if arrival.path == path])

    def until(self, at: float) -> "Journal":
        """
        The requests before a moment.
        """
        return Journal([arrival for arrival in self.arrivals if arrival.at < at])

    def longest_silence_s(self) -> float:
        """
        The longest time without a 2xx.
        """
        at = [arrival.at for arrival in self.arrivals if arrival.is_accepted]
        return max((later - earlier for earlier, later in pairwise(at)), default=0.0)

    @cached_property
    def _by_id(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for arrival in self.arrivals:
            found.setdefault(arrival.id, []).append(arrival.at)
        return found

    def requests_of(self, id_: str) -> Sequence[float]:
        """
        When a delivery was sent.
        """
        return self._by_id.get(id_, ())


class Wanted(NamedTuple):
    """
    A delivery that had to be made.
    """

    place: Place
    subscription_id: str


def wanted(relay: Relay) -> dict[str, Wanted]:
    """
    Every delivery that had to be made, by its id, in the order of the log.
    """
    epochs = {partition: epoch for partition, (epoch, _) in relay.ledger.positions(relay.topic).items()}
    found = {}
    for at in sorted(relay._writer.places, key=lambda place: (place.partition, place.offset)):
        event = event_id(epochs.get(at.partition, ""), relay.topic, at.partition, at.offset, 0)
        for subscription_id in at.wanted_by:
            found[delivery_id(event, subscription_id)] = Wanted(at, subscription_id)
    return found


def reordered(deliveries: Mapping[str, Wanted], accepted_at: Mapping[str, float], ordered: Collection[str]) -> int:
    """
    Count, for these subscriptions, those that came before an older one of the same partition.
    """
    count = 0
    latest: dict[tuple[str, int], float] = {}
    for id_, (place, subscription_id) in deliveries.items():
        if subscription_id not in ordered or id_ not in accepted_at:
            continue
        line = subscription_id, place.partition
        count += accepted_at[id_] < latest.get(line, 0.0)
        latest[line] = max(latest.get(line, 0.0), accepted_at[id_])
    return count


def longest_wait_s(
    deliveries: Mapping[str, Wanted], accepted_at: Mapping[str, float], of: Iterable[Subscriber]
) -> float:
    """
    The longest time from Kafka's acknowledgement to the first 2xx.
    """
    ids = {subscriber.id for subscriber in of}
    return max(
        (
            accepted_at[id_] - at.place.published_at
            for id_, at in deliveries.items()
            if id_ in accepted_at and at.subscription_id in ids
        ),
        default=0.0,
    )


def first_after_s(
    deliveries: Mapping[str, Wanted], accepted_at: Mapping[str, float], *, since: float, moment: float
) -> float:
    """
    How long after a moment the first event arrived that was published since an earlier one.
    """
    return min(
        (
            accepted_at[id_] - moment
            for id_, at in deliveries.items()
            if accepted_at.get(id_, 0.0) > moment and at.place.published_at > since
        ),
        default=float("inf"),
    )
