"""
Delivery tasks out, many in one round trip.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import RLock
from typing import Any, NoReturn, TypeVar
from uuid import uuid4

from amqp.exceptions import AMQPError, ChannelError
from celery import Celery
from celery.utils.nodenames import anon_nodename
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from odim_relay.errors import TransientError
from odim_relay.ports import TaskTicket

DELIVER = "odim_relay.deliver"
QUEUE = "deliveries"
TELL = "odim_relay.tell"
MAINTENANCE = "maintenance"
_BATCH = 500
_FAILURES = (KombuError, RedisError, AMQPError, OSError)

# A broker that hangs costs one thread its timeouts, and the others this much: what they would have published, the
# reaper does.
_WAIT_FOR_OTHERS_S = 5.0
_LEAVE_ALONE_S = 2.0

T = TypeVar("T")


class CeleryPublisher:
    """
    `Publisher` over Celery. Threads share its one connection, one at a time.

    After a failure the broker is left alone for two seconds, in which every call fails at once.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._lock = RLock()
        self._producer: Any = None
        self._failure = ""
        self._failed_at_s = -_LEAVE_ALONE_S

    def publish(self, tickets: Iterable[TaskTicket]) -> None:
        """
        See `Publisher.publish`.

        The task's id is its delivery's, so that Flower shows one row per delivery however often it is tried.
        """
        batch = list(tickets)
        if batch:
            self._ask(lambda producer: self._send(producer, batch))

    def call_to_tell(self) -> None:
        """
        See `Publisher.call_to_tell`.
        """
        self._ask(self._call)

    def queue_depth(self, queue: str = QUEUE) -> int:
        """
        See `Publisher.queue_depth`; of another queue where one is named.
        """
        return self._ask(lambda producer: self._count(producer, queue))

    def close(self) -> None:
        """
        Give the connection up; the next call opens another.
        """
        with self._lock:
            producer, self._producer = self._producer, None
            if producer is not None:
                connection = producer.connection
                producer.release()
                connection.release()

    def _send(self, producer: Any, batch: Sequence[TaskTicket]) -> None:
        make, serializer = self._app.amqp.as_task_v2, self._app.conf.task_serializer
        origin = anon_nodename()  # else asked of the system again for each task
        with producer.batch(max_size=_BATCH):
            for ticket in batch:
                message = make(
                    ticket.delivery_id,
                    DELIVER,
                    (ticket.delivery_id, ticket.seq),
                    countdown=ticket.wait_s or None,
                    **ticket.in_words(),
                    origin=origin,
                    ignore_result=True,
                )
                producer.publish(
                    message.body,
                    exchange="",
                    routing_key=QUEUE,
                    serializer=serializer,
                    headers=message.headers,
                    **message.properties,
                )

    def _call(self, producer: Any) -> None:
        message = self._app.amqp.as_task_v2(str(uuid4()), TELL, (), ignore_result=True)
        producer.publish(
            message.body,
            exchange="",
            routing_key=MAINTENANCE,
            serializer=self._app.conf.task_serializer,
            headers=message.headers,
            retry=False,
            **message.properties,
        )

    def _count(self, producer: Any, queue: str) -> int:
        try:
            return int(producer.channel.queue_declare(queue, passive=True).message_count)
        except ChannelError:
            # Redis has no empty lists. RabbitMQ closes the channel of who asks for a queue that somebody deleted; the
            # next connection declares it anew.
            if producer.connection.transport.driver_type == "amqp":
                self.close()
            return 0

    def _ask(self, ask: Callable[[Any], T]) -> T:
        with self._alone():
            if self._producer is not None:
                # It may have been broken for long, unnoticed. Whatever of the tasks got through may do so again.
                began_at_s = time.monotonic()
                try:
                    return ask(self._producer)
                except _FAILURES as exc:
                    self._abandon()
                    if time.monotonic() - began_at_s > 1:
                        self._fail(exc)
            try:
                return ask(self._open())
            except _FAILURES as exc:
                self._abandon()
                self._fail(exc)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_WAIT_FOR_OTHERS_S):
            raise TransientError("the broker hangs")
        try:
            if time.monotonic() - self._failed_at_s < _LEAVE_ALONE_S:
                raise TransientError(f"the broker failed a moment ago: {self._failure}")
            yield
        finally:
            self._lock.release()

    def _fail(self, exc: Exception) -> NoReturn:
        self._failure, self._failed_at_s = str(exc) or type(exc).__name__, time.monotonic()
        raise TransientError(f"the broker failed: {self._failure}") from exc

    def _abandon(self) -> None:
        """
        Forget a broken connection. In good order it would be closed by asking a broker that does not answer.
        """
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(Exception):
                producer.connection.collect()

    def _open(self) -> Any:
        if self._producer is None:
            connection = self._app.connection_for_write()
            connection.ensure_connection(max_retries=1, interval_start=0)
            self._producer = self._app.amqp.Producer(connection, auto_declare=False)
            # RabbitMQ drops what goes to a queue that no worker has declared yet.
            for queue in (QUEUE, MAINTENANCE):
                self._app.amqp.queues[queue].bind(self._producer.channel).declare()
        return self._producer
