"""
All cases, by name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tests.failover import kills, outage, scale, stores
from tests.failover.result import Result
from tests.failover.stage import Broker, Stage


@dataclass(frozen=True, slots=True)
class Case:
    """
    One line of the report.

    Attributes:
        description: what is done, and what the time to recover is.
        limit_s: after which it has failed.
    """

    name: str
    description: str
    run: Callable[[Stage], Result]
    broker: Broker = Broker.BESIDE
    limit_s: float = 420.0


def _harmed(run: Callable[[Stage, stores.Harm], Result], harm: stores.Harm, stage: Stage) -> Result:
    return run(stage, harm)


_IN_HAND = "recovered: what a killed worker had in hand is sent again"
_UNDONE = "recovered: it reads again, and what it had taken in is sent"
_LONGEST = "recovered: the longest wait of an event"
_AGAIN = "recovered: after the return, the first delivery of an event of the outage or later"
_FIRST = "recovered: the first event after its return"

_KILLS: Sequence[tuple[str, str, Callable[[Stage], Result]]] = (
    ("worker-kills", f"kill -9 of one of 2 workers, 20 times at random moments; {_IN_HAND}", kills.workers),
    ("bridge-kills", f"kill -9 of the bridge, 20 times at random moments; {_UNDONE}", kills.bridges),
    (
        "maintenance-kills",
        f"kill -9 of maintenance, 20 times, of the worker every fifth time, a destination comes and goes; {_IN_HAND}",
        kills.maintenance,
    ),
    (
        "beat-kills",
        f"kill -9 of beat, 20 times, of the worker every fifth time, a destination comes and goes; {_IN_HAND}",
        kills.beat,
    ),
    (
        "rolling-restarts",
        f"SIGTERM and restart of 2 bridges, 2 workers, maintenance and beat by turns, 20 times; {_LONGEST}",
        kills.rolling,
    ),
)

_STORES: Sequence[tuple[str, str, Callable[[Stage, stores.Harm], Result], Broker]] = (
    ("redis", "the ledger's Redis", stores.redis, Broker.REDIS),
    ("broker", "the broker's Redis", stores.broker, Broker.REDIS),
    ("kafka", "Kafka", stores.kafka, Broker.BESIDE),
    ("rabbitmq", "RabbitMQ", stores.broker, Broker.RABBITMQ),
)
_HARMS: Sequence[tuple[str, str, stores.Harm]] = (
    ("killed", "SIGKILL of {}, back after 5 s", stores.killed),
    ("hung", "SIGSTOP of {} for 30 s", stores.hung),
)

CASES: tuple[Case, ...] = (
    *(Case(name, description, run) for name, description, run in _KILLS),
    *(
        Case(f"{name}-{how}", f"{what.format(server)}; {_AGAIN}", partial(_harmed, run, harm), broker)
        for name, server, run, broker in _STORES
        for how, what, harm in _HARMS
    ),
    Case(
        "broker-flushed",
        f"FLUSHDB of the broker's database with tasks in it, 3 times; {_LONGEST}",
        stores.flushed,
    ),
    Case("aof-cut", f"the last 2 s of the AOF cut off while Redis is down; {_AGAIN}", stores.tail_cut_off),
    Case(
        "outage-errors",
        f"10,000 events wait for a destination that answers 503, workers are killed 4 times; {_FIRST}",
        outage.answers_errors,
    ),
    Case(
        "outage-refused",
        f"10,000 events wait for a destination that refuses connections, workers are killed 4 times; {_FIRST}",
        outage.refuses_connections,
    ),
    Case("scale", "1 and 2 bridges, 1, 2 and 4 workers, 4 partitions, 4 subscribers", scale.steps),
    Case(
        "joining-bridges",
        f"bridges leave, by SIGTERM and by SIGKILL, and join again, 20 times; {_LONGEST}",
        scale.joins_and_leaves,
    ),
    *(
        Case(
            f"{name}-rabbitmq",
            f"{description.replace('20 times', '10 times')}; the tasks in RabbitMQ",
            run,
            Broker.RABBITMQ,
        )
        for name, description, run in _KILLS
    ),
)


def chosen(words: Sequence[str]) -> list[Case]:
    """
    The cases with these names, or whose names begin so; all without any.

    Raises:
        ValueError: a word is the beginning of no name.
    """
    unknown = [word for word in words if not any(case.name.startswith(word) for case in CASES)]
    if unknown:
        raise ValueError(
            f"no case begins with {', '.join(unknown)}; there are {', '.join(case.name for case in CASES)}"
        )
    names = {case.name for case in CASES}

    def is_meant(case: Case, word: str) -> bool:
        return case.name == word or (word not in names and case.name.startswith(word))

    return [case for case in CASES if not words or any(is_meant(case, word) for word in words)]
