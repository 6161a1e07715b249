"""
Writes events to a topic and keeps account of where they stand.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from tests.support.account import Place
from tests.support.kafka_client import LARGEST_RECORD_BYTES, odim_envelope

ACKNOWLEDGED_S = 60.0


class TopicWriter:
    """
    Writes to one topic. Threads may share it.
    """

    def __init__(self, bootstrap_servers: str, topic: str, partitions: int) -> None:
        self._topic = topic
        self._partitions = partitions
        self._lock = threading.Lock()
        self._places: list[Place] = []
        self._ends: Counter[int] = Counter()
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "message.max.bytes": LARGEST_RECORD_BYTES,
                "message.timeout.ms": int(ACKNOWLEDGED_S * 1000),
                # A record whose acknowledgement a killed broker swallowed is not written twice.
                "enable.idempotence": True,
                "log_level": 0,
            }
        )

    @property
    def places(self) -> list[Place]:
        """
        Of everything written since `forget_places`.
        """
        with self._lock:
            return list(self._places)

    @property
    def ends(self) -> Mapping[int, int]:
        """
        The offset after the last record of each partition that was written to.
        """
        with self._lock:
            return dict(self._ends)

    def forget_places(self) -> None:
        with self._lock:
            self._places.clear()

    def forget(self) -> None:
        """
        Begin anew, for a topic that is.
        """
        with self._lock:
            self._places.clear()
            self._ends.clear()

    def write(
        self, payloads: Iterable[bytes], wanted_by: tuple[str, ...], *, wrapped: bool, event_type: str
    ) -> list[Place]:
        """
        Write payloads to the partitions by turns, as ODIM's plugins do, or as they are; returns when Kafka has
        acknowledged them.

        Args:
            wanted_by: ids of the subscriptions that are to get them.

        Raises:
            KafkaException: some were not acknowledged.
        """
        reports: dict[int, tuple[int, int]] = {}
        errors: list[KafkaError] = []

        def told(index: int, error: KafkaError | None, record: Message) -> None:
            if error is not None:
                errors.append(error)
            reports[index] = (record.partition() or 0, record.offset() or 0)

        count = 0
        for index, payload in enumerate(payloads):
            value = odim_envelope(payload, event_type=event_type) if wrapped else payload
            partition = index % self._partitions
            self._producer.produce(self._topic, value, partition=partition, on_delivery=partial(told, index))
            self._producer.poll(0)
            count += 1
        self._producer.flush(ACKNOWLEDGED_S)
        if errors or len(reports) != count:
            raise KafkaException(*errors)
        places = [
            Place(partition=partition, offset=offset, wanted_by=wanted_by)
            for partition, offset in (reports[index] for index in range(count))
        ]
        with self._lock:
            self._places += places
            for place in places:
                self._ends[place.partition] = max(self._ends[place.partition], place.offset + 1)
        return places
