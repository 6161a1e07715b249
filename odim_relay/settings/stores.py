"""
Where things are: the ledger, the broker, Kafka, ODIM.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from odim_relay.settings.group import Group, Seconds

_BROKERS = ("redis", "rediss", "sentinel", "amqp", "amqps")


class RedisSettings(Group):
    """
    Where the ledger is.
    """

    url: str = Field("redis://127.0.0.1:6379/0", description="redis://, rediss:// or sentinel:// as Celery spells it")
    ca_file: Path | None = Field(
        None, description="certificates that rediss:// is verified against, also Celery's broker"
    )
    key_prefix: str = Field("odim-relay:", description="before every key")
    require_durable: bool = Field(
        default=True,
        description="refuse a server without AOF or with eviction; `odim-relay up` sets false, which only warns",
    )


class BrokerSettings(Group):
    """
    Where Celery's queues are.
    """

    url: str | None = Field(None, description="Celery's broker; unset is the ledger's server, database 1")

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: str | None) -> str | None:
        if url is not None and url.partition("://")[0] not in _BROKERS:
            raise ValueError(f"a broker's URL begins with one of {', '.join(f'{name}://' for name in _BROKERS)}")
        return url


class KafkaSecuritySettings(Group):
    """
    TLS and SASL of the connection to Kafka, as librdkafka names them.
    """

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    ca_file: Path | None = Field(None, description="certificates that brokers are verified against")
    cert_file: Path | None = Field(None, description="our certificate, for brokers that ask for one")
    key_file: Path | None = Field(None, description="its key")
    sasl_mechanism: str = Field("", description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER")
    sasl_username: str = Field("", description="for PLAIN and SCRAM")
    sasl_password: str = Field("", description="for PLAIN and SCRAM", json_schema_extra={"secret": True})


class KafkaSettings(Group):
    """
    Where events come from.
    """

    bootstrap_servers: str = Field("127.0.0.1:9092", description="host:port, several by comma")
    topics: tuple[str, ...] = Field(("REDFISH-EVENTS-TOPIC",), description="JSON list")
    formats: dict[str, str] = Field(default_factory=dict, description="JSON object, topic to format; others are odim")
    group_id: str = Field("odim-relay", description="the consumer group of all bridges")
    session_timeout_s: Seconds = Field(
        10, description="until the partitions of a bridge that died without a word go to another"
    )
    incarnation: str = Field(
        "", description="changes when a broker that tells no topic id starts empty; the embedded one's start sets it"
    )
    security: KafkaSecuritySettings = KafkaSecuritySettings()

    @field_validator("topics")
    @classmethod
    def _some_topic(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        if not topics:
            raise ValueError("name at least one topic")
        return topics


class OdimSettings(Group):
    """
    An ODIM installation whose events are delivered here.
    """

    redis_url: str | None = Field(
        None,
        description="ODIM's on-disk Redis, as REDIS__URL is spelled: its subscriptions, sources and aggregates are "
        "followed live, read only; unset follows none",
    )
    redis_ca_file: Path | None = Field(None, description="certificates that rediss:// is verified against")
    redis_cert_file: Path | None = Field(None, description="our certificate, for a server that asks for one")
    redis_key_file: Path | None = Field(None, description="its key")
    read_interval_s: Seconds = Field(
        30, description="how often all of it is read; what changes in between is found by its notifications"
    )
    url_translation: dict[str, str] = Field(
        default_factory=lambda: {"ODIM": "redfish"},
        description="JSON object: what the first segment of the plugins' URIs is called here",
    )
