"""
Who keeps what odim-relay knows of: itself, or a system that it follows.
"""

from enum import StrEnum


class Keeper(StrEnum):
    """
    Where a subscription, a source or an aggregate is created, changed and removed. What another one keeps is shown and
    acted on here, and changed there only.
    """

    OWN = "own"
    ODIM = "odim"
