"""
A real RabbitMQ for tests, of this machine's own installation and apart from any that runs on it.
"""

import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

from amqp import Connection
from amqp.exceptions import AMQPError, NotFound

from tests.support.processes import LocalProcess, accepts_connections, free_port

PACKAGE = "rabbitmq-server"
# Debian's `rabbitmq-server` of PATH changes to a user and a folder of its own; the program behind it does not.
_BEHIND_DEBIANS = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_CONF = """\
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users.guest = true
# The disk and the memory of a busy machine are no reason to stop a test's publishers.
disk_free_limit.absolute = 1MB
vm_memory_high_watermark.relative = 0.9
"""


class RabbitMQMissingError(Exception):
    """
    RabbitMQ cannot be started here; the message names what is missing and how to get it.
    """


@cache
def rabbitmq_program() -> str:
    """
    The `rabbitmq-server` that any user may start.
    """
    program = str(_BEHIND_DEBIANS) if _BEHIND_DEBIANS.exists() else shutil.which("rabbitmq-server")
    if program is None:
        raise RabbitMQMissingError(f"no rabbitmq-server on PATH: install RabbitMQ (Debian: {PACKAGE})")
    for needed in ("erl", "epmd"):
        if shutil.which(needed) is None:
            raise RabbitMQMissingError(f"no {needed} on PATH: install Erlang (Debian: erlang-base)")
    return program


class _PortMapper(LocalProcess):
    """
    epmd, which each Erlang node must have. One that a node starts itself would outlive it.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        super().__init__(f"epmd-{self.port}", ["epmd", "-port", str(self.port), "-address", "127.0.0.1"], folder)

    def is_ready(self) -> bool:
        return accepts_connections(self.port)


class RabbitMQServer(LocalProcess):
    """
    One node; `restart`, or `kill` and `start`, keep its port and folder. A restart keeps queues and persistent
    messages; after a kill the last of them may be gone, and nobody may rely on them.

    Measured on two cores: ready in 6 s, 5 s after a kill, 150 MB. Nothing of the machine's own configuration, cookie or
    port mapper is used, so that it runs as any user.
    Construction raises RabbitMQMissingError where there is none.
    """

    start_limit_s = 60.0
    terminate_limit_s = 20.0

    def __init__(self, folder: Path) -> None:
        program = rabbitmq_program()
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.node = f"test{self.port}@localhost"
        self._port_mapper = _PortMapper(folder)
        (folder / "rabbitmq.conf").write_text(_CONF.format(port=self.port))
        (folder / "rabbitmq-env.conf").touch()
        (folder / "enabled_plugins").write_text("[].\n")
        super().__init__(f"rabbitmq-{self.port}", [program], folder, env=self._environment(folder))

    def _environment(self, folder: Path) -> dict[str, str]:
        return {
            "HOME": str(folder),  # Erlang's cookie is made there
            "ERL_EPMD_PORT": str(self._port_mapper.port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            # Two schedulers, and no distribution on other addresses than this machine's.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}",
            # Its script then becomes the node, and no shell stands between us and it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def launch(self) -> None:
        if not self._port_mapper.running:
            self._port_mapper.start()
        super().launch()

    def kill(self) -> None:
        super().kill()
        self._port_mapper.kill()

    def is_ready(self) -> bool:
        if not accepts_connections(self.port):
            return False
        try:
            with self._connection():
                return True
        except (OSError, AMQPError):
            return False

    def queue_depth(self, queue: str = "deliveries") -> int:
        """
        How many messages wait in a queue; those that a worker holds are not among them.
        """
        with self._connection() as connection:
            try:
                return int(connection.channel().queue_declare(queue, passive=True).message_count)
            except NotFound:
                return 0

    def purge(self, queue: str = "deliveries") -> int:
        """
        Forgets the messages that wait in a queue, and returns how many there were.
        """
        with self._connection() as connection:
            return int(connection.channel().queue_purge(queue))

    def _connection(self) -> Any:
        return Connection(f"127.0.0.1:{self.port}", connect_timeout=2, read_timeout=5, write_timeout=5)


def rabbitmq_in_words() -> str:
    """
    The version of this machine's, or what is missing.
    """
    try:
        program = Path(rabbitmq_program()).resolve()
    except RabbitMQMissingError as exc:
        return str(exc)
    names = [part for part in program.parts if part.startswith("rabbitmq_server-")]
    return names[0].partition("-")[2] if names else "of an unknown version"


if __name__ == "__main__":
    # Asked by scripts/test-servers: is it there?
    try:
        rabbitmq_program()
    except RabbitMQMissingError as exc:
        sys.exit(str(exc))
