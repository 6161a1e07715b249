"""
How a stack in the foreground is stopped.
"""

import signal
from threading import Event as Flag

from odim_relay.dev.stack import Stack


def obey_signals(stack: Stack, stopping: Flag) -> None:
    """
    Stop the stack when told to; at once when told again.
    """

    def obey(*_: object) -> None:
        if stopping.is_set():
            stack.kill()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, obey)
