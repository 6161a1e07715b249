"""
What killed processes had in hand, and when it was sent again.
"""

import time
from collections.abc import Collection
from typing import NamedTuple

from tests.failover.journal import Journal
from tests.support.processes import LocalProcess
from tests.support.relay import Relay


class Work(NamedTuple):
    """
    A delivery at one step of its way: a lease, or a task. What was in hand at one kill looks the same at the next.
    """

    id: str
    state: str
    seq: str
    ticket: str


class Kill(NamedTuple):
    """
    One kill. `work` is what it may have hit: also tasks that a worker had only taken in, or a bridge not published yet.
    """

    at: float
    work: set[Work]

    @property
    def in_hand(self) -> int:
        return sum(work.state == "SENDING" for work in self.work)


class Kills:
    """
    The kills of a relay's workers, or of its bridge.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._kills: list[Kill] = []

    def kill_and_start(self, process: LocalProcess) -> None:
        """
        Kill it, start it again, and note what stood still meanwhile: that was the killed one's.
        """
        process.kill()
        at = time.time()
        left = self._work()
        process.start()
        seen = {work for kill in self._kills for work in kill.work}
        self._kills.append(Kill(at, (left & self._work()) - seen))

    def _work(self) -> set[Work]:
        deliveries = self._relay.ledger.deliveries()
        return {
            Work(id_, fields["state"], fields["seq"], fields["ticket"])
            for id_, fields in deliveries.items()
            if fields["state"] in ("QUEUED", "SENDING")
        }

    @property
    def in_hand_count(self) -> int:
        """
        How many requests were under way at all kills.
        """
        return sum(kill.in_hand for kill in self._kills)

    @property
    def hit_count(self) -> int:
        """
        How many kills had a request under way.
        """
        return sum(kill.in_hand > 0 for kill in self._kills)

    def slowest_resend_s(self, journal: Journal) -> float:
        """
        How long it took at most until killed work was sent, counted from the last kill that hit it.
        """
        hits: dict[str, list[float]] = {}
        for kill in self._kills:
            for work in kill.work:
                hits.setdefault(work.id, []).append(kill.at)
        return max((_after_last_hit_s(journal.requests_of(id_), at) for id_, at in hits.items()), default=0.0)


def _after_last_hit_s(requests: Collection[float], hits: Collection[float]) -> float:
    events = sorted([(at, "hit") for at in hits] + [(at, "request") for at in requests])
    slowest_s, hit_at = 0.0, None
    for at, kind in events:
        if kind == "hit":
            hit_at = at
        elif hit_at is not None:
            slowest_s, hit_at = max(slowest_s, at - hit_at), None
    return slowest_s
