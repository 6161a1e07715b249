"""
What Kafka says of topics.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined] # its stubs

from odim_relay.errors import TransientError
from odim_relay.ports import TopicFacts

_ANSWER_S = 10.0


class KafkaTopics:
    """
    Asks by Kafka's admin requests.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        """
        Args:
            config: librdkafka's: where Kafka is, TLS and SASL.
        """
        self._admin = AdminClient({**config, "log_level": 0})

    def facts(self, topics: Iterable[str]) -> dict[str, TopicFacts]:
        """
        Ask about these; one that does not exist has no partitions.

        Raises:
            TransientError: Kafka does not answer.
        """
        try:
            known = self._admin.list_topics(timeout=_ANSWER_S).topics
        except KafkaException as exc:
            raise TransientError(f"Kafka does not list its topics: {exc.args[0].str()}") from exc
        found = {}
        for topic in topics:
            partitions = known[topic].partitions.values() if topic in known and known[topic].error is None else ()
            found[topic] = TopicFacts(
                partition_count=len(partitions),
                replica_count=min((len(partition.replicas) for partition in partitions), default=0),
                configuration=self._configuration(topic) if partitions else {},
            )
        return found

    def _configuration(self, topic: str) -> dict[str, str]:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        try:
            told = self._admin.describe_configs([resource], request_timeout=_ANSWER_S)[resource].result()
        except KafkaException:  # the embedded broker knows no such request, and an ACL may forbid it
            return {}
        return {name: str(entry.value) for name, entry in told.items()}
