"""
The consumer group from outside: who is in it, and its offsets set by hand.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaTopicPartition
from confluent_kafka.admin import AdminClient

from odim_relay.errors import PermanentError, TransientError
from odim_relay.ports import TopicPartition

_ANSWER_S = 10.0


class KafkaGroup:
    """
    `ConsumerGroup` over Kafka's admin requests.
    """

    def __init__(self, config: Mapping[str, Any], group_id: str) -> None:
        """
        Args:
            config: librdkafka's: where Kafka is, TLS and SASL.
        """
        self._config = {**config, "log_level": 0}
        self._group_id = group_id

    def reading(self) -> set[TopicPartition]:
        """
        See `ConsumerGroup.reading`.
        """
        members = self._describe().members
        return {
            TopicPartition(topic=mark.topic, partition=mark.partition)
            for member in members
            for mark in member.assignment.topic_partitions
        }

    def member_count(self) -> int:
        """
        See `ConsumerGroup.member_count`.
        """
        return len(self._describe().members)

    def commit(self, offsets: Mapping[TopicPartition, int], metadata: str) -> None:
        """
        See `ConsumerGroup.commit`.
        """
        marks = [
            KafkaTopicPartition(partition.topic, partition.partition, offset, metadata=metadata)
            for partition, offset in offsets.items()
        ]
        consumer = self._consumer()
        try:
            consumer.commit(offsets=marks, asynchronous=False)
        except KafkaException as exc:
            raise TransientError(f"Kafka did not take the offsets: {exc.args[0].str()}") from exc
        finally:
            consumer.close()

    def offsets_at(self, partitions: Iterable[TopicPartition], time_ms: int) -> dict[TopicPartition, int | None]:
        """
        See `ConsumerGroup.offsets_at`.
        """
        asked = [KafkaTopicPartition(partition.topic, partition.partition, time_ms) for partition in partitions]
        consumer = self._consumer()
        try:
            found = consumer.offsets_for_times(asked, timeout=_ANSWER_S)
        except KafkaException as exc:
            raise TransientError(f"Kafka does not tell offsets by time: {exc.args[0].str()}") from exc
        finally:
            consumer.close()
        return {
            TopicPartition(topic=mark.topic, partition=mark.partition): mark.offset if mark.offset >= 0 else None
            for mark in found
        }

    def _describe(self) -> Any:
        admin = AdminClient(self._config)
        try:
            return admin.describe_consumer_groups([self._group_id], request_timeout=_ANSWER_S)[self._group_id].result()
        except KafkaException as exc:
            error = exc.args[0]
            if error.code() == KafkaError._UNSUPPORTED_FEATURE:  # noqa: SLF001 - how the library names its error codes
                raise PermanentError("this Kafka does not tell who is in a group; the embedded one does not") from exc
            raise TransientError(f"Kafka does not describe the group: {error.str()}") from exc

    def _consumer(self) -> Consumer:
        return Consumer({**self._config, "group.id": self._group_id, "enable.auto.commit": False})
