"""
A process's sign of life, in a file.
"""

from collections.abc import Callable
from pathlib import Path

from odim_relay.domain.liveness import sign_of_life
from odim_relay.errors import ConfigurationError
from odim_relay.telemetry import logger

log = logger(__name__)

_EVERY_S = 2.0


class LivenessFile:
    """
    Written by the main loop of its process, and by no other thread: what hangs shall look so.
    """

    def __init__(self, path: Path, monotonic_s: Callable[[], float]) -> None:
        """
        Raises:
            ConfigurationError: it cannot be written.
        """
        self._path = path
        self._fresh = path.with_name(f".{path.name}.new")
        self._monotonic_s = monotonic_s
        self._written_at_s = monotonic_s()
        self._is_troubled = False
        try:
            self._write(self._written_at_s)
        except OSError as exc:
            raise ConfigurationError(f"LIVENESS__FILE: {path} cannot be written: {exc.strerror}") from exc

    def note(self) -> None:
        """
        Tell that the loop came round; cheap, as often as one likes. A file that cannot be written any more is told
        once.
        """
        now_s = self._monotonic_s()
        if now_s - self._written_at_s < _EVERY_S:
            return
        self._written_at_s = now_s
        try:
            self._write(now_s)
        except OSError as exc:
            if not self._is_troubled:
                log.warning("liveness.not_written", file=str(self._path), detail=str(exc))
            self._is_troubled = True
        else:
            self._is_troubled = False

    def _write(self, now_s: float) -> None:
        # Whoever reads meanwhile finds the old or the new sign, never half of one.
        self._fresh.write_text(sign_of_life(now_s), encoding="ascii")
        self._fresh.replace(self._path)
