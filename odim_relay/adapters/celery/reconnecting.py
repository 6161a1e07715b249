"""
Celery's connection to its broker: tried every few seconds however long the broker has been away (S14), and given up
when the worker is told to end (S16).

kombu waits two seconds longer after each failure, up to 30 s, and a worker's heartbeat event waits so in the middle of
its event loop, without looking whether it is to end. Celery has no setting for either.
"""

from typing import Any

from celery.app.amqp import AMQP
from celery.worker.state import maybe_shutdown
from kombu.connection import Connection

_LONGEST_PAUSE_S = 5


class EagerConnection(Connection):
    """
    kombu's, with shorter pauses and an open ear.
    """

    def _ensure_connection(  # type: ignore[override] # kombu's further options pass through
        self,
        errback: Any = None,
        max_retries: int | None = None,
        interval_start: float = 2,
        interval_step: float = 2,
        interval_max: float = _LONGEST_PAUSE_S,
        callback: Any = maybe_shutdown,
        **options: Any,
    ) -> Any:
        # `maybe_shutdown` does nothing but in a worker that is to end: there it raises, as Celery's own loop does.
        pause_s = min(interval_max, _LONGEST_PAUSE_S)
        return super()._ensure_connection(  # type: ignore[no-untyped-call]
            errback, max_retries, interval_start, interval_step, pause_s, callback, **options
        )


class Amqp(AMQP):  # type: ignore[misc] # Celery has no types
    """
    Celery's, with those connections.
    """

    Connection = EagerConnection
