"""
The settings that the ledger's scripts obey.
"""

from dataclasses import dataclass, fields

LETTER_VERSION = 1
"""
Form of a dead letter's document; one of a later form is kept, not touched.
"""

URGENT, LIVE = 2**50, 2**49
"""
So far before their ingest numbers stand, among those that are ready, what is urgent, and what came while others went
out already: before all others, each kind in its order. Numbers never come that far.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRules:
    """
    Written in front of every script as the table `RULES`. Times in milliseconds, sizes in bytes.

    Attributes:
        lease_ms: a worker's right to a delivery that it claimed.
        flight_ms: how long a request can be under way at most: so long a killed worker's counts for its destination.
        patience_ms, longest_patience_ms: until the reaper doubts that a queued task will come, first and at most.
        max_countdown_ms: the longest wait that a Celery countdown carries; longer ones are parked with their due time.
        countdowns: deliveries of one destination that may wait in countdowns (L22).
        retry_grace_ms: how late a countdown may be until the reaper does its work (L23).
        broken_after: lapses of SENDING after which a delivery is broken (L20).
        reap_most, admit_most: most records that one script handles (L8).
        window: deliveries of one subscription that may be under way (L14).
        shrink_ms: how far apart two signs must be that its receiver cannot keep up, to be two.
        shrunk: how many at least may be under way after the first of them.
        batches: requests under way of a subscription that wants several events in one.
        passing: new or urgent deliveries of a subscription that may go before its backlog, between two of that.
        cap: requests in flight to one destination, at most (L18).
        slots: of this worker process.
        fast_for_ms: how long a fast 2xx lets a destination borrow slots.
        crowded_for_ms: how long a claim refused for the cap keeps its destination's queues short.
        breaker_failures, drain_failures, replay_failures: consecutive failures that open a breaker: of all, while what
            waited is drained, and when the last one was a replay.
        probe_ms, probe_max_ms: first and longest interval between the probes of a destination.
        probe_lease_ms: until a probe that was not heard of counts as lost.
        replay_ms: first interval between the replays of what ran out of retries.
        retries, failure_spacing_ms: failures after which SuspendRetries and TerminateAfterRetries act, and how far
            apart two failures must be to be two (L25).
        spacing_share: the same as a share of the retry interval, where the EventService sets that.
        retention_ms: how long after it was taken in a parked delivery is kept.
        quota_bytes, quota_count: what may be parked for one subscription (L15).
        overhead_bytes: what a delivery costs beside its event's payload.
        backlog_bytes, max_bytes: what all parked deliveries, and the whole ledger, may hold.
        drain_rate: deliveries per second and subscription out of the backlog; 0 is unlimited.
        quarantine_bytes: quota of the quarantine.
        journal_bytes: quota of the journal.
        notices_most: changes that wait to be told.
        quiet_ms: so long nothing must have come into quarantine for the next to be told of again.
    """

    lease_ms: int = 30_000
    flight_ms: int = 20_000
    patience_ms: int = 30_000
    longest_patience_ms: int = 600_000
    max_countdown_ms: int = 900_000
    countdowns: int = 32
    retry_grace_ms: int = 10_000
    broken_after: int = 3
    reap_most: int = 500
    admit_most: int = 500
    window: int = 256
    shrink_ms: int = 1_000
    shrunk: int = 4
    batches: int = 4
    passing: int = 4
    cap: int = 16
    slots: int = 16
    fast_for_ms: int = 2_000
    crowded_for_ms: int = 10_000
    breaker_failures: int = 5
    drain_failures: int = 3
    replay_failures: int = 20
    probe_ms: int = 30_000
    probe_max_ms: int = 300_000
    probe_lease_ms: int = 90_000
    replay_ms: int = 30_000
    retries: int = 5
    failure_spacing_ms: int = 11_250
    spacing_share: float = 0.75
    retention_ms: int = 604_800_000
    quota_bytes: int = 214_748_365
    quota_count: int = 1_000_000
    overhead_bytes: int = 1_150
    backlog_bytes: int = 858_993_459
    max_bytes: int = 1_073_741_824
    drain_rate: float = 0
    quarantine_bytes: int = 67_108_864
    journal_bytes: int = 16_777_216
    notices_most: int = 10_000
    quiet_ms: int = 3_600_000

    def as_lua(self) -> str:
        """
        The table, as Lua reads it.
        """
        members = ", ".join(f"{field.name} = {getattr(self, field.name)!r}" for field in fields(self))
        return f"local RULES = {{ {members}, letter_version = {LETTER_VERSION}, urgent = {URGENT}, live = {LIVE} }}\n"
