"""
Where sessions are kept.
"""

from collections.abc import Sequence
from typing import Protocol

from odim_relay.domain.account import Session


class SessionStore(Protocol):
    """
    Who is logged in. A session that was not used for the timeout is gone.
    """

    def save(self, session: Session) -> None:
        """
        Begin it.
        """
        ...

    def use(self, session_id: str) -> Session | None:
        """
        Read it, and let it last for another timeout.
        """
        ...

    def get(self, session_id: str) -> Session | None:
        """
        Read it; that is no use of it.
        """
        ...

    def everything(self) -> Sequence[Session]:
        """
        List all, oldest first.
        """
        ...

    def delete(self, session_id: str) -> bool:
        """
        End it. Returns False when there was none.
        """
        ...

    def timeout_s(self) -> int:
        """
        Read how long a session lasts without use, in seconds.
        """
        ...

    def set_timeout_s(self, timeout_s: int) -> None:
        """
        Say how long; counts for each session from its next use on.
        """
        ...
