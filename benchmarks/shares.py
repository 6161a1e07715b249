"""
Where a worker's CPU time goes, by the clocks of its threads.

    python -m benchmarks.shares [--threads N] [--scheme https]
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.delivery import OURS_COUNT, THREADS, start_receiver
from benchmarks.engine import Side, drain
from benchmarks.figures import NoResultError
from benchmarks.machine import describe


def main() -> int:
    """
    Measure and print. Returns 1 when a delivery was missing or doubled.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=THREADS)
    parser.add_argument("--scheme", choices=["http", "https"], default="http")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, start_receiver(chosen.scheme) as receiver:
        side = Side(
            name="odim-relay",
            threads=chosen.threads,
            app="benchmarks.shares_worker",
            env={"SHARES_FOLDER": folder},
        )
        try:
            drain(side, receiver, 2 * OURS_COUNT)
        except NoResultError as exc:
            print(f"no result: {exc}", file=sys.stderr)
            return 1
        sums: Counter[str] = Counter()
        for file in Path(folder).glob("*.json"):
            sums.update(json.loads(file.read_text()))
    print(f"{side.processes} processes of {side.threads} threads, {chosen.scheme.upper()}; CPU us per delivery")
    print(_table(sums))
    return 0


def _table(sums: Counter[str]) -> str:
    count = sums["deliver calls"]
    in_ns = {name: sums[name] / count / 1e3 for name in ("claim", "complete", "send", "deliver", "task")}
    in_s = {name: sums[name] / count * 1e6 for name in ("user", "system", "main")}
    total = in_s["user"] + in_s["system"]
    ledger = in_ns["claim"] + in_ns["complete"]
    rows = {
        "engine: main thread (take, decode, hand to a thread)": in_s["main"],
        "engine: thread pool and task tracing": total - in_s["main"] - in_ns["deliver"],
        "ledger: claim and complete": ledger,
        "HTTP: send": in_ns["send"],
        "the rest: headers, decision, log": in_ns["deliver"] - ledger - in_ns["send"],
    }
    lines = [f"  {value:5.0f}  {value / total:4.0%}  {name}" for name, value in rows.items()]
    lines.append(
        f"  {total:5.0f}        of which the kernel's {in_s['system']:.0f}; the clocks themselves cost some of it"
    )
    lines.append(f"  {sums['switches'] / count:5.1f}        switches of context")
    return "\n".join(lines)


if __name__ == "__main__":
    print(describe())
    sys.exit(main())
