"""
All benchmarks, one after the other.

    python -m benchmarks [--quick]

Returns 1 when one of them came to no result.
"""

import argparse
import subprocess
import sys
import time

PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("delivery", ()),
    ("bridge", ()),
    ("isolation", ()),
    ("concurrency", ("--quick",)),
    ("http_send", ("--posts", "1000", "--pairs", "5")),
    ("keep_alive", ()),
    ("matching", ()),
    ("waiting_memory", ()),
    ("odim_inventory", ()),
    ("drain", ("--quick",)),
)
QUICK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("delivery", ("--quick",)),
    ("bridge", ("--quick",)),
    ("isolation", ("--quick",)),
    ("http_send", ("--posts", "300", "--pairs", "3")),
    ("keep_alive", ("--posts", "300", "--pairs", "3")),
    ("odim_inventory", ("--quick",)),
)


def main() -> int:
    """
    Run the parts, each in a process of its own.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="some minutes: fewer, shorter and noisier runs")
    chosen = parser.parse_args()
    failed = []
    started_at = time.monotonic()
    for name, arguments in QUICK if chosen.quick else PARTS:
        print(f"\n=== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments], check=False).returncode:
            failed.append(name)
    print(f"\n{time.monotonic() - started_at:.0f} s{'; no result: ' if failed else ''}{', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
