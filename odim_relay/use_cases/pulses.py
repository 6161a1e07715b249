"""
What this process knows of how fast destinations answer.
"""

from odim_relay.domain.pulse import Pulse, after, is_slowing

_MOST = 10_000


class Pulses:
    """
    Threads share one instance; of two answers at once one may go unnoticed.
    """

    def __init__(self) -> None:
        self._known: dict[str, Pulse] = {}

    def is_slowing(self, destination_id: str, duration_s: float, now_s: float) -> bool:
        """
        Take note of a 2xx, and tell whether it took much longer than the ones before.
        """
        pulse = self._known.get(destination_id)
        if pulse is None and len(self._known) >= _MOST:
            self._known.clear()
        self._known[destination_id] = after(pulse, duration_s, now_s)
        return is_slowing(pulse, duration_s, now_s)
