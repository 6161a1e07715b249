"""
A duty of the schedule that may take long: done by one process at a time.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

from odim_relay.errors import TransientError
from odim_relay.ports import Turn
from odim_relay.telemetry import logger

log = logger(__name__)

# A killed process's turn runs out soon enough for its work to be resumed within a minute (S13).
_HOLD_S = 12.0
_KEEP_EVERY_S = 3.0


class Duty:
    """
    Does its work when nobody else does, and begins it at most once in half of its interval.

    So a run that takes longer than the interval does not take one worker slot after the other, and what the schedule
    sent while nobody listened is not done again and again. The work is safe to run twice all the same (L28).
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        *,
        new_turn: Callable[[], Turn],
        interval_s: float,
        monotonic_s: Callable[[], float],
    ) -> None:
        """
        Args:
            interval_s: of the schedule.
            monotonic_s: gives seconds since some moment.
        """
        self._name = name
        self._work = work
        self._new_turn = new_turn
        self._interval_s = interval_s
        self._monotonic_s = monotonic_s

    def __call__(self) -> bool:
        """
        Work, if it is our turn; tells whether it was.

        Raises:
            TransientError: a store cannot be reached.
        """
        turn = self._new_turn()
        if not turn.take(_HOLD_S):
            log.debug("duty.skipped", duty=self._name)
            return False
        began_at_s = self._monotonic_s()
        ended = Event()
        keeper = Thread(target=self._keep, args=(turn, ended), name=f"{self._name}-turn", daemon=True)
        keeper.start()
        try:
            self._work()
        finally:
            ended.set()
            keeper.join()
            with suppress(TransientError):
                turn.leave(max(self._interval_s / 2 - (self._monotonic_s() - began_at_s), 0.0))
        return True

    @staticmethod
    def _keep(turn: Turn, ended: Event) -> None:
        while not ended.wait(_KEEP_EVERY_S):
            with suppress(TransientError):
                turn.take(_HOLD_S)
