"""
The circuit breaker of a destination: its states and what changes them (ledger rules L29, L30).
"""

from enum import StrEnum


class Breaker(StrEnum):
    """
    Closed lets everything through, open nothing, half-open one probe.
    """

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Signal(StrEnum):
    """
    What a breaker hears.

    `answer` is a 2xx, or a refusal for good, which proves it alive too; `failure` any other outcome; `last_failure` the
    one that fills the count; `wait` a failure with `Retry-After`; `probe` the claim of a delivery at its time.
    """

    ANSWER = "answer"
    FAILURE = "failure"
    LAST_FAILURE = "last_failure"
    WAIT = "wait"
    PROBE = "probe"


CHANGES: dict[Breaker, dict[Signal, Breaker]] = {
    Breaker.CLOSED: {
        Signal.ANSWER: Breaker.CLOSED,
        Signal.FAILURE: Breaker.CLOSED,
        Signal.LAST_FAILURE: Breaker.OPEN,
        Signal.WAIT: Breaker.OPEN,
    },
    Breaker.OPEN: {
        Signal.PROBE: Breaker.HALF_OPEN,
    },
    Breaker.HALF_OPEN: {
        Signal.ANSWER: Breaker.CLOSED,
        Signal.FAILURE: Breaker.OPEN,
        Signal.LAST_FAILURE: Breaker.OPEN,
        Signal.WAIT: Breaker.OPEN,
        Signal.PROBE: Breaker.HALF_OPEN,
    },
}
"""
The legal changes. An outcome counts only if its claim saw the breaker's present generation, which rises whenever it
opens or closes: what was sent before says nothing about now. So nothing but a probe is heard while it is open. A second
`probe` in half-open takes the place of one that was never heard of again.
"""
