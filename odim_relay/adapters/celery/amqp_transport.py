"""
Celery's RabbitMQ transport, for which a broker that once gave no answer in time is gone.

py-amqp would wait for the next answer as long, on the same connection: a worker that is told to end says good-bye to
its broker in eight steps on three connections, each with a timeout of its own (S16).
"""

from typing import Any

from celery.worker import state
from kombu.transport import TRANSPORT_ALIASES, pyamqp

_GOOD_BYE_S = 1.0


class Connection(pyamqp.Connection):
    """
    kombu's, given up after the first answer that did not come in time: within `read_timeout`, or a second when the
    worker is to end.
    """

    def blocking_read(self, timeout: float | None = None) -> Any:
        """
        Read one frame; who gives a `timeout` expects that there may be none.
        """
        is_ending = state.should_stop is not None  # 0 is an exit status
        try:
            return super().blocking_read(_GOOD_BYE_S if timeout is None and is_ending else timeout)
        except TimeoutError:
            if timeout is None:
                self.collect()
            raise


class Transport(pyamqp.Transport):
    """
    `amqp://`.
    """

    Connection = Connection


class SSLTransport(pyamqp.SSLTransport):
    """
    `amqps://`.
    """

    Connection = Connection


def install() -> None:
    """
    Make kombu use these for its RabbitMQ URLs, in this process.
    """
    for scheme in ("amqp", "pyamqp"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
    TRANSPORT_ALIASES["amqps"] = f"{__name__}:SSLTransport"
