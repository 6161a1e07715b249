"""
The demonstration of an outage: events flow, their subscriber fails, is gone, comes back, and gets all of them.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from odim_relay import bootstrap
from odim_relay.dev.demo import publisher
from odim_relay.dev.fickle_subscriber import FickleSubscriber
from odim_relay.dev.meter import Meter, Reading
from odim_relay.dev.outage_account import Account, settle
from odim_relay.dev.samples import sample_event
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.subscription import Subscription
from odim_relay.formats.documents import documents

SETTINGS = {
    "BREAKER__PROBE_INTERVAL_S": "2",
    "BREAKER__PROBE_MAX_INTERVAL_S": "4",
    "DEAD_LETTERS__REPLAY_INTERVAL_S": "1",
    "DELIVERY__RETRY_INTERVAL_S": "1",
    "DELIVERY__TIMEOUT_S": "5",
}
"""
Hours become seconds: the intervals, in production 30 s to 5 min, are short enough to be watched.
"""

_SOURCES = ("10.24.0.4", "10.24.0.5", "10.24.0.6", "10.24.0.7")
_PER_S = 50
_LEAST = 1_000
_PROBES = 3
_KNOCKS = 3
_WELL_S, _AFTER_S = 5.0, 2.0
_LIMIT_S = 20.0
_DOUBLES_S = 1.0
"""
How long a second copy of an event is waited for that nobody expects.
"""


@dataclass(slots=True)
class Scene:
    """
    What there is to be seen now.

    Attributes:
        lines: what was told since the last scene.
        arrived: events, each counted once.
        arrivals, waiting: how many, in each half of a second.
    """

    published: int = 0
    arrived: int = 0
    ledger: Reading = field(default_factory=Reading)
    lines: list[str] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)


class Outage:
    """
    One demonstration on a running stack: `play` it, then read its `account`.

    Attributes:
        is_over: it was played to its end.
    """

    BUCKET_S = 0.5

    def __init__(self) -> None:
        self._subscriber = FickleSubscriber()
        self._lines: list[str] = []
        self._published_at_s: dict[str, float] = {}
        self._source = 0
        self._most_waiting = 0
        self._waiting: list[int] = []
        self._down_at_s = self._back_at_s = 0.0
        self._due = 0.0
        self._is_publishing = True
        self.account = Account()
        self.is_over = False

    def subscribe(self) -> None:
        """
        Create the subscription.
        """
        wish = Subscription(subscription_id="", destination=self._subscriber.destination, name="Fickle subscriber")
        self._meter = Meter(bootstrap.subscribe().create(wish).subscription_id)
        self._publish = publisher()

    def play(self, ticks: Iterator[None]) -> Iterator[Scene]:
        """
        Play it to its end, with one scene per tick; `account` says how it ended. A tick is a moment's wait.

        Raises:
            OdimRelayError: a store cannot be reached.
        """
        self._subscriber.switch_on()
        self._began_at_s = self._ticked_at_s = time.monotonic()
        try:
            for _ in zip(self._story(), ticks, strict=False):
                yield self._scene()
            yield self._scene()
        finally:
            self._subscriber.switch_off()

    # --- the acts; each ends when what it is about was seen, or when it was waited for too long ---

    def _story(self) -> Iterator[None]:
        yield from self._is_well()
        yield from self._fails()
        yield from self._is_gone()
        yield from self._is_back()
        self.is_over = True

    def _is_well(self) -> Iterator[None]:
        self._tell(f"{_PER_S} events a second go into Kafka, and on to one subscriber")
        yield from self._until(lambda: False, _WELL_S)
        self._tell(f"{self.account.arrived:,} have arrived so far")

    def _fails(self) -> Iterator[None]:
        self._down_at_s = time.monotonic()
        self._subscriber.is_failing = True
        self._tell("the subscriber fails: 503 to everything; events go on coming")
        yield from self._until(lambda: self._reading.destination.breaker is not Breaker.CLOSED)
        self._tell("its breaker opens: events wait, single ones are sent as probes")
        yield from self._until(lambda: self._reading.probes >= _PROBES)

    def _is_gone(self) -> Iterator[None]:
        self._subscriber.switch_off()
        self._tell("it is switched off: connections are refused")
        knocks = self._reading.knocks
        yield from self._until(lambda: self._reading.destination.is_unreachable)
        self._tell("so it is knocked at, without a request, until it accepts connections")
        yield from self._until(lambda: self._reading.knocks >= knocks + _KNOCKS)

    def _is_back(self) -> Iterator[None]:
        self._subscriber.is_failing = False
        self._back_at_s = time.monotonic()
        self._tell(f"the subscriber is back, after {self._back_at_s - self._down_at_s:.0f} s")
        self._subscriber.switch_on()
        yield from self._until(lambda: self.account.first_s is not None)
        if self.account.first_s is not None:
            self._tell(f"the first event arrives {self.account.first_s:.1f} s later, and the others follow")
        yield from self._until(lambda: self.account.last_s is not None)
        if self.account.last_s is not None:
            self._tell(f"all {self.account.waited:,} that had waited are there after {self.account.last_s:.1f} s")
        yield from self._until(lambda: False, _AFTER_S)
        yield from self._until(lambda: len(self._published_at_s) >= _LEAST)
        self._is_publishing = False
        yield from self._until(self._is_quiet)
        yield from self._until(lambda: False, _DOUBLES_S)

    # --- the work of each tick ---

    def _until(self, is_met: Callable[[], bool], limit_s: float = 0.0) -> Iterator[None]:
        give_up_at_s = time.monotonic() + (limit_s or _LIMIT_S)
        while time.monotonic() < give_up_at_s:
            self._tick()
            if is_met():
                return
            yield

    def _tick(self) -> None:
        now_s = time.monotonic()
        if self._is_publishing:
            self._due += (now_s - self._ticked_at_s) * _PER_S
            count = int(self._due)
            self._due -= count
            self._publish_some(count)
        self._ticked_at_s = now_s
        self._reading = self._meter.read()
        self._most_waiting = max(self._most_waiting, self._reading.waiting)
        # One value per bucket, however long the ticks are.
        buckets = int((now_s - self._began_at_s) / self.BUCKET_S) + 1
        self._waiting += [self._reading.waiting] * (buckets - len(self._waiting))
        self.account = settle(
            self._published_at_s,
            self._subscriber.tally.arrivals,
            down_at_s=self._down_at_s,
            back_at_s=self._back_at_s,
            refused=self._subscriber.tally.refused_count,
            most_waiting=self._most_waiting,
            reading=self._reading,
        )

    def _publish_some(self, count: int) -> None:
        if not count:
            return
        ids = [bootstrap.new_id() for _ in range(count)]
        number, at = len(self._published_at_s), datetime.now(UTC)
        events = [sample_event(number + index, event_id=id_, at=at) for index, id_ in enumerate(ids)]
        self._published_at_s.update(dict.fromkeys(ids, time.monotonic()))
        self._source += 1
        published = self._publish(documents(b"\n".join(events)), _SOURCES[self._source % len(_SOURCES)])
        for index, failure in published.failures:
            # Kafka did not take it: nobody promised to deliver it.
            del self._published_at_s[ids[index]]
            self._tell(f"an event could not be published: {failure}")

    def _is_quiet(self) -> bool:
        """
        Whether nothing more is to come.
        """
        reading = self._reading
        return reading.ingested >= self.account.published and not (reading.waiting or reading.under_way)

    def _tell(self, line: str) -> None:
        self._lines.append(line)

    def _scene(self) -> Scene:
        lines, self._lines = self._lines, []
        arrivals = [0] * len(self._waiting)
        for at_s, _ in self._subscriber.tally.arrivals:
            bucket = int((at_s - self._began_at_s) / self.BUCKET_S)
            if bucket < len(arrivals):
                arrivals[bucket] += 1
        return Scene(
            published=len(self._published_at_s),
            arrived=self.account.arrived,
            ledger=self._reading,
            lines=lines,
            arrivals=arrivals,
            waiting=list(self._waiting),
        )
