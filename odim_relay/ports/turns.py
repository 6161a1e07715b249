"""
Who does what only one is to do at a time.
"""

from typing import Protocol


class Turn(Protocol):
    """
    The right to do one thing, of one process among many. It runs out by itself: who holds it may have died.

    It saves work and does not protect: whoever was paused for long acts once more after it ran out (L28).
    """

    def take(self, for_s: float) -> bool:
        """
        Take it, or keep it when it is ours already: for `for_s` from now. False when another one has it.

        Raises:
            TransientError: the store cannot be reached; whose turn it is, is not known.
        """
        ...

    def leave(self, rest_s: float = 0.0) -> None:
        """
        Give it up, at once or `rest_s` from now; nothing happens when it is not ours any more.

        Raises:
            TransientError: the store cannot be reached; it runs out by itself.
        """
        ...
