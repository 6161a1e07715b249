"""
Settings, from the environment (`ODIM_RELAY_*`, groups by `__`) and a `.env` file. Durations end in `_s`: seconds.

Read by bootstrap, the command line and celeryconfig only; everything below gets plain values.
"""

import os
import re
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from odim_relay.errors import ConfigurationError
from odim_relay.settings.delivering import (
    BreakerSettings,
    DeadLetterSettings,
    DeliverySettings,
    EgressSettings,
    HistorySettings,
    LedgerSettings,
    QuarantineSettings,
    SecretsSettings,
)
from odim_relay.settings.showing import (
    ApiSettings,
    AuditSettings,
    FlowerSettings,
    LivenessSettings,
    LogSettings,
    TracingSettings,
    UiSettings,
)
from odim_relay.settings.stores import (
    BrokerSettings,
    KafkaSecuritySettings,
    KafkaSettings,
    OdimSettings,
    RedisSettings,
)

__all__ = [
    "ENV_PREFIX",
    "ApiSettings",
    "AuditSettings",
    "BreakerSettings",
    "BrokerSettings",
    "DeadLetterSettings",
    "DeliverySettings",
    "EgressSettings",
    "FlowerSettings",
    "HistorySettings",
    "KafkaSecuritySettings",
    "KafkaSettings",
    "LedgerSettings",
    "LivenessSettings",
    "LogSettings",
    "OdimSettings",
    "QuarantineSettings",
    "RedisSettings",
    "SecretsSettings",
    "Settings",
    "TracingSettings",
    "UiSettings",
    "dotenv_names",
    "known_variables",
    "load",
]

ENV_PREFIX = "ODIM_RELAY_"
# What Kubernetes injects for services that are called odim-relay-something.
_INJECTED = re.compile(r"ODIM_RELAY_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT\w*|PORT|PORT_\w+)$")


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
    history: HistorySettings = HistorySettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
    liveness: LivenessSettings = LivenessSettings()
    audit: AuditSettings = AuditSettings()
    flower: FlowerSettings = FlowerSettings()
    api: ApiSettings = ApiSettings()
    ui: UiSettings = UiSettings()

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
