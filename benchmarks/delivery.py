"""
Deliveries per second and CPU per delivery: odim-relay's workers beside a plain Celery task's.

    python -m benchmarks.delivery [--quick] [--pairs N] [--count N] [--processes N] [--threads N]
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from benchmarks.engine import HOOK, Side, drain
from benchmarks.figures import NoResultError, Run, compare
from benchmarks.machine import describe
from odim_relay.settings import DeliverySettings
from tests.support.receiver import Receiver

# The faster side gets more, so that both are looked at for about the same time.
PLAIN_COUNT, OURS_COUNT = 2_000, 5_000
QUICK = 3
THREADS: int = DeliverySettings.model_fields["concurrency"].default
_PREFETCHES = (1, 4)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Measure and print. Returns 1 when a delivery was missing or doubled.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a third of the deliveries, 2 pairs")
    parser.add_argument("--pairs", type=int, help="of runs over HTTP and over HTTPS; 5 if not told")
    parser.add_argument("--count", type=int, help="deliveries of every run, both sides")
    parser.add_argument("--processes", type=int, default=2, help="worker processes")
    parser.add_argument("--threads", type=int, default=THREADS, help="of each")
    parser.add_argument("--prefetch", type=int, help="of the plain task; tried out if neither told nor quick")
    chosen = parser.parse_args(arguments)
    divisor = QUICK if chosen.quick else 1
    plain_count, ours_count = chosen.count or PLAIN_COUNT // divisor, chosen.count or OURS_COUNT // divisor
    pairs = chosen.pairs or (2 if chosen.quick else 5)
    ours = Side(name="odim-relay", processes=chosen.processes, threads=chosen.threads)
    plain = Side(name="plain", processes=chosen.processes, threads=chosen.threads)
    try:
        if chosen.prefetch or chosen.quick:
            plain = replace(plain, prefetch=chosen.prefetch or _PREFETCHES[-1])
        else:
            plain = choose_prefetch(plain, plain_count)
        for scheme in ("http", "https"):
            against(plain, ours, plain_count, ours_count, pairs=pairs, scheme=scheme)
        with_events = (replace(plain, events=True), replace(ours, events=True))
        against(*with_events, plain_count, ours_count, pairs=1, scheme="http")
    except NoResultError as exc:
        print(f"no result: {exc}", file=sys.stderr)
        return 1
    return 0


def choose_prefetch(plain: Side, count: int) -> Side:
    """
    Give the plain task the multiplier with which it is faster here.
    """
    rates: dict[int, list[float]] = {number: [] for number in _PREFETCHES}
    with start_receiver("http") as receiver:
        # There and back: a machine that gets slower or faster meanwhile favours neither.
        for number in (*_PREFETCHES, *reversed(_PREFETCHES)):
            rates[number].append(drain(replace(plain, prefetch=number), receiver, count // 2).rate)
    best = max(rates, key=lambda number: sum(rates[number]))
    tried = ", ".join(f"{number} {sum(each) / len(each):.0f}/s" for number, each in rates.items())
    print(f"worker_prefetch_multiplier of the plain task: {tried}; goes on with {best}")
    return replace(plain, prefetch=best)


def against(
    plain: Side, ours: Side, plain_count: int, ours_count: int, *, pairs: int, scheme: Literal["http", "https"]
) -> float:
    """
    Compare the two, and return the median ratio of their rates.
    """
    with start_receiver(scheme) as receiver:

        def run_plain() -> Run:
            return drain(plain, receiver, plain_count)

        def run_ours() -> Run:
            return drain(ours, receiver, ours_count)

        events = "on" if ours.events else "off"
        title = f"{scheme.upper()}, {ours.processes} processes of {ours.threads} threads, task events {events}"
        ratio = compare(title, pairs, run_plain, run_ours)
        connections = receiver.connections().accepted
        requests = receiver.request_count(HOOK)
        print(
            f"  all there, none twice; {connections} connections in {2 * pairs} runs, {requests} requests in the last"
        )
        return ratio


def start_receiver(scheme: Literal["http", "https"]) -> Receiver:
    """
    A destination that counts and forgets.
    """
    return Receiver.start(scheme=scheme, keep_bodies=False)


if __name__ == "__main__":
    print(describe())
    sys.exit(main())
