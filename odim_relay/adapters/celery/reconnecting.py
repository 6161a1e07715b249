"""
Celery's connection to its broker, tried every few seconds however long the broker has been away (S14).

kombu waits two seconds longer after each failure, up to 32 s, and Celery has no setting for it.
"""

from typing import Any

from celery.app.amqp import AMQP
from kombu.connection import Connection

# kombu adds its first pause, of 2 s, to it.
_LONGEST_PAUSE_S = 3


class EagerConnection(Connection):
    """
    kombu's, with shorter pauses.
    """

    def ensure_connection(self, errback: Any = None, max_retries: int | None = None, **options: Any) -> Any:
        """
        See `kombu.Connection.ensure_connection`.
        """
        options.setdefault("interval_max", _LONGEST_PAUSE_S)
        return super().ensure_connection(errback, max_retries, **options)  # type: ignore[no-untyped-call]


class Amqp(AMQP):  # type: ignore[misc] # Celery has no types
    """
    Celery's, with those connections.
    """

    Connection = EagerConnection
