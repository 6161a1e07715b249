"""
One worker process, maintenance and beat in simulated time: the real use cases and scripts on a real Redis. Only Celery,
the bridge and the destinations are played.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final

import redis

from odim_relay.adapters.redis.backlog import RedisBacklogLedger
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.event_service import RedisEventServiceStore
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.listings import RedisDeliveryListing, RedisLedgerFigures
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.adapters.security.signing import Ed25519Signer
from odim_relay.domain.backoff import Backoff
from odim_relay.domain.decision import Schedule
from odim_relay.domain.event import WHOLE
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.domain.subscription import Subscription
from odim_relay.domain.tls import USUAL, TlsTerms
from odim_relay.ports import (
    IngestBatch,
    NewDelivery,
    NewEvent,
    OutgoingRequest,
    Position,
    TaskTicket,
    TopicPartition,
)
from odim_relay.rules import rules_of
from odim_relay.settings import Settings
from odim_relay.use_cases.backups import SendWithBackups
from odim_relay.use_cases.deliver import Deliver
from odim_relay.use_cases.directory import SubscriptionDirectory
from odim_relay.use_cases.expire import Expire
from odim_relay.use_cases.reap import Reap
from odim_relay.use_cases.replay import Replay
from odim_relay.use_cases.untraced import Untraced
from tests.support.moved_clock import ScriptsWithClock
from tests.support.simulated_time import SimulatedTime

PREFIX: Final = "simulated:"
START_MS: Final = 1_800_000_000_000
PARTITION: Final = TopicPartition(topic="events", partition=0)
_BATCH: Final = 500
_BROKER_S: Final = 0.002
"""
From publishing a task to its start, where a slot is free.
"""
_TASK_S: Final = 0.008
"""
What each task costs beside its request: sixteen slots do about two thousand in a second.
"""

WELL: Final = Outcome(status=204, duration_s=0.02)
FAILING: Final = Outcome(status=500, duration_s=0.05)
HANGING: Final = Outcome(failure=Failure.TIMEOUT, duration_s=15.0)
REFUSING: Final = Outcome(failure=Failure.CONNECT, duration_s=0.001)
SILENT: Final = Outcome(failure=Failure.CONNECT_TIMEOUT, duration_s=15.0)
"""
Takes no connection, and does not refuse one either.
"""
_WITHOUT_REQUEST: Final = frozenset({Failure.DNS, Failure.CONNECT, Failure.CONNECT_TIMEOUT, Failure.TLS})


@dataclass(slots=True)
class SimulatedDestination:
    """
    A URL that answers as it is told to.

    Attributes:
        tries_at_s: when a delivery was to be sent to it, even if no connection stood.
        knocks_at_s: when it was connected to without a request.
        accepted: how often each delivery was answered 2xx.
        accepted_at_s: when.
        notices: bodies of the events that the relay made itself.
        chokes_on: tells of a delivery's id whether it is answered with an error whenever all else is well.
    """

    answer: Outcome = WELL
    chokes_on: Callable[[str], bool] = lambda _: False
    tries_at_s: list[float] = field(default_factory=list)
    knocks_at_s: list[float] = field(default_factory=list)
    accepted: Counter[str] = field(default_factory=Counter)
    accepted_at_s: list[float] = field(default_factory=list)
    notices: list[bytes] = field(default_factory=list)
    request_count: int = 0


class SimulatedRelay:
    """
    Everything of one relay, with as many slots as the settings say.
    """

    def __init__(self, client: redis.Redis, time: SimulatedTime, scripts: ScriptsWithClock, settings: Settings) -> None:
        self.time = time
        self.destinations: dict[str, SimulatedDestination] = {}
        self.store = RedisSubscriptionStore(scripts)
        self.listing = RedisDeliveryListing(scripts)
        self.figures = RedisLedgerFigures(scripts)
        self.created: dict[str, set[str]] = {}
        self._client = client
        self._ingest = RedisIngestLedger(scripts)
        self._queue: deque[TaskTicket] = deque()
        self._free_slots = settings.delivery.concurrency
        self._position = Position(topic_epoch="epoch", offset=0)
        self._ingest.set_position(PARTITION, None, self._position)
        ledger, backlog = RedisDeliveryLedger(scripts, worker="worker"), RedisBacklogLedger(scripts)
        self._deliver = Deliver(
            ledger=ledger,
            directory=SubscriptionDirectory(self.store, RedisEventServiceStore(scripts)),
            send=SendWithBackups(
                sender=self, now_s=lambda: START_MS / 1000 + time.now_s, is_ours=lambda _name, _for_s: True
            ),
            publisher=self,
            schedule=Schedule(
                retries=settings.delivery.retry_attempts,
                backoff=Backoff(
                    interval_s=settings.delivery.retry_interval_s,
                    factor=settings.delivery.retry_factor,
                    max_interval_s=settings.delivery.retry_max_interval_s,
                ),
            ),
            timeout_s=settings.delivery.timeout_s,
            draw=Random(1).random,  # noqa: S311 - jitter, the same in every run
            now_s=lambda: START_MS / 1000 + time.now_s,
            signer=Ed25519Signer(),
            tracer=Untraced(),
            note=lambda _: None,
        )
        time.every(settings.ledger.reap_interval_s, Reap(ledger=ledger, publisher=self))
        replay = Replay(ledger=backlog, store=self.store, connector=self, publisher=self, timeout_s=5)
        time.every(settings.dead_letters.replay_interval_s, replay)
        time.every(settings.dead_letters.expire_interval_s, Expire(ledger=backlog, publisher=self))

    # --- what the bridge does ---

    def subscribe(self, subscription: Subscription) -> SimulatedDestination:
        """
        Save a subscription; its destination is one with those of the same URL.
        """
        self.store.save(subscription)
        self.created.setdefault(subscription.subscription_id, set())
        return self.destinations.setdefault(subscription.destination, SimulatedDestination())

    def ingest(self, count: int) -> None:
        """
        Take events in, each for every subscription.
        """
        while count > 0:
            some = max(min(count, _BATCH // len(self.created)), 1)
            count -= some
            self.publish(self._write(some))

    def _write(self, count: int) -> list[TaskTicket]:
        reached = Position(topic_epoch="epoch", offset=self._position.offset + count)
        numbers = range(self._position.offset, reached.offset)
        deliveries = [
            NewDelivery(delivery_id=f"{number}/{id_}", subscription_id=id_, event_index=at, shape=WHOLE)
            for at, number in enumerate(numbers)
            for id_ in self.created
        ]
        tickets = self._ingest.ingest(
            IngestBatch(
                partition=PARTITION,
                believed=self._position,
                reached=reached,
                generation=self.store.generation(),
                events=[
                    NewEvent(
                        event_id=str(number),
                        payload=b'{"Events":[{"EventId":"%d"}]}' % number,
                        record=f"events/0/{number}",
                        recorded_at_ms=START_MS + round(self.time.now_s * 1000),
                    )
                    for number in numbers
                ],
                deliveries=deliveries,
                record_count=count,
                event_count=count,
            )
        )
        assert tickets is not None
        self._position = reached
        for delivery in deliveries:
            self.created[delivery.subscription_id].add(delivery.delivery_id)
        return list(tickets)

    # --- Celery ---

    def publish(self, tickets: Iterable[TaskTicket]) -> None:
        """
        See `Publisher.publish`.
        """
        for ticket in tickets:
            self._later(ticket)

    def _later(self, ticket: TaskTicket) -> None:
        self.time.after(ticket.wait_s + _BROKER_S, partial(self._enqueue, ticket))

    def call_to_tell(self) -> None:
        """
        See `Publisher.call_to_tell`: what is told is looked for in the ledger.
        """

    def queue_depth(self) -> int:
        """
        See `Publisher.queue_depth`.
        """
        return len(self._queue)

    def _enqueue(self, ticket: TaskTicket) -> None:
        self._queue.append(ticket)
        self._take()

    def _take(self) -> None:
        while self._queue and self._free_slots:
            self._free_slots -= 1
            ticket = self._queue.popleft()
            self.time.start(partial(self._work, ticket))

    def _work(self, ticket: TaskTicket) -> None:
        self.time.sleep(_TASK_S)
        retry = self._deliver(ticket)
        if retry is not None:
            self._later(retry)
        self._free_slots += 1
        self.time.after(0, self._take)

    # --- destinations ---

    def send(self, request: OutgoingRequest, *, may_send: Callable[[], bool], timeout_s: float) -> Outcome | None:
        """
        See `Sender.send`.
        """
        assert timeout_s >= 0
        assert may_send()
        destination = self.destinations[request.url]
        answer = destination.answer
        if answer is WELL and destination.chokes_on(dict(request.headers)["webhook-id"]):
            answer = FAILING
        destination.tries_at_s.append(self.time.now_s)
        is_request = answer.failure not in _WITHOUT_REQUEST
        if is_request:
            destination.request_count += 1
        self.time.sleep(answer.duration_s)
        if answer is WELL:
            destination.accepted_at_s.append(self.time.now_s)
            if b"EventBufferExceeded" in request.body:
                destination.notices.append(request.body)
            else:
                destination.accepted[dict(request.headers)["webhook-id"]] += 1
        return answer

    def accepts(self, url: str, *, timeout_s: float, tls: TlsTerms = USUAL) -> bool:
        """
        See `Connector.accepts`.
        """
        assert timeout_s > 0
        assert tls == USUAL
        destination = self.destinations[url]
        destination.knocks_at_s.append(self.time.now_s)
        return destination.answer.failure not in _WITHOUT_REQUEST


def simulate(client: redis.Redis, settings: Settings) -> SimulatedRelay:
    """
    An empty relay in a time of its own, which the caller closes: `with relay.time:`.
    """
    client.flushall()
    scripts = ScriptsWithClock(client, PREFIX, rules_of(settings, 0), start_ms=START_MS)
    time = SimulatedTime(
        tell=lambda now_s: scripts.move_to(START_MS + round(now_s * 1000)), threads=settings.delivery.concurrency
    )
    return SimulatedRelay(client, time, scripts, settings)
