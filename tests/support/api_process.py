"""
The API's process in a test, over TLS with the certificate that it makes itself.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import free_port
from tests.support.redis_server import RedisServer
from tests.support.relay_process import RelayProcess, procfile_command

ADMIN = ("admin", "pass word of the admin")


class ApiProcess(RelayProcess):
    """
    `odim-relay api` on a free port that it has again after a restart.

    Attributes:
        url: without a path.
        ca_file: what its certificate is verified against; there once it is ready.
        user, password: of an Administrator, as far as Redis held no account when it started.
    """

    terminate_limit_s = 15.0

    def __init__(
        self, folder: Path, *, redis: RedisServer, settings: Mapping[str, object] | None = None, name: str = "api"
    ) -> None:
        self.user, self.password = ADMIN
        self.port = free_port()
        chosen: dict[str, object] = {
            "REDIS__URL": redis.url(),
            "REDIS__REQUIRE_DURABLE": "false",
            "KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "LOG__FORMAT": "json",
            "API__PORT": self.port,
            "API__ADMIN_USERNAME": self.user,
            "API__ADMIN_PASSWORD": self.password,
            **(settings or {}),
        }
        env = {f"ODIM_RELAY_{variable}": str(value) for variable, value in chosen.items()}
        super().__init__(name, procfile_command("api"), folder, env, ready='"event": "api.started"')
        self._is_plain = str(chosen.get("API__PLAIN_HTTP", "false")).lower() == "true"
        self.url = f"{'http' if self._is_plain else 'https'}://127.0.0.1:{self.port}"
        self.ca_file = folder / f"{name}-ca.pem"

    def wait_ready(self) -> None:
        super().wait_ready()
        if not self._is_plain:
            self.ca_file.write_text(ssl.get_server_certificate(("127.0.0.1", self.port), timeout=10))
