"""
Celery's connection to its broker: tried every few seconds however long the broker has been away (S14), and given up
when the worker is told to end (S16).

kombu waits two seconds longer after each failure, up to 30 s, and a worker's heartbeat event waits so in the middle of
its event loop, without looking whether it is to end. Celery has no setting for either.
"""

from collections.abc import Callable
from functools import cached_property
from threading import current_thread, main_thread
from typing import Any

from celery.app.amqp import AMQP
from celery.worker.state import maybe_shutdown
from kombu.connection import Connection

_LONGEST_PAUSE_S = 5


class EagerConnection(Connection):
    """
    kombu's, with shorter pauses and an open ear. `note_alive` is called before each pause of the main thread.
    """

    note_alive: Callable[[], None] = staticmethod(lambda: None)

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

        def between_tries() -> None:
            if current_thread() is main_thread():
                self.note_alive()
            if callback is not None:
                callback()

        return super()._ensure_connection(  # type: ignore[no-untyped-call]
            errback, max_retries, interval_start, interval_step, pause_s, between_tries, **options
        )


class Amqp(AMQP):  # type: ignore[misc] # Celery has no types
    """
    Celery's, with those connections, which call the app's `note_alive`.
    """

    @cached_property
    def Connection(self) -> type[EagerConnection]:  # noqa: N802 - Celery's name
        """
        A class, since kombu's connections make others of their own.
        """
        return type("Connection", (EagerConnection,), {"note_alive": staticmethod(self.app.note_alive)})
