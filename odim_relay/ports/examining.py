"""
What a server says of itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """
    What the ledger's server says of itself. A configuration that it refuses to tell is None.

    Attributes:
        role: `master`, `slave`.
    """

    version: tuple[int, ...]
    is_cluster: bool
    is_behind_sentinel: bool
    role: str
    appendonly: str | None
    appendfsync: str | None
    maxmemory_policy: str | None
    min_replicas_to_write: int | None
