"""
What is wrong with the stores, and how to mend it. Pure: the facts come in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from odim_relay.ports import Commit, OdimFacts, RedisFacts, SealState, TopicPartition
from odim_relay.use_cases.findings import Finding, config, some, unknown, verdict

_OLDEST_REDIS = (6, 2, 0)
_WAITAOF_REDIS = (7, 2, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """
    What tells whether the ledger and the group's commits belong together (L12).

    Attributes:
        birth: None when there is no ledger yet.
        positions: partitions that the ledger has a position for.
    """

    birth: str | None
    positions: frozenset[TopicPartition] = frozenset()
    commits: Mapping[TopicPartition, Commit] = field(default_factory=dict)


def examine_redis(facts: RedisFacts) -> list[Finding]:
    """
    Judge the ledger's server.
    """
    version = ".".join(map(str, facts.version))
    return [
        verdict(
            "redis version",
            wrong=facts.version < _OLDEST_REDIS,
            found=version if facts.version >= _WAITAOF_REDIS else f"{version}; 7.2 could confirm writes to its AOF",
            remedy="use Redis 6.2 or newer",
        ),
        verdict(
            "redis mode",
            wrong=facts.is_cluster,
            found="cluster" if facts.is_cluster else "single primary",
            remedy="use a single primary, with replicas and Sentinel for fail-over: scripts touch several keys (L34)",
        ),
        _examine_role(facts),
        *examine_durability(facts),
        *_examine_sentinel(facts),
    ]


def examine_durability(facts: RedisFacts) -> list[Finding]:
    """
    Judge whether the ledger's server keeps what it was given (S15). In production nothing starts on one that does not.
    """
    return [
        config(
            "redis persistence",
            facts.appendonly,
            wanted={"yes"},
            name="appendonly",
            remedy="without it a restart of Redis takes the ledger back to the last save point, if there is one: "
            "CONFIG SET appendonly yes, and in redis.conf",
        ),
        config(
            "redis fsync",
            facts.appendfsync,
            wanted={"everysec", "always"},
            name="appendfsync",
            remedy="else half a minute is gone when its host dies: CONFIG SET appendfsync everysec, and in redis.conf",
        ),
        config(
            "redis eviction",
            facts.maxmemory_policy,
            wanted={"noeviction"},
            name="maxmemory-policy",
            remedy="any other policy drops deliveries when memory is full: CONFIG SET maxmemory-policy noeviction, and "
            "in redis.conf",
        ),
    ]


def _examine_role(facts: RedisFacts) -> Finding:
    return verdict(
        "redis role",
        wrong=facts.role != "master",
        found=facts.role,
        remedy="REDIS__URL must lead to the primary: a replica takes no writes",
    )


def _examine_sentinel(facts: RedisFacts) -> list[Finding]:
    if not facts.is_behind_sentinel:
        return []
    count = facts.min_replicas_to_write
    if count is None:
        return [unknown("redis fail-over", "min-replicas-to-write")]
    return [
        verdict(
            "redis fail-over",
            wrong=count < 1,
            found=f"min-replicas-to-write is {count}",
            remedy="a primary that lost its replicas takes writes that a fail-over forgets: "
            "CONFIG SET min-replicas-to-write 1, and in redis.conf (L34)",
        )
    ]


def examine_topics(wanted: Sequence[str], partitions: Sequence[TopicPartition]) -> list[Finding]:
    """
    Judge whether every topic exists.
    """
    counts = {topic: sum(partition.topic == topic for partition in partitions) for topic in wanted}
    return [
        verdict(
            f"topic {topic}",
            wrong=count == 0,
            found=f"{count} partitions" if count else "does not exist",
            remedy="create it, or mend KAFKA__TOPICS",
        )
        for topic, count in counts.items()
    ]


def examine_odim(facts: OdimFacts) -> list[Finding]:
    """
    Judge whether ODIM's Redis can be followed.
    """
    rows = ", ".join(f"{count} in {table}" for table, count in facts.counts.items())
    is_empty = not any(facts.counts.values())
    return [
        verdict(
            "odim redis role",
            wrong=facts.role not in {None, "master"},
            found=facts.role or "not told: this server, or its ACL, refuses ROLE",
            remedy="ODIM__REDIS_URL must lead to the primary: a replica may be behind. Use sentinel:// if there is one",
        ),
        verdict(
            "odim tables",
            wrong=is_empty,
            found="all are empty" if is_empty else f"rows: {rows}",
            remedy="ODIM__REDIS_URL must lead to the on-disk Redis, database 0: not to the in-memory one",
        ),
        _examine_notifications(facts.notifications),
    ]


def _examine_notifications(events: str | None) -> Finding:
    """
    What ODIM turns on at its start. Without it nothing is wrong, but changes are found only when all is read.
    """
    subject = "odim notifications"
    if events is None:
        return unknown(subject, "notify-keyspace-events")
    is_on = "K" in events and bool({"z", "A"} & set(events))
    return Finding(
        subject=subject,
        is_wrong=False,
        found=f"notify-keyspace-events is {events!r}",
        remedy=""
        if is_on
        else "changes are found only every ODIM__READ_INTERVAL_S: ODIM sets it to Kz at its start, and a fail-over "
        "forgets that; CONFIG SET notify-keyspace-events Kz, and in redis.conf",
    )


def examine_ledger(facts: LedgerFacts) -> Finding:
    """
    Judge whether a bridge would start on this ledger (L12).
    """
    subject, remedy = "ledger", "if this ledger is the right one, say where to start: `odim-relay offsets reset`"
    if facts.birth is None:
        if not facts.commits:
            return Finding(subject=subject, is_wrong=False, found="none yet; the first bridge makes it")
        return Finding(
            subject=subject,
            is_wrong=True,
            found="none, but the group has committed offsets: Redis was emptied, or REDIS__URL or REDIS__KEY_PREFIX "
            "points elsewhere",
            remedy=remedy,
        )
    strangers = [
        name(partition) for partition, commit in facts.commits.items() if commit.metadata not in {"", facts.birth}
    ]
    if strangers:
        found = f"{facts.birth} is not the one behind the offsets committed for {', '.join(sorted(strangers))}"
        return Finding(subject=subject, is_wrong=True, found=found, remedy=remedy)
    missing = [name(partition) for partition in facts.commits if partition not in facts.positions]
    if missing:
        found = f"{facts.birth} has no position for {', '.join(sorted(missing))}, which have committed offsets"
        return Finding(subject=subject, is_wrong=True, found=found, remedy=remedy)
    return Finding(
        subject=subject, is_wrong=False, found=f"{facts.birth}, as committed to Kafka" if facts.commits else facts.birth
    )


def examine_secrets(states: Iterable[tuple[str, SealState]], *, can_seal: bool) -> list[Finding]:
    """
    Judge how secrets stand in Redis.

    Args:
        states: of each thing that has secrets, by its name.
    """
    by_state: dict[SealState, list[str]] = {}
    for thing, state in states:
        by_state.setdefault(state, []).append(thing)
    unreadable = sorted(by_state.get(SealState.UNREADABLE, ()))
    findings = []
    if unreadable:
        findings.append(
            Finding(
                subject="secrets that cannot be read",
                is_wrong=True,
                found=f"of {some(unreadable)}: SECRETS__ENCRYPTION_KEYS lacks their key; what is for them waits",
                remedy="put the key that they were encrypted with back into the list, for every process",
            )
        )
    plain, older = len(by_state.get(SealState.PLAIN, ())), len(by_state.get(SealState.OLDER, ()))
    if not can_seal:
        found = f"SECRETS__ENCRYPTION_KEYS is not set: {plain} stand as they are"
        remedy = "to encrypt them: `odim-relay secrets new-key`, set it for every process, `odim-relay secrets rotate`"
    else:
        found = f"{len(by_state.get(SealState.CURRENT, ()))} encrypted with the newest key"
        found += f", {older} with an older one" if older else ""
        found += f", {plain} as they are" if plain else ""
        remedy = "`odim-relay secrets rotate` encrypts all of them with the newest" if plain or older else ""
    return [*findings, Finding(subject="secrets in redis", is_wrong=False, found=found, remedy=remedy)]


def name(partition: TopicPartition) -> str:
    """
    A partition in words: `topic/0`.
    """
    return f"{partition.topic}/{partition.partition}"
