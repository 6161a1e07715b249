"""
How many threads a worker process should have: odim-relay with 2 to 32, to fast and to slow destinations.

    python -m benchmarks.concurrency [--quick] [--rounds N] [--side plain]
"""

import argparse
import sys
from collections.abc import Sequence
from statistics import median

from benchmarks.delivery import start_receiver
from benchmarks.engine import HOOK, Side, drain
from benchmarks.figures import NoResultError
from benchmarks.machine import describe
from tests.support.receiver import Receiver
from tests.support.receiver_behaviour import Behaviour

THREADS = (2, 4, 8, 16, 32)
SLOW_S = 0.1
PROCESSES = 2
_FAST_COUNTS = {"odim-relay": 5_000, "plain": 2_000}
_SLOW_RUN_S = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Measure and print. Returns 1 when a delivery was missing or doubled.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="half of the deliveries")
    parser.add_argument("--rounds", type=int, default=1, help="how often each is measured; the median is printed")
    parser.add_argument("--side", choices=["odim-relay", "plain"], default="odim-relay")
    chosen = parser.parse_args(arguments)
    divisor = 2 if chosen.quick else 1
    print(f"\n{chosen.side}, {PROCESSES} worker processes, HTTP; median of {chosen.rounds}")
    print(
        f"{'threads':>7} {'fast: /s':>9} {'CPU us':>7} {'100 ms: /s':>11} {'of possible':>11} {'CPU us':>7}", flush=True
    )
    try:
        with start_receiver("http") as receiver:
            for threads in THREADS:
                print(_row(Side(name=chosen.side, threads=threads), receiver, divisor, chosen.rounds), flush=True)
    except NoResultError as exc:
        print(f"no result: {exc}", file=sys.stderr)
        return 1
    return 0


def _row(side: Side, receiver: Receiver, divisor: int, rounds: int) -> str:
    possible = side.processes * side.threads / SLOW_S
    receiver.behave(HOOK, Behaviour())
    fast = [drain(side, receiver, _FAST_COUNTS[side.name] // divisor) for _ in range(rounds)]
    receiver.behave(HOOK, Behaviour(delay_s=SLOW_S))
    slow = [drain(side, receiver, int(possible * _SLOW_RUN_S / divisor)) for _ in range(rounds)]
    fast_rate, slow_rate = median(run.rate for run in fast), median(run.rate for run in slow)
    fast_us, slow_us = median(run.cpu_us for run in fast), median(run.cpu_us for run in slow)
    return (
        f"{side.threads:>7} {fast_rate:>9.0f} {fast_us:>7.0f} "
        f"{slow_rate:>11.0f} {slow_rate / possible:>11.0%} {slow_us:>7.0f}"
    )


if __name__ == "__main__":
    print(describe())
    sys.exit(main())
