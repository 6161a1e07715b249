"""
How events go out, and what is kept of them.
"""

from base64 import b64decode
from pathlib import Path

from pydantic import Field, IPvAnyNetwork, field_validator

from odim_relay.domain.proxy import read_no_proxy, read_proxy
from odim_relay.settings.group import Group, Seconds

_KEY_BYTES = 32


class DeliverySettings(Group):
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


class SecretsSettings(Group):
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


class EgressSettings(Group):
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


class BreakerSettings(Group):
    """
    Destinations that fail are left alone.
    """

    failures: int = Field(5, ge=1, description="in a row, after which a destination is only probed")
    probe_interval_s: Seconds = Field(30, description="until the first probe; each further interval is twice as long")
    probe_max_interval_s: Seconds = Field(300, description="no interval is longer")


class DeadLetterSettings(Group):
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


class QuarantineSettings(Group):
    """
    Records that could not be understood.
    """

    max_bytes: int = Field(67_108_864, ge=0, description="over it the oldest leave, counted")


class HistorySettings(Group):
    """
    What attempts are remembered, for people to look at.
    """

    attempts: int = Field(20, ge=1, le=100, description="of each subscription, and of each delivery that failed")
    deliveries: int = Field(10_000, ge=1, description="that failed and have a history; the oldest leave")
    retention_s: Seconds = Field(604_800, le=2_592_000, description="no attempt is remembered longer; at most 30 days")


class LedgerSettings(Group):
    """
    How long the ledger waits before it repairs.
    """

    lease_margin_s: Seconds = Field(15, description="a claim is good for the delivery timeout and this")
    reap_interval_s: Seconds = Field(5, description="how often lapsed deliveries are looked for")
    queue_patience_s: Seconds = Field(30, description="until a queued task is first suspected to be lost")
    max_bytes: int | None = Field(
        None, ge=1_048_576, description="budget of all that is kept; unset is 60 % of Redis's maxmemory, or 1 GiB"
    )
