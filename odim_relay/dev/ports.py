"""
Free TCP ports for the servers of a stack.
"""

import socket
from contextlib import suppress
from random import SystemRandom

# Below the range from which Linux picks ports for outgoing connections (32768 and up): while a server is restarted,
# nobody is given its port, and no client connects to itself on it.
_PORTS = range(20_000, 32_000)
_TRIES = 200


def free_port() -> int:
    """
    A port of 127.0.0.1 that nobody listens on.

    Raises:
        OSError: none was found.
    """
    random = SystemRandom()
    for _ in range(_TRIES):
        port = random.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no free port between {_PORTS.start} and {_PORTS.stop}")
