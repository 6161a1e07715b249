"""
The fault matrix.

    python -m tests.failover [--seed N] [--report FILE] [CASE ...]

Prints a line per case as it ends. Returns 1 when a goal is missed. A run of all cases writes docs/failover-report.md.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from random import Random, SystemRandom
from types import FrameType

from tests.failover.catalogue import Case, chosen
from tests.failover.report import REPORT, Run, as_markdown, now
from tests.failover.result import Outcome, Result
from tests.failover.stage import Stage
from tests.support.kafka_server import KafkaServer
from tests.support.rabbitmq_server import RabbitMQMissingError


class LimitError(Exception):
    """
    A case took too long.
    """


@contextmanager
def limited(limit_s: float) -> Iterator[None]:
    """
    Raise LimitError in the block when it takes longer.
    """

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise LimitError(f"not done after {limit_s:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def play(case: Case, folder: Path, kafka: KafkaServer, seed: int) -> Outcome:
    """
    Run a case to its end, whatever that is. Its servers' logs stay in `folder` unless all went well.
    """
    began_at, load = time.monotonic(), os.getloadavg()[0]
    result: Result | None = None
    failure, was_skipped = "", False
    moments = Random(f"{seed}/{case.name}")  # noqa: S311 - for moments, not for secrets
    folder.mkdir(parents=True)
    try:
        with (
            (folder / "output.log").open("w") as output,
            redirect_stdout(output),
            limited(case.limit_s),
            Stage(folder, kafka=kafka, random=moments, broker=case.broker) as stage,
        ):
            result = case.run(stage)
    except RabbitMQMissingError as exc:
        was_skipped, failure = True, str(exc)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the other cases are run
        failure = f"{type(exc).__name__}: {str(exc).splitlines()[0] if str(exc) else ''}"
    outcome = Outcome(
        name=case.name,
        description=case.description,
        took_s=time.monotonic() - began_at,
        load=load,
        result=result,
        failure=failure,
        was_skipped=was_skipped,
    )
    if outcome.is_good:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def run_all(cases: list[Case], folder: Path, seed: int) -> Run:
    """
    Run the cases one after the other over one Kafka, and print a line for each.
    """
    began_at, began = now(), time.monotonic()
    outcomes = []
    (folder / "kafka").mkdir()
    with KafkaServer(folder / "kafka") as kafka:
        for case in cases:
            outcomes.append(play(case, folder / case.name, kafka, seed))
            print(outcomes[-1], flush=True)
            if not outcomes[-1].is_good:
                print(f"{'':<24} logs: {folder / case.name}", flush=True)
    return Run(seed=seed, began_at=began_at, took_s=time.monotonic() - began, outcomes=outcomes)


def end(number: int, frame: FrameType | None) -> None:
    """
    End as Ctrl-C does: everything that was started is ended.
    """
    del number, frame
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.failover")
    parser.add_argument("cases", nargs="*", help="beginnings of names; all by default")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument(
        "--report", type=Path, help="where the report goes; by default it is written for all cases only"
    )
    arguments = parser.parse_args()
    try:
        cases = chosen(arguments.cases)
    except ValueError as exc:
        parser.error(str(exc))
    signal.signal(signal.SIGTERM, end)
    folder = Path(tempfile.mkdtemp(prefix="failover-"))
    print(f"{len(cases)} cases, seed {arguments.seed}", flush=True)
    try:
        run = run_all(cases, folder, arguments.seed)
    except KeyboardInterrupt:
        print("ended before its end; no report", flush=True)
        return 1
    report = arguments.report or (None if arguments.cases else REPORT)
    if report:
        report.write_text(as_markdown(run))
    if run.is_good:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{run.took_s / 60:.1f} minutes; {'every goal was met' if run.is_good else 'goals were missed'}", flush=True)
    return 0 if run.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
