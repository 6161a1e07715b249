"""
How the ledger's server does: room, speed, connections, clock. Pure: the facts come in.
"""

from dataclasses import dataclass

from odim_relay.ports import RedisCondition
from odim_relay.use_cases.findings import Finding, hint, size, span, unknown, verdict

_NEARLY_FULL = 0.9
_MOST_OF_MAXMEMORY = 0.8
_MOST_OF_HOST = 0.75
_MOST_OF_CLIENTS = 0.9
_SLOW_MS = 20.0
_LEAST_HZ = 10
MOST_APART_MS = 2_000.0
"""
Clocks that are further apart are wrong: subscribers judge signatures by the time in them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """
    What the relay may want of the server.

    Attributes:
        ledger_bytes: the budget that the settings come to.
        beside_bytes: what may be kept beside it: quarantine, journal.
        connections: of one worker process, at most.
        worker_count: None when it is not known.
    """

    ledger_bytes: int
    beside_bytes: int
    connections: int
    worker_count: int | None = None


def examine_condition(facts: RedisCondition, needs: Needs) -> list[Finding]:
    """
    Judge it.
    """
    return [
        _examine_memory(facts),
        _examine_budget(facts, needs),
        *_examine_host(facts),
        verdict(
            "redis evicted keys",
            wrong=facts.evicted_count > 0,
            found=f"{facts.evicted_count} since its start" if facts.evicted_count else "none",
            remedy="what they held is gone: CONFIG SET maxmemory-policy noeviction, and in redis.conf; compare "
            "`odim-relay dead-letters stats` with what should wait; CONFIG RESETSTAT once that is done",
        ),
        verdict(
            "redis writes to its AOF",
            wrong=(facts.aof_write, facts.aof_rewrite) != ("ok", "ok"),
            found=f"last write {facts.aof_write}, last rewrite {facts.aof_rewrite}",
            remedy="look at the disk's room and rights, and at memory: a rewrite needs a second process",
        ),
        _examine_clients(facts, needs),
        verdict(
            "redis answers",
            wrong=facts.answer_ms > _SLOW_MS,
            found=f"within {facts.answer_ms:.1f} ms",
            remedy="each delivery asks twice: put Redis near the workers; look at its CPU, SLOWLOG and swap",
        ),
        examine_clock("redis clock", facts.ahead_ms, "this host's"),
        *_examine_hz(facts),
    ]


def examine_clock(subject: str, ahead_ms: float, other: str) -> Finding:
    """
    Judge how far a clock is from another.
    """
    apart = span(abs(ahead_ms) / 1000)
    return verdict(
        subject,
        wrong=abs(ahead_ms) > MOST_APART_MS,
        found=f"{apart} {'before' if ahead_ms > 0 else 'behind'} {other}"
        if abs(ahead_ms) > MOST_APART_MS
        else f"as {other}",
        remedy="let NTP slew them all: signatures carry the workers' time, and latency compares clocks",
    )


def _examine_memory(facts: RedisCondition) -> Finding:
    subject = "redis memory"
    if facts.maxmemory_bytes is None:
        return unknown(subject, "maxmemory")
    if facts.maxmemory_bytes == 0:
        return hint(
            subject,
            wanted=True,
            found=f"{size(facts.used_bytes)} used, no maxmemory",
            remedy="what grows without limit ends by the system's hand: CONFIG SET maxmemory, and in redis.conf",
        )
    return verdict(
        subject,
        wrong=facts.used_bytes > _NEARLY_FULL * facts.maxmemory_bytes,
        found=f"{size(facts.used_bytes)} of {size(facts.maxmemory_bytes)} used",
        remedy="raise maxmemory now: over it every write is refused, and nothing is taken in or delivered",
    )


def _examine_budget(facts: RedisCondition, needs: Needs) -> Finding:
    wanted = needs.ledger_bytes + needs.beside_bytes
    limit = facts.maxmemory_bytes or 0
    return verdict(
        "ledger budget",
        wrong=limit > 0 and wanted > _MOST_OF_MAXMEMORY * limit,
        found=f"{size(needs.ledger_bytes)}, with quarantine and journal {size(wanted)}"
        + (f", of {size(limit)} maxmemory" if limit else ""),
        remedy="Redis would refuse writes before the ledger lets go of the oldest: lower LEDGER__MAX_BYTES (and "
        "QUARANTINE__MAX_BYTES), or raise maxmemory, so that a fifth of it is left",
    )


def _examine_host(facts: RedisCondition) -> list[Finding]:
    if not facts.host_bytes or not facts.maxmemory_bytes:
        return []
    return [
        verdict(
            "redis host memory",
            wrong=facts.maxmemory_bytes > _MOST_OF_HOST * facts.host_bytes,
            found=f"{size(facts.host_bytes)}, maxmemory {size(facts.maxmemory_bytes)}",
            remedy="rewriting the AOF and copying to a replica need memory beside it: leave a quarter of the host free",
        )
    ]


def _examine_clients(facts: RedisCondition, needs: Needs) -> Finding:
    subject = "redis connections"
    if facts.most_clients is None:
        return unknown(subject, "maxclients")
    count = max(needs.worker_count or 1, 1)
    wanted = count * needs.connections
    found = f"{facts.client_count} of {facts.most_clients}; {count} workers may open {wanted}"
    return verdict(
        subject,
        wrong=max(facts.client_count, wanted) > _MOST_OF_CLIENTS * facts.most_clients,
        found=found,
        remedy="raise maxclients (and the open files of Redis), or lower DELIVERY__CONCURRENCY",
    )


def _examine_hz(facts: RedisCondition) -> list[Finding]:
    if facts.hz is None:
        return []
    return [
        hint(
            "redis hz",
            wanted=facts.hz < _LEAST_HZ,
            found=str(facts.hz),
            remedy=f"what expires stays in memory for longer than need be: CONFIG SET hz {_LEAST_HZ}",
        )
    ]
