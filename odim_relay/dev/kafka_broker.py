"""
The embedded Kafka: librdkafka's mock of a broker, in this process's memory.
"""

from collections.abc import Iterable
from uuid import uuid4

from confluent_kafka import Producer

_ANSWER_S = 10.0

NOTICE = "The embedded Kafka is in memory: it begins empty at each start and keeps the last 5 MB of each partition."


class EmbeddedKafka:
    """
    A broker on loopback that lives as long as this object, and begins empty.

    Attributes:
        incarnation: tells this broker from the one of another start: it knows no topic ids.
    """

    def __init__(self, topics: Iterable[str]) -> None:
        """
        Args:
            topics: are made at once, with four partitions each; others when they are first asked for.
        """
        self.incarnation = str(uuid4())
        self._cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "ignored", "log_level": 0})
        (broker,) = self._cluster.list_topics(timeout=_ANSWER_S).brokers.values()
        self.bootstrap_servers = f"{broker.host}:{broker.port}"
        for topic in topics:
            self._cluster.list_topics(topic, timeout=_ANSWER_S)
