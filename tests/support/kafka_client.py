"""
What tests do with a Kafka broker: topics, records, and where a consumer group stands.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from confluent_kafka.cimpl import NewTopic

from tests.support.waiting import wait_until

LIMIT_S = 20.0
LARGEST_RECORD_BYTES = 12 * 1024 * 1024
MOCK_CLUSTER = "mockCluster"  # how the id of librdkafka's mock begins
LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]

Header = tuple[str, str | bytes | None]


def odim_envelope(payload: bytes, *, ip: str = "10.24.0.4", event_type: str = "") -> bytes:
    """
    The record that ODIM's plugins write for a Redfish event that came from `ip`: its bytes in base64.
    """
    envelope = {"ip": ip, "request": base64.b64encode(payload).decode(), "eventType": event_type}
    return json.dumps(envelope, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Committed:
    """
    The offset of a group in one partition, and the note that was committed with it.
    """

    offset: int
    metadata: str | None


class KafkaClient:
    """
    A tester's hands on one broker. Connects at each call, so that it does not mind restarts between them.

    Every call raises KafkaException when the broker refuses or does not answer in LIMIT_S.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._configuration: dict[str, str | int | float | bool] = {
            "bootstrap.servers": bootstrap_servers,
            "log_level": 0,
        }

    def create_topic(self, topic: str, partitions: int = 1, options: Mapping[str, str] | None = None) -> str:
        """
        Makes the topic and returns its name when it can be written to. The mock broker makes four partitions always.
        """
        admin = self._admin()
        if (admin.list_topics(timeout=LIMIT_S).cluster_id or "").startswith(MOCK_CLUSTER):
            admin.list_topics(topic, timeout=LIMIT_S)  # which makes it: the mock has no other way
            return topic
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=dict(options or {}))
        admin.create_topics([new])[topic].result(LIMIT_S)
        wait_until(lambda: self._has_leaders(topic, partitions), timeout_s=LIMIT_S, what=f"leaders of {topic}")
        return topic

    def _has_leaders(self, topic: str, partitions: int) -> bool:
        try:
            return len(self.end_offsets(topic)) == partitions
        except KafkaException:  # Kafka answers for a partition a moment before its new leader does
            return False

    def delete_topic(self, topic: str) -> None:
        """
        Deletes the topic; it is gone for those who ask afterwards. The mock broker cannot.
        """
        admin = self._admin()
        admin.delete_topics([topic], operation_timeout=LIMIT_S)[topic].result(LIMIT_S)

    def produce(
        self, topic: str, records: Iterable[tuple[bytes | None, bytes, list[Header]]], *, partition: int = -1
    ) -> list[tuple[int, int]]:
        """
        Writes (key, value, headers), in order, and returns the (partition, offset) of each when Kafka has
        acknowledged all of them. Without `partition` the key chooses it.
        """
        limits = {"message.max.bytes": LARGEST_RECORD_BYTES, "message.timeout.ms": int(LIMIT_S * 1000), "linger.ms": 0}
        producer = Producer({**self._configuration, **limits, "acks": "all"})
        reports: list[tuple[KafkaError | None, tuple[int, int]]] = []
        places: dict[int, tuple[int, int]] = {}

        for index, (key, value, headers) in enumerate(records):

            def told(error: KafkaError | None, record: Message, index: int = index) -> None:
                places[index] = (record.partition() or 0, record.offset() or 0)
                reports.append((error, places[index]))

            producer.produce(topic, value, key, partition, on_delivery=told, headers=headers)
            producer.poll(0)
        producer.flush(LIMIT_S)
        for error, _ in reports:
            if error:
                raise KafkaException(error)
        return [places[index] for index in sorted(places)]

    def consume(self, topic: str) -> list[Message]:
        """
        Every record of the topic, partition by partition, without a trace in any group.
        """
        ends = self.end_offsets(topic)
        consumer = Consumer({**self._configuration, "group.id": "reader", "enable.auto.commit": False})
        wanted = sum(ends.values())
        found: list[Message] = []
        try:
            consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
            while len(found) < wanted:
                records = consumer.consume(wanted - len(found), timeout=LIMIT_S)
                if not records:
                    break
                found += [record for record in records if not record.error()]
        finally:
            consumer.close()
        return sorted(found, key=lambda record: (record.partition() or 0, record.offset() or 0))

    def end_offsets(self, topic: str) -> dict[int, int]:
        """
        The offset that the next record of each partition will get; empty when there is no such topic.
        """
        admin = self._admin()
        partitions = admin.list_topics(topic, timeout=LIMIT_S).topics[topic].partitions
        asked = {TopicPartition(topic, partition): LATEST for partition in partitions}
        return {place.partition: answer.result(LIMIT_S).offset for place, answer in admin.list_offsets(asked).items()}

    def committed(self, group: str, topic: str) -> dict[int, Committed]:
        """
        Where the group stands in each partition it has committed for; empty when it never did.
        """
        admin = self._admin()
        partitions = admin.list_topics(topic, timeout=LIMIT_S).topics[topic].partitions
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, partition) for partition in partitions])
        answers: dict[str, Any] = admin.list_consumer_group_offsets([asked])
        places: list[TopicPartition] = answers[group].result(LIMIT_S).topic_partitions
        return {
            place.partition: Committed(offset=place.offset, metadata=place.metadata)
            for place in places
            if place.offset >= 0  # below: never committed
        }

    def _admin(self) -> AdminClient:
        # For a variable, always: what a client was asked for fails when nobody holds the client any more.
        return AdminClient(self._configuration)
