"""
Whether everybody works, and with the same version. Pure: the facts come in.
"""

from collections.abc import Collection, Mapping, Sequence

from odim_relay.ports import WorkerFacts
from odim_relay.use_cases.doctor_redis import MOST_APART_MS
from odim_relay.use_cases.findings import Finding, some, span, verdict

QUEUES: Mapping[str, str] = {
    "deliveries": "nothing is delivered",
    "maintenance": "nothing is replayed, reaped or expired",
}


def examine_workers(workers: Sequence[WorkerFacts], version: str) -> list[Finding]:
    """
    Judge those that answered.

    Args:
        version: ours.
    """
    served: Collection[str] = {queue for worker in workers for queue in worker.queues}
    # One that does not tell its queues may serve any.
    is_told = all(worker.version for worker in workers)
    missing = [queue for queue in QUEUES if queue not in served] if is_told else []
    others = [f"{one.name} {one.version or 'without a version'}" for one in workers if one.version != version]
    apart = [
        f"{one.name} {span(one.ahead_ms / 1000)}"
        for one in workers
        if one.ahead_ms is not None and abs(one.ahead_ms) > MOST_APART_MS
    ]
    findings = [
        verdict(
            "workers",
            wrong=bool(missing),
            found=_in_words(workers, missing),
            remedy="start them: " + " ".join(_command(queue) for queue in missing),
        )
    ]
    if workers:
        findings += [
            verdict(
                "worker versions",
                wrong=bool(others),
                found=f"this is {version}, but: {some(others)}" if others else f"all {version}",
                remedy="finish the upgrade: start new ones, then end the old ones by SIGTERM",
            ),
            verdict(
                "worker clocks",
                wrong=bool(apart),
                found=f"before (or -behind) this host's: {some(apart)}" if apart else "as this host's",
                remedy="let NTP slew them all: signatures carry the workers' time",
            ),
        ]
    return findings


def examine_beat(*, has_beat: bool) -> Finding:
    """
    Judge whether the schedule is sent.
    """
    return verdict(
        "beat",
        wrong=not has_beat,
        found="sends" if has_beat else "none sends the schedule: nothing is replayed, reaped or expired",
        remedy="start `celery -A odim_relay beat`",
    )


def _in_words(workers: Sequence[WorkerFacts], missing: Sequence[str]) -> str:
    if not workers:
        return "none answers"
    counts = ", ".join(f"{sum(queue in one.queues for one in workers)} for {queue}" for queue in QUEUES)
    return counts + "".join(f"; {QUEUES[queue]}" for queue in missing)


def _command(queue: str) -> str:
    return f"`celery -A odim_relay worker -Q {queue}`"
