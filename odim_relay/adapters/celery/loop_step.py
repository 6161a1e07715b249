"""
A worker's main loop, and how it is told that it comes round.
"""

from typing import Any

from celery import bootsteps

_EVERY_S = 2.0


class LoopStep(bootsteps.StartStopStep):  # type: ignore[misc] # Celery has no types
    """
    Calls the app's `note_alive` from the loop.

    A step of the consumer: a new connection to the broker forgets the loop's timers, and starts these steps anew. While
    there is no connection, those who try to make one call it: see `EagerConnection`.
    """

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        """
        Have it called from now on.
        """
        parent.app.note_alive()
        self._timer = parent.timer.call_repeatedly(_EVERY_S, parent.app.note_alive)

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """
        No more.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
