"""
Following ODIM's tables while the bridge runs.
"""

from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from typing import Self

from odim_relay.errors import OdimRelayError, PermanentError, TransientError
from odim_relay.ports import InventoryStore, OdimStore, Turn
from odim_relay.telemetry import logger
from odim_relay.use_cases.mirror import Mirror

log = logger(__name__)

_HOLD_S = 15.0
_KEEP_EVERY_S = 5.0
_BACK_OFF_S = 1.0
_LISTEN_S = 0.5
_CALM_S = 0.1
"""
When nothing was heard for so long, what was being rewritten is written.
"""
_CALM_AT_MOST_S = 1.0
_REST_FACTOR = 4
"""
A pass takes the processor from the bridge: hints are answered no faster than that a fifth of the time goes into passes.
"""
_TELL_EVERY_S = 10.0
_END_WITHIN_S = 2.0


class Following:
    """
    Reads ODIM's tables in a thread of its own: at once, when something changed, and every so often. Of all bridges one
    does so at a time.
    """

    def __init__(
        self,
        *,
        mirror: Mirror,
        odim: OdimStore,
        inventory: InventoryStore,
        turn: Turn,
        interval_s: float,
        monotonic_s: Callable[[], float],
        stop: Flag | None = None,
    ) -> None:
        """
        Args:
            interval_s: between two readings, whatever is heard.
            monotonic_s: the clock of `mirror` too.
            stop: is set when it is to end, and waited for.
        """
        self._mirror = mirror
        self._odim = odim
        self._inventory = inventory
        self._turn = turn
        self._interval_s = interval_s
        self._monotonic_s = monotonic_s
        self._stop = stop or Flag()
        self._thread = Thread(target=self.run, name="odim-following", daemon=True)
        self._is_ours = False
        self._keep_at_s = self._read_at_s = self._rested_at_s = monotonic_s()
        self._is_deaf = False
        self._is_troubled = False
        self._standing = "they are being read"

    def __enter__(self) -> Self:
        """
        Begin; once.
        """
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """
        Have it end, and wait until it has; for a server that hangs no longer than two seconds.
        """
        self.stop()
        self._thread.join(_END_WITHIN_S)

    def stop(self) -> None:
        """
        Have it end. Safe to call from a signal handler.
        """
        self._stop.set()

    def wait_until_read(self, note_alive: Callable[[], None] = lambda: None) -> bool:
        """
        Wait until the tables were read once, by whichever bridge, now or long ago: before that, their being empty means
        nothing. False when it was stopped before. Calls `note_alive` every moment meanwhile.
        """
        told_at_s = self._monotonic_s()
        while not self._stop.is_set():
            note_alive()
            why = self._standing
            try:
                if self._inventory.has_been_read():
                    return True
            except TransientError as exc:
                why = str(exc)
            if self._monotonic_s() >= told_at_s:
                log.warning("bridge.waiting", detail=f"ODIM's subscriptions and sources are not known yet: {why}")
                told_at_s += _TELL_EVERY_S
            self._stop.wait(_LISTEN_S)
        return False

    def run(self) -> None:
        """
        Follow until `stop`. Nothing that happens ends it before.
        """
        while not self._stop.is_set():
            try:
                self._step()
            except Exception as exc:  # noqa: BLE001 - told; the last good view serves on, and the next pass may succeed
                self._note_trouble(exc)
        self._leave()

    def _step(self) -> None:
        if not self._holds_turn():
            self._standing = "another bridge follows ODIM, and has not read them"
            self._stop.wait(_BACK_OFF_S)
            return
        now_s = self._monotonic_s()
        # It listens before it reads for the first time: what changes in between is heard of.
        if self._hears(min(_LISTEN_S, max(self._read_at_s - now_s, 0.0))):
            self._let_calm_down()
            self._read_at_s = min(self._read_at_s, max(self._monotonic_s(), self._rested_at_s))
        if self._monotonic_s() >= self._read_at_s and not self._stop.is_set():
            self._read()

    def _read(self) -> None:
        began_at_s = self._monotonic_s()
        due_at_s = self._mirror.read()
        now_s = self._monotonic_s()
        self._rested_at_s = now_s + _REST_FACTOR * (now_s - began_at_s)
        self._read_at_s = now_s + self._interval_s
        if due_at_s is not None:
            self._read_at_s = min(self._read_at_s, max(due_at_s, now_s))
        if self._is_troubled:
            log.info("odim.followed_again")
        self._is_troubled = False

    def _holds_turn(self) -> bool:
        now_s = self._monotonic_s()
        if self._is_ours and now_s < self._keep_at_s:
            return True
        was_ours, self._is_ours = self._is_ours, self._turn.take(_HOLD_S)
        self._keep_at_s = now_s + _KEEP_EVERY_S
        if self._is_ours and not was_ours:
            self._begin_anew()
            log.info("odim.followed")
        return self._is_ours

    def _hears(self, at_most_s: float) -> bool:
        if not self._is_deaf:
            try:
                return self._odim.wait_for_change(at_most_s)
            except PermanentError as exc:
                self._is_deaf = True
                log.warning("odim.notifications_refused", detail=str(exc), interval_s=self._interval_s)
        self._stop.wait(at_most_s)
        return False

    def _let_calm_down(self) -> None:
        """
        ODIM writes a row anew by taking it out first: a moment later there is less to be patient about.
        """
        until_s = self._monotonic_s() + _CALM_AT_MOST_S
        while self._monotonic_s() < until_s and not self._stop.is_set() and self._hears(_CALM_S):
            pass

    def _begin_anew(self) -> None:
        self._mirror.forget_absences()
        self._read_at_s = self._rested_at_s = self._monotonic_s()

    def _note_trouble(self, exc: Exception) -> None:
        detail = str(exc) if isinstance(exc, OdimRelayError) else f"{type(exc).__name__}: {exc}"
        if not self._is_troubled:
            is_a_fault = not isinstance(exc, TransientError)
            log.warning("odim.not_followed", detail=f"{detail}; what was read last serves on", exc_info=is_a_fault)
        self._is_troubled = True
        self._standing = detail
        self._begin_anew()
        self._stop.wait(_BACK_OFF_S)

    def _leave(self) -> None:
        try:
            if self._is_ours:
                self._turn.leave()
        except TransientError as exc:
            log.warning("odim.turn_not_left", detail=str(exc))  # it runs out by itself
