"""
Kafka, and what its records are.
"""

from contextlib import closing
from typing import Any

from odim_relay.adapters.kafka.configuration import accepted_configuration
from odim_relay.adapters.kafka.consumer import KafkaSource, Rebalance
from odim_relay.adapters.kafka.group import KafkaGroup
from odim_relay.adapters.kafka.producer import KafkaSink
from odim_relay.adapters.kafka.topics import KafkaTopics
from odim_relay.bootstrap.process import settings
from odim_relay.bootstrap.stores import ledger_figures
from odim_relay.errors import ConfigurationError
from odim_relay.formats import Decoder
from odim_relay.formats.registry import formats
from odim_relay.formats.wrapping import WRAPPINGS
from odim_relay.use_cases.publish import Publish
from odim_relay.use_cases.status import PartitionStatus, partition_status


def decoders() -> dict[str, Decoder]:
    """
    The decoder of each topic.

    Raises:
        ConfigurationError: a format is not known, or what a segment is called is no segment.
    """
    chosen = settings().kafka
    try:
        known = formats(settings().odim.url_translation)
    except ValueError as exc:
        raise ConfigurationError(f"ODIM__URL_TRANSLATION: {exc}") from exc
    unknown = sorted({name for name in chosen.formats.values() if name not in known})
    if unknown:
        raise ConfigurationError(
            f"KAFKA__FORMATS names {', '.join(unknown)}; the formats are {', '.join(sorted(known))}"
        )
    return {topic: known[chosen.formats.get(topic, "odim")] for topic in chosen.topics}


def kafka_config() -> dict[str, Any]:
    """
    The connection to Kafka, as librdkafka names its parts.
    """
    chosen = settings().kafka
    named = {
        "bootstrap.servers": chosen.bootstrap_servers,
        "security.protocol": chosen.security.protocol,
        "ssl.ca.location": chosen.security.ca_file,
        "ssl.certificate.location": chosen.security.cert_file,
        "ssl.key.location": chosen.security.key_file,
        "sasl.mechanism": chosen.security.sasl_mechanism,
        "sasl.username": chosen.security.sasl_username,
        "sasl.password": chosen.security.sasl_password,
    }
    return {name: str(value) for name, value in named.items() if value}


def kafka_source(rebalance: Rebalance | None = None) -> KafkaSource:
    """
    A consumer of the group; without `rebalance` one that only asks.
    """
    chosen = settings().kafka
    session_ms = round(chosen.session_timeout_s * 1000)
    with accepted_configuration():
        return KafkaSource(
            {
                **kafka_config(),
                "group.id": chosen.group_id,
                "client.id": "odim-relay",
                "session.timeout.ms": session_ms,
                "heartbeat.interval.ms": session_ms // 3,
            },
            chosen.topics,
            incarnation=chosen.incarnation,
            rebalance=rebalance,
        )


def partitions() -> list[PartitionStatus]:
    """
    How far each partition was taken in; takes seconds when Kafka does not answer.

    Raises:
        TransientError: Kafka or Redis cannot be reached.
    """
    with closing(kafka_source()) as source:
        return partition_status(source, ledger_figures().positions())


def consumer_group() -> KafkaGroup:
    """
    The bridges' group, from outside.
    """
    return KafkaGroup(kafka_config(), settings().kafka.group_id)


def kafka_topics() -> KafkaTopics:
    """
    What Kafka says of topics.
    """
    with accepted_configuration():
        return KafkaTopics(kafka_config())


def publish(topic: str, format_name: str) -> Publish:
    """
    Writes events to a topic.
    """
    with accepted_configuration():
        sink = KafkaSink({**kafka_config(), "client.id": "odim-relay"})
    return Publish(sink=sink, topic=topic, wrap=WRAPPINGS[format_name])
