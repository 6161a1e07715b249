"""
How fast a destination answers when it is well, to tell when it is not.
"""

from dataclasses import dataclass

_TIMES = 4.0
_SLOW_S = 0.5
_DOUBLES_IN_S = 60.0
_LONGEST_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """
    Attributes:
        floor_s: the fastest of its answers lately, seconds; what lies back counts less: it doubles each minute.
        at_s: when that was so, seconds since the epoch.
    """

    floor_s: float
    at_s: float

    def floor_at(self, now_s: float) -> float:
        """
        What is left of it now. A clock that was put back changes nothing.
        """
        past_s = min(max(now_s - self.at_s, 0.0), _LONGEST_S)
        return float(self.floor_s * 2.0 ** (past_s / _DOUBLES_IN_S))


def is_slowing(pulse: Pulse | None, duration_s: float, now_s: float) -> bool:
    """
    Whether an answer took much longer than the destination needs: over half a second, and over four times its floor.
    """
    return pulse is not None and duration_s > max(_SLOW_S, _TIMES * pulse.floor_at(now_s))


def after(pulse: Pulse | None, duration_s: float, now_s: float) -> Pulse:
    """
    The pulse with one more answer.
    """
    floor_s = duration_s if pulse is None else min(duration_s, pulse.floor_at(now_s))
    return Pulse(floor_s=floor_s, at_s=now_s)
