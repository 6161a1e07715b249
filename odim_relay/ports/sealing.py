"""
Secrets that do not stand in a store as they are.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol


class Sealer(Protocol):
    """
    Encrypts texts for what they belong to.
    """

    @property
    def can_seal(self) -> bool:
        """
        Whether there is a key. Without one secrets stand as they are.
        """
        ...

    def seal(self, plain: str, *, bound_to: str) -> str:
        """
        Encrypt with the newest key; twice the same text gives two results.

        Args:
            bound_to: names what the text belongs to: it cannot be opened as another's.
        """
        ...

    def open(self, sealed: str, *, bound_to: str) -> str:
        """
        The reverse.

        Raises:
            SealedError: none of the keys opens it.
        """
        ...

    def key_id(self, sealed: str) -> str:
        """
        Name the key that it was sealed with.
        """
        ...

    def is_current(self, sealed: str) -> bool:
        """
        Whether it was sealed with the newest key.
        """
        ...


class SealState(StrEnum):
    """
    How a secret stands in a store.
    """

    PLAIN = "plain"
    OLDER = "older"
    CURRENT = "current"
    UNREADABLE = "unreadable"


class SealedStore(Protocol):
    """
    What keeps secrets.
    """

    def seal_states(self) -> Mapping[str, SealState]:
        """
        How each stands that has secrets, by a name for people.
        """
        ...

    def reseal(self, name: str) -> bool:
        """
        Encrypt one with the newest key. Returns False where that was not to be done: it is gone, or is so already.

        Raises:
            SealedError: it cannot be read; nothing was changed.
        """
        ...
