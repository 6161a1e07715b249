"""
What servers and processes say of themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisCondition:
    """
    How the ledger's server does. What it does not tell is None.

    Attributes:
        used_bytes: by data, of `maxmemory_bytes`, of which 0 is no limit.
        host_bytes: memory of its host.
        evicted_count: keys that it dropped to have room, since its start.
        aof_write, aof_rewrite: how it went the last time, `ok` when well.
        answer_ms: how long it takes to answer, in the middle of several times.
        ahead_ms: how far its clock is before ours, half of an answer's time more or less.
        hz: how often a second it looks for what has expired.
    """

    maxmemory_bytes: int | None = None
    used_bytes: int = 0
    host_bytes: int = 0
    evicted_count: int = 0
    aof_write: str = "ok"
    aof_rewrite: str = "ok"
    client_count: int = 0
    most_clients: int | None = None
    hz: int | None = None
    answer_ms: float = 0.0
    ahead_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """
    What the ledger's server says of itself. A configuration that it refuses to tell is None.

    Attributes:
        role: `master`, `slave`.
        condition: None when it was not asked for.
    """

    version: tuple[int, ...]
    is_cluster: bool
    is_behind_sentinel: bool
    role: str
    appendonly: str | None
    appendfsync: str | None
    maxmemory_policy: str | None
    min_replicas_to_write: int | None
    condition: RedisCondition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFacts:
    """
    What Kafka says of a topic.

    Attributes:
        partition_count: 0 when it does not exist.
        replica_count: of the partition that has the fewest.
        configuration: its values by name, as Kafka names them; empty when it does not tell.
    """

    partition_count: int
    replica_count: int = 0
    configuration: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """
    What a worker says of itself.

    Attributes:
        name: Celery's node name.
        version: of odim-relay; empty when it does not tell.
        queues: that it takes tasks from.
        ahead_ms: how far its clock is before ours, half of an answer's time more or less; None when it does not tell.
    """

    name: str
    version: str = ""
    queues: frozenset[str] = frozenset()
    ahead_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """
    A file, or several that belong together, that cannot be used.

    Attributes:
        used_for: who needs it: the name of a setting, or a subscription.
        problem: in words.
    """

    used_for: str
    problem: str
