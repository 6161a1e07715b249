"""
What a case found, and what it had to find.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """
    A figure and the bound that it must keep.

    Attributes:
        is_floor: the bound is the least, not the most.
    """

    name: str
    value: float
    bound: float
    unit: str = ""
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        return self.value >= self.bound if self.is_floor else self.value <= self.bound

    def __str__(self) -> str:
        relation = "≥" if self.is_floor else "≤"
        sign = "" if self.is_met else " MISSED"
        return f"{self.name} {self.in_words(self.value)} ({relation} {self.in_words(self.bound)}){sign}"

    def in_words(self, figure: float) -> str:
        """
        A figure with the unit.
        """
        number = f"{figure:.1f}" if isinstance(figure, float) and not figure.is_integer() else f"{figure:.0f}"
        return f"{number} {self.unit}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """
    Of one case.

    Attributes:
        published: deliveries that had to be made.
        kept: of these, parked at the end.
        reordered: of the ordered subscriptions, first arrivals before an older one's; None where none was ordered.
        recovery_s: time to recover, as the case's description says.
        goals: with the figures above that have bounds.
        notes: what else was counted.
    """

    published: int
    delivered: int
    lost: int
    doubled: int
    kept: int
    reordered: int | None = None
    recovery_s: float | None = None
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = ()

    @property
    def is_good(self) -> bool:
        return all(goal.is_met for goal in self.goals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    How the run of a case ended.

    Attributes:
        failure: why there is no result.
        load: of the machine when the case began: the average of one minute.
    """

    name: str
    description: str
    took_s: float
    load: float
    result: Result | None = None
    failure: str = ""
    was_skipped: bool = field(default=False)

    @property
    def is_good(self) -> bool:
        return self.was_skipped or (self.result is not None and self.result.is_good)

    def __str__(self) -> str:
        verdict = "skipped" if self.was_skipped else "ok" if self.is_good else "FAILED"
        head = f"{self.name:<24} {verdict:<7} {self.took_s:5.0f} s"
        if self.result is None:
            return f"{head}  {self.failure}"
        result = self.result
        figures = f"published {result.published}, delivered {result.delivered}"
        return "; ".join([f"{head}  {figures}", *map(str, result.goals), *result.notes])
