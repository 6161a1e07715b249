"""
The servers and the product's processes of one case.
"""

import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from enum import StrEnum
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.subscription import Mode
from tests.failover.journal import Journal, longest_wait_s, reordered, wanted
from tests.failover.result import Goal, Result
from tests.support.kafka_server import KafkaServer
from tests.support.ledger_view import RedisBroker
from tests.support.rabbitmq_server import RabbitMQServer
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.waiting import wait_until

# What the suite has quicker is as shipped here, but for a bridge's session (10 s), which each of its kills waits for.
AS_SHIPPED: Mapping[str, object] = {
    "KAFKA__SESSION_TIMEOUT_S": 3,
    "DELIVERY__CONCURRENCY": 16,
    "DELIVERY__TIMEOUT_S": 15,
    "DELIVERY__RETRY_INTERVAL_S": 15,
    "LEDGER__LEASE_MARGIN_S": 15,
    "LEDGER__REAP_INTERVAL_S": 5,
    "LEDGER__QUEUE_PATIENCE_S": 30,
}
SETTLES_S = 150.0


class Broker(StrEnum):
    """
    Where the tasks wait.
    """

    BESIDE = "beside the ledger"
    REDIS = "a Redis of its own"
    RABBITMQ = "RabbitMQ"


# The way of the tasks is the same with RabbitMQ: a second look at it.
TIMES = {Broker.BESIDE: 20, Broker.REDIS: 20, Broker.RABBITMQ: 10}


class Stage:
    """
    Leaving it ends everything that was started on it.

    Attributes:
        random: draws the moments.
        journal_path: the receiver's log.
    """

    def __init__(self, folder: Path, *, kafka: KafkaServer, random: Random, broker: Broker = Broker.BESIDE) -> None:
        self.folder = folder
        self.kafka = kafka
        self.random = random
        self.broker_kind = broker
        self.journal_path = folder / "requests.log"
        self._stack = ExitStack()
        self.redis: RedisServer
        self.receiver: Receiver
        self.broker: RedisServer | RabbitMQServer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def times(self) -> int:
        """
        How often something is killed.
        """
        return TIMES[self.broker_kind]

    def own_kafka(self) -> KafkaServer:
        """
        A Kafka of this case alone, to do harm to.
        """
        (self.folder / "kafka").mkdir(parents=True)
        self.kafka = self._stack.enter_context(KafkaServer(self.folder / "kafka"))
        return self.kafka

    def relay(
        self,
        *,
        bridges: int = 1,
        workers: int = 1,
        partitions: int = 1,
        settings: Mapping[str, object] = AS_SHIPPED,
    ) -> Relay:
        """
        Start a relay with stores and a receiver of its own.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.journal_path.touch()
        self.redis = self._stack.enter_context(RedisServer(self.folder / "redis"))
        self.receiver = self._stack.enter_context(Receiver.start(keep_bodies=False, log=self.journal_path))
        self.broker = self.redis
        chosen: dict[str, object] = {**AS_SHIPPED, **settings}
        match self.broker_kind:
            case Broker.REDIS:
                self.broker = self._stack.enter_context(RedisServer(self.folder / "broker"))
                chosen["BROKER__URL"] = self.broker.url()
            case Broker.RABBITMQ:
                self.broker = self._stack.enter_context(RabbitMQServer(self.folder / "rabbitmq"))
                chosen["BROKER__URL"] = self.broker.url()
        relay = Relay(
            self.folder / "relay",
            redis=self.redis,
            kafka=self.kafka.bootstrap_servers,
            receiver=self.receiver,
            partitions=partitions,
            bridges=bridges,
            workers=workers,
            settings=chosen,
        )
        if isinstance(self.broker, RabbitMQServer):
            relay.ledger.broker = self.broker
        elif self.broker is not self.redis:
            relay.ledger.broker = RedisBroker(self.broker, 0)
        return self._stack.enter_context(relay)

    def pause(self, least_s: float, most_s: float) -> None:
        """
        Let a random time pass, so that what follows comes at any moment.
        """
        time.sleep(self.random.uniform(least_s, most_s))

    def settle(self, relay: Relay, limit_s: float = SETTLES_S) -> None:
        """
        Wait until nothing is left to be done; what is left after the limit will stand in the account.
        """
        with suppress(AssertionError):
            wait_until(
                lambda: relay.is_settled() and not relay.ledger.waiting_count(), timeout_s=limit_s, what="the end"
            )

    def result(
        self,
        relay: Relay,
        *,
        allowed_doubled: int = 0,
        recovery_s: float | None = None,
        recovers_within_s: float | None = None,
        goals: Collection[Goal] = (),
        notes: Collection[str] = (),
    ) -> Result:
        """
        Settle and make the account.

        Args:
            recovery_s: when it is not the longest wait of an event for an unordered subscriber.
            goals: beside those of losses, duplicates and order.
        """
        self.settle(relay)
        relay.check_health()
        account = relay.account()
        deliveries, accepted_at = wanted(relay), self.journal().accepted_at()
        ordered = {one.id for one in relay.subscribers.values() if one.subscription.mode is Mode.ORDERED}
        inversions = reordered(deliveries, accepted_at, ordered)
        if recovery_s is None:
            unordered = [one for one in relay.subscribers.values() if one.id not in ordered]
            recovery_s = longest_wait_s(deliveries, accepted_at, unordered)
        # A delivery whose worker died three times with it in hand is for a person to look at (L20).
        broken = sum(reason == ParkReason.BROKEN for reason in account.parked.values())
        return Result(
            published=account.published,
            delivered=account.delivered,
            lost=account.lost,
            doubled=account.doubled,
            kept=len(account.parked),
            reordered=inversions if ordered else None,
            recovery_s=recovery_s,
            goals=(
                Goal(name="lost", value=account.lost, bound=0),
                Goal(name="undelivered", value=account.published - account.delivered - broken, bound=0),
                Goal(name="doubled", value=account.doubled, bound=allowed_doubled),
                Goal(name="strangers", value=account.strangers, bound=0),
                *([Goal(name="reordered", value=inversions, bound=0)] if ordered else []),
                *(
                    [Goal(name="recovered after", value=recovery_s, bound=recovers_within_s, unit="s")]
                    if recovers_within_s is not None
                    else []
                ),
                *goals,
            ),
            notes=(*([f"{broken} set aside as broken"] if broken else []), *notes),
        )

    def journal(self) -> Journal:
        return Journal.read(self.journal_path)
