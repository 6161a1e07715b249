"""
Delivery tasks out, many in one round trip.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import RLock
from typing import Any

from amqp.exceptions import AMQPError, ChannelError
from celery import Celery
from celery.utils.nodenames import anon_nodename
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from odim_relay.errors import TransientError
from odim_relay.ports import TaskTicket

DELIVER = "odim_relay.deliver"
QUEUE = "deliveries"
_BATCH = 500


class CeleryPublisher:
    """
    `Publisher` over Celery. Threads share it, one at a time.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._lock = RLock()
        self._producer: Any = None

    def publish(self, tickets: Iterable[TaskTicket]) -> None:
        """
        See `Publisher.publish`.

        The task's id is its delivery's, so that Flower shows one row per delivery however often it is tried.
        """
        batch = list(tickets)
        if not batch:
            return
        amqp = self._app.amqp
        make, serializer = amqp.as_task_v2, self._app.conf.task_serializer
        origin = anon_nodename()  # else asked of the system again for each task
        with self._lock, self._translated_errors():
            producer = self._open()
            with producer.batch(max_size=_BATCH):
                for ticket in batch:
                    message = make(
                        ticket.delivery_id,
                        DELIVER,
                        (ticket.delivery_id, ticket.seq),
                        countdown=ticket.wait_s or None,
                        argsrepr=f"('{ticket.delivery_id}', {ticket.seq})",
                        kwargsrepr="{}",
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

    def queue_depth(self) -> int:
        """
        See `Publisher.queue_depth`.
        """
        with self._lock, self._translated_errors():
            channel = self._open().channel
            try:
                return int(channel.queue_declare(QUEUE, passive=True).message_count)
            except ChannelError:
                # Redis has no empty lists, and RabbitMQ no queue before its first worker: nothing waits. RabbitMQ
                # closes the channel of who asks for a missing queue.
                self.close()
                return 0

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

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except (KombuError, RedisError, AMQPError, OSError) as exc:
            with suppress(Exception):  # a broken connection may not even close; the next call opens another
                self.close()
            raise TransientError(f"the broker failed: {exc}") from exc

    def _open(self) -> Any:
        if self._producer is None:
            connection = self._app.connection_for_write()
            connection.ensure_connection(max_retries=1, interval_start=0)
            self._producer = self._app.amqp.Producer(connection, auto_declare=False)
            # RabbitMQ drops what goes to a queue that no worker has declared yet.
            self._app.amqp.queues[QUEUE].bind(self._producer.channel).declare()
        return self._producer
