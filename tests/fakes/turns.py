"""
Turns in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class InMemoryTurns:
    """
    Who holds which turn; called with a name it gives a new `Turn`. `now_s` is their clock.
    """

    now_s: Callable[[], float]
    held: dict[str, tuple[object, float]] = field(default_factory=dict)

    def __call__(self, name: str) -> "InMemoryTurn":
        return InMemoryTurn(self, name)

    def is_held(self, name: str) -> bool:
        return name in self.held and self.held[name][1] > self.now_s()


class InMemoryTurn:
    """
    `Turn`.
    """

    def __init__(self, turns: InMemoryTurns, name: str) -> None:
        self._turns = turns
        self._name = name

    def take(self, for_s: float) -> bool:
        if self._turns.is_held(self._name) and self._turns.held[self._name][0] is not self:
            return False
        self._turns.held[self._name] = (self, self._turns.now_s() + for_s)
        return True

    def leave(self, rest_s: float = 0.0) -> None:
        if self._turns.is_held(self._name) and self._turns.held[self._name][0] is self:
            self._turns.held[self._name] = (object(), self._turns.now_s() + rest_s)
