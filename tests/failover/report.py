"""
docs/failover-report.md, from a run.
"""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.failover.result import Goal, Outcome
from tests.support.kafka_server import KafkaServer
from tests.support.rabbitmq_server import rabbitmq_in_words
from tests.support.redis_server import redis_binaries

REPORT = Path(__file__).parents[2] / "docs" / "failover-report.md"
_PACKAGES = ("celery", "kombu", "redis", "confluent-kafka")
_GIBIBYTE = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    Of all cases.
    """

    seed: int
    began_at: datetime
    took_s: float
    outcomes: Sequence[Outcome]

    @property
    def is_good(self) -> bool:
        return all(outcome.is_good for outcome in self.outcomes)


def as_markdown(run: Run) -> str:
    """
    The whole report.
    """
    skipped = [outcome.name for outcome in run.outcomes if outcome.was_skipped]
    failed = [outcome.name for outcome in run.outcomes if not outcome.is_good]
    verdict = f"**Goals missed: {', '.join(failed)}.**" if failed else "**Every goal was met.**"
    lines = [
        "# Failover report",
        "",
        "Written by `make failover` from a run; not by hand.",
        "",
        verdict + (f" Not run: {', '.join(skipped)}." if skipped else ""),
        "",
        *_circumstances(run),
        "",
        "## What is counted",
        "",
        *_WORDS,
        "",
        "## The cases",
        "",
        "| case | published | delivered | lost | doubled | reordered | kept | recovered after | verdict |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
        *map(_row, run.outcomes),
        "",
        "## Goals and figures",
        "",
    ]
    for outcome in run.outcomes:
        lines += [*_section(outcome), ""]
    return "\n".join(lines)


_WORDS = (
    "Processes, stores and their durability are as in production: Kafka, `redis-server` whose AOF is written every",
    "second, the commands of the `Procfile`. Settings are as shipped, but for the session of a bridge (3 s) and the",
    "probing and replaying of the outages, of `maintenance-kills` and `beat-kills`, where minutes become seconds.",
    "Events are published all the while; the receiver counts every request by its `webhook-id`.",
    "",
    "* *published*: deliveries that had to be made: one per event and subscription that wants it.",
    "* *lost*: of these, neither delivered nor kept. *kept*: parked at the end.",
    "* *doubled*: answers 2xx beyond the first of a delivery. Allowed are those that a killed worker had in hand, and",
    "  those whose answer a store lost.",
    "* *reordered*: of the ordered subscriptions, first arrivals before an older event's of the same partition.",
    "* Receivers that misbehave (refuse, hang, drip, answer errors) beside healthy ones have tests of their own, in",
    "  `tests/faults/`, that `make test` runs.",
)


def _circumstances(run: Run) -> list[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    loads = [outcome.load for outcome in run.outcomes]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIBIBYTE
    return [
        f"* When: {run.began_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {run.took_s / 60:.0f} minutes, seed {run.seed}",
        f"* Machine: {len(os.sched_getaffinity(0))} cores, {platform.machine()}, {memory:.0f} GiB",
        f"* Load (average of a minute): {loads[0]:.1f} before, {max(loads):.1f} at most as a case began",
        f"* Servers: {redis_binaries()[0]}, {KafkaServer.description}, RabbitMQ {rabbitmq_in_words()}",
        f"* Python {platform.python_version()}, {packages}",
    ]


def _row(outcome: Outcome) -> str:
    verdict = "not run" if outcome.was_skipped else "ok" if outcome.is_good else "**missed**"
    result = outcome.result
    if result is None:
        return f"| {outcome.name} | | | | | | | | {verdict} |"
    order = "" if result.reordered is None else str(result.reordered)
    recovery = "" if result.recovery_s is None else f"{result.recovery_s:.1f} s"
    figures = [result.published, result.delivered, result.lost, result.doubled, order, result.kept, recovery]
    return f"| {outcome.name} | {' | '.join(map(str, figures))} | {verdict} |"


def _section(outcome: Outcome) -> list[str]:
    lines = [
        f"### {outcome.name}",
        "",
        f"{outcome.description[0].upper()}{outcome.description[1:]}. Took {outcome.took_s:.0f} s.",
    ]
    if outcome.result is None:
        return [*lines, "", f"No result: {outcome.failure}"]
    lines += ["", "| goal | reached | bound | |", "|---|--:|--:|---|", *map(_goal, outcome.result.goals)]
    if outcome.result.notes:
        lines += ["", *(f"* {note}" for note in outcome.result.notes)]
    return lines


def _goal(goal: Goal) -> str:
    relation = "≥" if goal.is_floor else "≤"
    return (
        f"| {goal.name} | {goal.in_words(goal.value)} | {relation} {goal.in_words(goal.bound)} | "
        f"{'' if goal.is_met else '**missed**'} |"
    )


def now() -> datetime:
    return datetime.now(UTC)
