"""
Celery's beat, of which several may run: one sends, the others stand by.
"""

import time
from typing import Any

from celery.beat import Scheduler

from odim_relay.errors import TransientError
from odim_relay.ports import Turn
from odim_relay.telemetry import logger

log = logger(__name__)

# Whoever stands by takes over at most 13 s after the sender died (S13).
_HOLD_S = 10.0
_ASK_EVERY_S = 3.0
_SHORTEST_PAUSE_S = 0.01


class SharedScheduler(Scheduler):  # type: ignore[misc] # Celery has no types
    """
    Sends while the turn is ours. The app has the function that makes it, `beat_turn`, and the one that is told of each
    round, `note_alive`.

    Of intervals only, and by a clock that cannot be set: Celery's own would send nothing for an hour after the host's
    was put back by one.
    """

    def __init__(self, app: Any, *arguments: Any, **options: Any) -> None:
        self._turn: Turn | None = None
        self._is_sending: bool | None = None  # not known yet
        self._ask_at_s = 0.0
        self._due_at_s: dict[str, float] = {}
        super().__init__(app, *arguments, **options)

    def tick(self, *_: Any, **__: Any) -> float:
        """
        Send what is due, if we are the one who sends. Returns how long to sleep, in seconds.
        """
        self.app.note_alive()
        now_s = time.monotonic()
        if now_s >= self._ask_at_s:
            self._ask(now_s)
        next_s = self._ask_at_s
        if self._is_sending:
            self._send_due(now_s)
            next_s = min(next_s, *self._due_at_s.values())
        return float(max(next_s - time.monotonic(), _SHORTEST_PAUSE_S))

    def close(self) -> None:
        """
        Let another one send at once.
        """
        try:
            if self._turn is not None:
                self._turn.leave()
        except TransientError:
            pass  # it runs out by itself
        finally:
            super().close()

    def _ask(self, now_s: float) -> None:
        self._ask_at_s = now_s + _ASK_EVERY_S
        detail = "another one sends"
        try:
            self._turn = self._turn or self.app.beat_turn()
            is_ours = self._turn.take(_HOLD_S)
        except TransientError as exc:
            # Every duty needs the ledger: who cannot reach it misses nothing by not sending.
            is_ours, detail = False, str(exc)
        if is_ours and not self._is_sending:
            log.info("beat.sending")
            self._due_at_s.clear()  # who sent before us may be dead for long: everything is due
        elif not is_ours and self._is_sending is not False:
            log.warning("beat.standing_by", detail=detail)
        self._is_sending = is_ours

    def _send_due(self, now_s: float) -> None:
        for name, entry in self.schedule.items():
            if self._due_at_s.get(name, 0.0) <= now_s:
                self._due_at_s[name] = now_s + entry.schedule.seconds
                self.apply_entry(entry, producer=self.producer)
