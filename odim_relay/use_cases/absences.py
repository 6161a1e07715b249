"""
What is not there any more, or only not there just now.
"""

from collections.abc import Collection


class Absences:
    """
    Names that are missing from a table that is rewritten while it is read: a row is taken out, then put in anew. One
    counts as gone when it was missing each time that was looked, for a grace.

    Where much is missing at once, it was more likely an accident than somebody's wish: then the longer grace counts.
    """

    def __init__(self, grace_s: float, *, grace_for_many_s: float, many: int = 10) -> None:
        """
        Args:
            grace_for_many_s: where `many` and more, and over half of what is known, are missing.
        """
        self._grace_s = grace_s
        self._grace_for_many_s = grace_for_many_s
        self._many = many
        self._missing_since_s: dict[str, float] = {}
        self.due_at_s: float | None = None

    def gone(self, missing: Collection[str], *, known_count: int, now_s: float) -> set[str]:
        """
        Tell which of the names that are missing now are gone. `due_at_s` is when the next of the others will be; None
        when there are none.

        Args:
            missing: all that are.
            known_count: of those that are there and those that are missing.
        """
        is_much = len(missing) >= self._many and 2 * len(missing) > known_count
        grace_s = self._grace_for_many_s if is_much else self._grace_s
        since_s = {name: self._missing_since_s.get(name, now_s) for name in missing}
        gone = {name for name, began_at_s in since_s.items() if now_s - began_at_s >= grace_s}
        self._missing_since_s = {name: began_at_s for name, began_at_s in since_s.items() if name not in gone}
        self.due_at_s = min(self._missing_since_s.values(), default=now_s) + grace_s if self._missing_since_s else None
        return gone

    def forget(self) -> None:
        """
        Begin anew: nobody knows what was there meanwhile.
        """
        self._missing_since_s = {}
        self.due_at_s = None
