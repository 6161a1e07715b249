"""
Who does something to the relay.
"""

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    """
    How somebody reaches the relay: over the API, by the command line, or on the operator page.
    """

    API = "api"
    CLI = "cli"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """
    Somebody, as far as is known.

    Attributes:
        name: user name of the account, of the API and the page; the operating system's user, of the command line. Empty
            for who has not shown yet who they are.
        channel: `None` for the relay itself.
        client: address that a request came from; empty for the command line.
    """

    name: str = ""
    channel: Channel | None = None
    client: str = ""


NOBODY = Actor()
"""
The relay itself: what its duties do.
"""
