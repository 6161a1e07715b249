"""
Records from Kafka, positions given to it and never asked of it.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicCollection
from confluent_kafka import TopicPartition as KafkaTopicPartition
from confluent_kafka.admin import AdminClient

from odim_relay.adapters.kafka.refusals import WITHOUT_A_WORD, explained
from odim_relay.domain.topic_epoch import TopicOrigin
from odim_relay.domain.trace_context import traceparent_of
from odim_relay.errors import PermanentError, TransientError
from odim_relay.ports import Commit, Record, TopicPartition
from odim_relay.telemetry import logger

log = logger(__name__)

_ANSWER_S = 10.0
_COMPLAINTS_HEARD = 20
_MOCK_WAIT_MS = 50
_OF_CONSUMERS = frozenset({"group.id", "session.timeout.ms", "heartbeat.interval.ms"})


class Rebalance(Protocol):
    """
    Who is told which partitions are ours.
    """

    def assigned(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """
        Answer with the offset at which to start reading each of them.
        """
        ...

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """
        Let them go: what was read of them is written by now.
        """
        ...

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        """
        Forget them: they may be another's already.
        """
        ...


class KafkaSource:
    """
    One consumer of the group. For one thread.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        topics: Sequence[str],
        *,
        incarnation: str = "",
        rebalance: Rebalance | None = None,
    ) -> None:
        """
        Args:
            config: librdkafka's: where Kafka is, the group, TLS and SASL.
            incarnation: of a broker that begins empty at each start and tells no topic ids.
            rebalance: needed by `start`.
        """
        self._topics = topics
        self._rebalance = rebalance
        self._incarnation = incarnation
        self._connection = {name: value for name, value in config.items() if name not in _OF_CONSUMERS}
        self._admin: AdminClient | None = None
        self._is_reading = False
        self._complaints: list[str] = []
        self._consumer = Consumer(
            {
                **config,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "allow.auto.create.topics": False,
                "topic.metadata.refresh.interval.ms": 10_000,
                "queued.max.messages.kbytes": 65_536,
                "fetch.message.max.bytes": 16_777_216,
                "error_cb": self._tell_error,
                # librdkafka's mock answers a fetch when its wait is over, also where a record came long before.
                **({"fetch.wait.max.ms": _MOCK_WAIT_MS} if incarnation else {}),
            },
            logger=_Quiet(),
        )

    def start(self) -> None:
        """
        Join the group.
        """
        self._is_reading = True
        self._consumer.subscribe(
            list(self._topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def read(self, most: int, wait_s: float) -> dict[TopicPartition, list[Record]]:
        """
        Wait for a record, then take what has come already, at most `most`. Rebalances happen in here.

        Raises:
            PermanentError: Kafka refuses for good; the message says what.
        """
        first = self._consumer.poll(wait_s)
        if first is None:
            return {}
        self._complaints.clear()
        messages = [first, *self._consumer.consume(most - 1, 0)]
        read: dict[TopicPartition, list[Record]] = {}
        for message in messages:
            error = message.error()
            if error is not None:
                _judge(error)
                continue
            partition = TopicPartition(topic=message.topic() or "", partition=message.partition() or 0)
            read.setdefault(partition, []).append(_record(message))
        return read

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """
        Read on from `offset`; records that were fetched already are thrown away.
        """
        self._consumer.incremental_unassign([_kafka(partition)])
        self._consumer.incremental_assign([_kafka(partition, offset)])

    def pause(self) -> None:
        """
        Keep the partitions, read nothing.
        """
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """
        Read again.
        """
        self._consumer.resume(self._consumer.assignment())

    def commit(self, offsets: Mapping[TopicPartition, int], metadata: str, *, wait: bool) -> None:
        """
        Commit for the eyes of lag monitors, and as a second witness (L10, L12). Failing does no harm: it is told.
        """
        marks = [_kafka(partition, offset, metadata) for partition, offset in offsets.items()]
        if not marks:
            return
        try:
            if wait:
                self._consumer.commit(offsets=marks, asynchronous=False)
            else:
                self._consumer.commit(offsets=marks, asynchronous=True)
        except KafkaException as exc:
            log.warning("offsets.not_committed", detail=str(exc.args[0]))

    def committed(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Commit]:
        """
        Read what the group has committed; partitions without are left out.

        Raises:
            TransientError: Kafka does not answer.
        """
        with self._translated("reading the group's offsets"):
            marks = self._consumer.committed([_kafka(partition) for partition in partitions], timeout=_ANSWER_S)
        return {
            TopicPartition(topic=mark.topic, partition=mark.partition): Commit(
                offset=mark.offset, metadata=mark.metadata or ""
            )
            for mark in marks
            if mark.offset >= 0
        }

    def bounds(self, partition: TopicPartition) -> tuple[int, int]:
        """
        Read the offsets of a partition's first record and of the one after its last.

        Raises:
            TransientError: Kafka does not answer.
        """
        with self._translated("reading a partition's bounds"):
            low, high = self._consumer.get_watermark_offsets(_kafka(partition), timeout=_ANSWER_S)
        return int(low), int(high)

    def partitions(self) -> list[TopicPartition]:
        """
        List the partitions of all topics; a topic that does not exist has none.

        Raises:
            TransientError: Kafka does not answer.
        """
        with self._translated("listing the topics"):
            known = self._consumer.list_topics(timeout=_ANSWER_S).topics
        return [
            TopicPartition(topic=topic, partition=number)
            for topic in self._topics
            if topic in known and known[topic].error is None
            for number in known[topic].partitions
        ]

    def origin(self, topic: str) -> TopicOrigin:
        """
        Ask the broker which incarnation of the topic it has.

        Raises:
            TransientError: Kafka does not answer.
        """
        with self._translated("listing the topics"):
            cluster_id = self._consumer.list_topics(topic, timeout=_ANSWER_S).cluster_id or ""
        if self._incarnation:
            return TopicOrigin(cluster_id=cluster_id, incarnation=self._incarnation)
        with self._translated("asking for a topic's id"):
            if self._admin is None:
                self._admin = AdminClient(self._connection, logger=_Quiet())
            asked = self._admin.describe_topics(TopicCollection([topic]), request_timeout=_ANSWER_S)
            topic_id = str(asked[topic].result().topic_id)
        return TopicOrigin(cluster_id=cluster_id, topic_id=topic_id.replace("/", "_"))

    @property
    def _listener(self) -> Rebalance:
        if self._rebalance is None:
            raise AssertionError("a source that was made to be asked was told to read")
        return self._rebalance

    def close(self) -> None:
        """
        Leave the group.
        """
        self._consumer.close()

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except KafkaException as exc:
            if not self._is_reading:
                # Why the broker is not there is told to those who poll only, one cause at a time.
                for _ in range(_COMPLAINTS_HEARD):
                    self._consumer.poll(0)
            # One that names a setting says most.
            found = sorted(self._complaints, key=lambda complaint: "KAFKA__" not in complaint)
            why = "".join(f"; {complaint}" for complaint in found[:1])
            raise TransientError(f"Kafka failed while {what}: {exc.args[0].str()}{why}") from exc

    def _tell_error(self, error: KafkaError) -> None:
        """
        Each cause is told once until records come again: librdkafka tells it at each try to connect, many times a
        second.
        """
        complaint = explained(error.str())
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - as below
            if self._is_reading or self._complaints:
                return
            complaint = WITHOUT_A_WORD
        if complaint in self._complaints:
            return
        self._complaints.append(complaint)
        log.warning("kafka.failed", code=error.name(), detail=complaint)

    def _on_assign(self, consumer: Consumer, marks: list[KafkaTopicPartition]) -> None:
        starts = self._listener.assigned([_ours(mark) for mark in marks])
        consumer.incremental_assign([_kafka(partition, offset) for partition, offset in starts.items()])

    def _on_revoke(self, consumer: Consumer, marks: list[KafkaTopicPartition]) -> None:
        self._listener.revoked([_ours(mark) for mark in marks])
        consumer.incremental_unassign(marks)

    def _on_lost(self, consumer: Consumer, marks: list[KafkaTopicPartition]) -> None:
        self._listener.lost([_ours(mark) for mark in marks])
        consumer.incremental_unassign(marks)


def _ours(mark: KafkaTopicPartition) -> TopicPartition:
    return TopicPartition(topic=mark.topic, partition=mark.partition)


def _kafka(partition: TopicPartition, offset: int = OFFSET_BEGINNING, metadata: str = "") -> KafkaTopicPartition:
    if metadata:
        return KafkaTopicPartition(partition.topic, partition.partition, offset, metadata=metadata)
    return KafkaTopicPartition(partition.topic, partition.partition, offset)


def _record(message: Message) -> Record:
    kind, timestamp = message.timestamp()
    return Record(
        offset=message.offset() or 0,
        value=message.value() or b"",
        recorded_at_ms=timestamp if kind else 0,
        traceparent=_traceparent(message),
    )


def _traceparent(message: Message) -> str:
    headers = message.headers()
    if not headers:
        return ""
    return traceparent_of(headers.items() if isinstance(headers, dict) else headers)


_FATAL = frozenset(
    {
        KafkaError._FATAL,  # noqa: SLF001 - how the library names its own error codes
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    }
)


def _judge(error: KafkaError) -> None:
    if error.fatal() or error.code() in _FATAL:
        raise PermanentError(f"Kafka refuses: {error.str()}")
    log.warning("kafka.failed", code=error.name(), detail=error.str())


class _Quiet(logging.Logger):
    """
    librdkafka's own lines, at debug level: what matters of them comes as an error as well.
    """

    def __init__(self) -> None:
        super().__init__("librdkafka", logging.CRITICAL)
