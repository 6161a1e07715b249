"""
Settings, from the environment (`ODIM_RELAY_*`, groups by `__`) and a `.env` file. Durations end in `_s`: seconds.

Read by bootstrap, the command line and celeryconfig only; everything below gets plain values.
"""

import os
import re
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from odim_relay.domain.proxy import read_no_proxy, read_proxy
from odim_relay.errors import ConfigurationError

ENV_PREFIX = "ODIM_RELAY_"
# What Kubernetes injects for services that are called odim-relay-something.
_INJECTED = re.compile(r"ODIM_RELAY_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\w+)$")

_KEY_BYTES = 32
_BROKERS = ("redis", "rediss", "sentinel", "amqp", "amqps")

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RedisSettings(_Group):
    """
    Where the ledger is.
    """

    url: str = Field("redis://127.0.0.1:6379/0", description="redis://, rediss:// or sentinel:// as Celery spells it")
    ca_file: Path | None = Field(None, description="certificates that rediss:// is verified against")
    key_prefix: str = Field("odim-relay:", description="before every key")
    require_durable: bool = Field(
        default=True,
        description="refuse a server without AOF or with eviction; `odim-relay up` sets false, which only warns",
    )


class BrokerSettings(_Group):
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


class KafkaSecuritySettings(_Group):
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


class KafkaSettings(_Group):
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


class OdimSettings(_Group):
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


class DeliverySettings(_Group):
    """
    How events go out.
    """

    timeout_s: Seconds = Field(15, description="one deadline over DNS, connect, TLS, request and response")
    retry_attempts: int = Field(5, ge=0, description="after the first")
    retry_interval_s: Seconds = Field(15, description="before the first retry; all intervals +/- 20 %")
    retry_factor: float = Field(
        3, ge=1, allow_inf_nan=False, description="each interval is so many times the one before"
    )
    retry_max_interval_s: Seconds = Field(900, description="no interval is longer")
    max_countdown_s: Seconds = Field(900, description="longer waits have no task: they are parked with their due time")
    window: int = Field(256, ge=1, description="deliveries of one subscription that may be queued; the others wait")
    max_in_flight_per_destination: int = Field(
        16,
        ge=1,
        description="requests under way to one destination, of all workers; one that answers fast may have more",
    )
    concurrency: int = Field(16, ge=1, le=1000, description="worker slots per process")
    ca_file: Path | None = Field(
        None, description="certificates destinations are verified against; unset is the system's"
    )
    verify: bool = Field(default=True, description="whether certificates of destinations are verified")
    tls_dir: Path | None = Field(
        None, description="folder of the certificates and keys that subscriptions name; a mounted secret, for one"
    )


class SecretsSettings(_Group):
    """
    Secrets in Redis: what subscriptions are signed and authenticated with, header values, the key of the API's own
    certificate.
    """

    encryption_keys: tuple[str, ...] = Field(
        (),
        description="JSON list of keys, 32 bytes in base64 each, the newest first: that encrypts, all of them "
        "decrypt; empty leaves secrets as they are. `odim-relay secrets new-key` makes one, `odim-relay secrets "
        "rotate` encrypts what is there already",
        json_schema_extra={"secret": True},
    )

    @field_validator("encryption_keys")
    @classmethod
    def _keys(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        # None of them is repeated: what is wrong may be a key with one letter missing.
        seen: set[bytes] = set()
        for number, text in enumerate(texts, 1):
            try:
                key = b64decode(text, validate=True)
            except ValueError:
                raise ValueError(f"key {number} is not base64") from None
            if len(key) != _KEY_BYTES:
                raise ValueError(f"key {number} holds {len(key)} bytes; a key has {_KEY_BYTES}")
            if key in seen:
                raise ValueError(f"key {number} is there twice")
            seen.add(key)
        return texts

    @property
    def keys(self) -> tuple[bytes, ...]:
        """
        The keys as bytes.
        """
        return tuple(map(b64decode, self.encryption_keys))


class EgressSettings(_Group):
    """
    Which addresses events may be sent to: all but loopback, link-local (where clouds keep credentials), multicast and
    reserved ones. Asked when a subscription is saved, and of every address that is connected to.
    """

    allow: tuple[IPvAnyNetwork, ...] = Field(
        (), description='JSON list of networks that are allowed all the same: `["127.0.0.0/8"]`'
    )
    deny: tuple[IPvAnyNetwork, ...] = Field(
        (), description="JSON list of networks that are forbidden, whatever allows them"
    )
    proxy: str | None = Field(
        None,
        description="what destinations are reached through: `scheme://[user:password@]host[:port]` with http, https, "
        "socks5 or socks5h (which looks names up itself)",
        json_schema_extra={"user_info": "secret"},
    )
    no_proxy: tuple[str, ...] = Field(
        (),
        description='JSON list of hosts that are reached directly: `["example.com", ".lab", "10.0.0.0/8"]`; '
        "`*` is all; a leading dot means only what is below it; networks are for hosts given by address",
    )

    @field_validator("proxy")
    @classmethod
    def _some_proxy(cls, proxy: str | None) -> str | None:
        if proxy is not None:
            read_proxy(proxy)
        return proxy

    @field_validator("no_proxy")
    @classmethod
    def _some_hosts(cls, no_proxy: tuple[str, ...]) -> tuple[str, ...]:
        read_no_proxy(no_proxy)
        return no_proxy


class BreakerSettings(_Group):
    """
    Destinations that fail are left alone.
    """

    failures: int = Field(5, ge=1, description="in a row, after which a destination is only probed")
    probe_interval_s: Seconds = Field(30, description="until the first probe; each further interval is twice as long")
    probe_max_interval_s: Seconds = Field(300, description="no interval is longer")


class DeadLetterSettings(_Group):
    """
    What is parked.
    """

    replay_interval_s: Seconds = Field(30, description="how often parked deliveries are looked at")
    expire_interval_s: Seconds = Field(60, description="how often those are looked for whose retention ended")
    retention_s: Seconds = Field(604_800, le=2_592_000, description="how long an event is kept; at most 30 days")
    max_share: float = Field(0.2, gt=0, le=1, description="of LEDGER__MAX_BYTES that one subscription may hold")
    max_count: int = Field(1_000_000, ge=1, description="deliveries that one subscription may hold")
    drain_rate: float = Field(
        0, ge=0, allow_inf_nan=False, description="per second and subscription out of the backlog; 0 is unlimited"
    )


class QuarantineSettings(_Group):
    """
    Records that could not be understood.
    """

    max_bytes: int = Field(67_108_864, ge=0, description="over it the oldest leave, counted")


class LedgerSettings(_Group):
    """
    How long the ledger waits before it repairs.
    """

    lease_margin_s: Seconds = Field(15, description="a claim is good for the delivery timeout and this")
    reap_interval_s: Seconds = Field(5, description="how often lapsed deliveries are looked for")
    queue_patience_s: Seconds = Field(30, description="until a queued task is first suspected to be lost")
    max_bytes: int | None = Field(
        None, ge=1_048_576, description="budget of all that is kept; unset is 60 % of Redis's maxmemory, or 1 GiB"
    )


class LogSettings(_Group):
    """
    What is told.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else JSON lines"
    )


class ApiSettings(_Group):
    """
    The Redfish service.
    """

    bind: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 or :: is every one")
    port: int = Field(8443, ge=0, le=65_535, description="0 is any that is free")
    tls_cert_file: Path | None = Field(
        None, description="certificate with its chain, PEM; unset is a self-signed one, kept in Redis"
    )
    tls_key_file: Path | None = Field(None, description="its key, PEM; unset is in the same file")
    plain_http: bool = Field(default=False, description="HTTP without TLS; on loopback only")
    admin_username: str = Field("admin", description="of the account that the first start makes")
    admin_password: str = Field(
        "",
        description="of that account; unset is one that is generated and printed once",
        json_schema_extra={"secret": True},
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="longer bodies are refused")
    body_timeout_s: Seconds = Field(15, description="a request whose head or body takes longer to come is given up")
    threads: int = Field(40, ge=1, le=1000, description="requests that are worked on at the same time")
    max_subscriptions: int = Field(10_000, ge=1, description="subscriptions that there may be")
    max_streams: int = Field(64, ge=0, description="event streams that one process holds open")
    journal_max_bytes: int = Field(
        16_777_216, ge=65_536, description="of lately taken in events that are kept for streams; the oldest leave"
    )
    journal_linger_s: Seconds = Field(3_600, description="how long they are kept after the last stream ended")


class FlowerSettings(_Group):
    """
    What Flower can see.
    """

    task_events: bool = Field(
        default=True, description="workers tell Flower of each task; costs about half of the engine's speed"
    )


class Settings(BaseSettings):
    """
    All of them. Unknown members of a group are errors, and so are unknown `ODIM_RELAY_*` variables: see `load`.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", env_file=".env", extra="ignore", frozen=True
    )

    redis: RedisSettings = RedisSettings()
    broker: BrokerSettings = BrokerSettings()
    kafka: KafkaSettings = KafkaSettings()
    odim: OdimSettings = OdimSettings()
    delivery: DeliverySettings = DeliverySettings()
    egress: EgressSettings = EgressSettings()
    secrets: SecretsSettings = SecretsSettings()
    breaker: BreakerSettings = BreakerSettings()
    dead_letters: DeadLetterSettings = DeadLetterSettings()
    quarantine: QuarantineSettings = QuarantineSettings()
    ledger: LedgerSettings = LedgerSettings()
    log: LogSettings = LogSettings()
    flower: FlowerSettings = FlowerSettings()
    api: ApiSettings = ApiSettings()

    @property
    def lease_s(self) -> float:
        """
        How long a claim is good for.
        """
        return self.delivery.timeout_s + self.ledger.lease_margin_s

    @property
    def broker_url(self) -> str:
        """
        Celery's broker: as set, else database 1 of the ledger's server.
        """
        if self.broker.url is not None:
            return self.broker.url
        head, separator, query = self.redis.url.partition("?")
        scheme, _, rest = head.partition("://")
        server = rest.rpartition("/")[0] if "/" in rest else rest
        return f"{scheme}://{server}/1{separator}{query}"


def known_variables() -> dict[str, tuple[str, ...]]:
    """
    Every variable, and the path of its setting: `ODIM_RELAY_DELIVERY__TIMEOUT_S` -> `("delivery", "timeout_s")`.
    """
    known: dict[str, tuple[str, ...]] = {}

    def walk(model: type[BaseModel], path: tuple[str, ...]) -> None:
        for name, field in model.model_fields.items():
            here = (*path, name)
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                walk(field.annotation, here)
            else:
                known[ENV_PREFIX + "__".join(here).upper()] = here

    walk(Settings, ())
    return known


def load() -> Settings:
    """
    Read the settings.

    Raises:
        ConfigurationError: a value is wrong or a variable unknown; the message names it.
    """
    known = known_variables()
    for name in sorted({*os.environ, *dotenv_names()}):
        upper = name.upper()
        if upper.startswith(ENV_PREFIX) and upper not in known and not _INJECTED.match(upper):
            raise ConfigurationError(
                f"{name} is not a setting of odim-relay; `odim-relay settings` lists them{_hint(upper, known)}"
            )
    try:
        return Settings()
    except ValidationError as exc:
        lines = [
            # A number is a place in a list, which is one variable.
            f"{ENV_PREFIX}{'__'.join(part for part in error['loc'] if isinstance(part, str)).upper()}: {error['msg']}"
            for error in exc.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError("; ".join(lines)) from None
    except ValueError as exc:
        raise ConfigurationError(f"a setting cannot be read: {exc}; lists and objects are written as JSON") from None


def dotenv_names() -> set[str]:
    """
    The variables that the `.env` file sets; none when there is no such file.
    """
    path = Path(".env")
    if not path.is_file():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.removeprefix("export ").partition("=")[0].strip() for line in lines if "=" in line and line[0] != "#"}


def _hint(name: str, known: dict[str, tuple[str, ...]]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only on the way to an error

    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
