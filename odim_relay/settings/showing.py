"""
What is told, served and shown.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from odim_relay.settings.group import Group, Seconds


class LogSettings(Group):
    """
    What is told.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else JSON lines"
    )


class AuditSettings(Group):
    """
    What is remembered of who did what.
    """

    max_entries: int = Field(10_000, ge=1, description="kept of them; of refused log-ins as many again")
    retention_s: Seconds = Field(7_776_000, description="none is kept for longer")


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


class FlowerSettings(Group):
    """
    What Flower can see.
    """

    task_events: bool = Field(
        default=True, description="workers tell Flower of each task; costs about half of the engine's speed"
    )
