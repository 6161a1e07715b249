"""
Which events were imported, in memory.
"""

from collections.abc import Collection, Sequence

from odim_relay.errors import TransientError


class InMemoryImportedEvents:
    """
    `ImportedEvents`. While `is_down`, nothing can be noted.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.is_down = False

    def among(self, event_ids: Sequence[str]) -> Collection[str]:
        return set(event_ids) & set(self.ids)

    def note(self, event_ids: Sequence[str]) -> None:
        if self.is_down:
            raise TransientError("the store is down")
        self.ids += [id_ for id_ in event_ids if id_ not in self.ids]
