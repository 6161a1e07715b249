"""
A program: publishes one plain task per delivery with `apply_async` as it comes, in a loop, and ends.

    python -m benchmarks.plain_loop --count N

It need not read Kafka, decode or match anything: the bodies are there when it starts.
"""

import argparse
from uuid import uuid4

from benchmarks.payload import SYSTEMS, event_payload
from benchmarks.plain_task import deliver


def main() -> None:
    """
    Publish and end.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True)
    chosen = parser.parse_args()
    bodies = [event_payload(system).decode() for system in range(SYSTEMS)]
    for number in range(chosen.count):
        system = number % SYSTEMS
        deliver.apply_async((f"https://subscriber.example/hook?s={system}", str(uuid4()), bodies[system]))


if __name__ == "__main__":
    main()
