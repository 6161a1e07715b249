"""
What is told, served and shown.
"""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from odim_relay.settings.group import Group, Seconds

_PREFIX = re.compile(r"(?:[\w.-]+(?:/[\w.-]+)*)?", re.ASCII)
_PRINTABLE = re.compile(r"[!-~]+")
_PASSWORD_CHARS = (8, 128)


class LogSettings(Group):
    """
    What is told.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else JSON lines"
    )


class LivenessSettings(Group):
    """
    Whether a process works.
    """

    file: Path | None = Field(
        None,
        description="bridge, workers and beat write it each time their main loop comes round, for `odim-relay alive`; "
        "one per process, so a supervisor that starts several sets it for each; unset writes none",
    )


class AuditSettings(Group):
    """
    What is remembered of who did what.
    """

    max_entries: int = Field(10_000, ge=1, description="kept of them; of refused log-ins as many again")
    retention_s: Seconds = Field(7_776_000, description="none is kept for longer")


class TracingSettings(Group):
    """
    Traces by OpenTelemetry, from the Kafka record to the POST; needs the extra `odim-relay[tracing]`. Headers and
    certificates for the collector are set by OpenTelemetry's own variables, `OTEL_EXPORTER_OTLP_HEADERS` for one.
    """

    enabled: bool = Field(
        default=False, description="whether spans are made; a record's own `traceparent` is passed on in any case"
    )
    otlp_endpoint: str = Field(
        "http://127.0.0.1:4318/v1/traces",
        description="URL of a collector that takes OTLP over HTTP",
        json_schema_extra={"user_info": "secret"},
    )
    sample_ratio: float = Field(
        1, ge=0, le=1, allow_inf_nan=False, description="of the records that bring no `traceparent`, which says itself"
    )

    @field_validator("otlp_endpoint")
    @classmethod
    def _some_url(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("it does not begin with http:// or https://")
        return url


class ApiSettings(Group):
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


class UiSettings(Group):
    """
    The operator page.
    """

    enabled: bool = Field(default=True, description="the api process serves it, at `/ui`")


class FlowerSettings(Group):
    """
    Flower: who may look at tasks and workers, and what there is to see.
    """

    task_events: bool = Field(
        default=True, description="workers tell Flower of each task; costs about half of the engine's speed"
    )
    bind: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 or :: is every one")
    port: int = Field(5555, ge=0, le=65_535, description="0 is any that is free")
    url_prefix: str = Field("", description="path that all of it lies below, behind a proxy: `flower`")
    username: str = Field("admin", description="who may look")
    password: str = Field(
        "",
        description="of that user, 8 to 128 characters of ASCII; without one Flower does not start. `odim-relay up` "
        "takes that of the API's first account",
        json_schema_extra={"secret": True},
    )
    unauthenticated: bool = Field(
        default=False, description="anybody may look: where a proxy asks who it is, or Flower's own OAuth2 does"
    )
    read_only: bool = Field(
        default=True, description="no buttons and no API that stop workers, or revoke and start tasks"
    )
    max_tasks: int = Field(10_000, ge=1, description="tasks that are remembered, the latest; about 5 kB each")
    max_workers: int = Field(1_000, ge=1, description="workers that are remembered")
    purge_offline_workers_s: int = Field(3_600, ge=1, description="a worker that is gone for as long is forgotten")
    inspect_timeout_s: Seconds = Field(2, description="how long workers may take to answer what they are asked")

    @field_validator("url_prefix")
    @classmethod
    def _segments(cls, prefix: str) -> str:
        prefix = prefix.strip("/")
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("a path of letters, digits, `-`, `_` and `.`, as in `tools/flower`")
        return prefix

    @field_validator("username")
    @classmethod
    def _user_of_basic(cls, username: str) -> str:
        if not _PRINTABLE.fullmatch(username) or ":" in username:
            raise ValueError("one or more characters of ASCII, without colons")
        return username

    @field_validator("password")
    @classmethod
    def _password_of_basic(cls, password: str) -> str:
        # Not repeated: it is a secret. Flower cannot compare what is not ASCII.
        shortest, longest = _PASSWORD_CHARS
        if password and not (_PRINTABLE.fullmatch(password) and shortest <= len(password) <= longest):
            raise ValueError(f"{shortest} to {longest} characters of ASCII, without spaces")
        return password
