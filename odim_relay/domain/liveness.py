"""
A sign of life: when a process's main loop last came round.

The time is the host's monotonic one, which nobody sets: it is the same for the process and for whoever looks at it from
the same machine or container, and a clock put forward by an hour declares nobody dead.
"""


def sign_of_life(now_s: float) -> str:
    """
    The sign as text; always one line of the same length within a host's life.
    """
    return f"{now_s:017.3f}\n"


def age_s(sign: str, now_s: float) -> float:
    """
    How long ago it was given, in seconds; never below 0.

    Raises:
        ValueError: that is no sign of life, or one from before the host was started.
    """
    given_at_s = float(sign)
    if not 0 <= given_at_s <= now_s + 1:
        raise ValueError("a sign of life of another machine, or from before it was started")
    return max(now_s - given_at_s, 0.0)
