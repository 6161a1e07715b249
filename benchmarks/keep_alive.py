"""
What kept connections are worth: HTTPS events per second with them, beside a connection for each event.

    python -m benchmarks.keep_alive [--posts 1000] [--pairs 5] [--threads 8]

The same sender, receiver and events; on the other side the receiver answers `Connection: close`. 1 KiB of body.
The two take turns, so that whatever else the machine does meets both. Events that are lost or doubled are no result.
"""

import argparse
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from benchmarks.figures import NoResultError, check_counts
from benchmarks.machine import describe
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.domain.egress import ANYWHERE
from odim_relay.ports import OutgoingRequest
from tests.support.receiver import Behaviour, Receiver

_BODY = b"x" * 1024
_TIMEOUT_S = 15.0


def rate(sender: RequestsSender, receiver: Receiver, path: str, *, posts: int, threads: int) -> tuple[float, int]:
    """
    Send so many; gives events per second, and how many handshakes they took.
    """

    def send(number: int) -> None:
        request = OutgoingRequest(url=receiver.url(path), body=_BODY, headers=(("webhook-id", str(number)),))
        outcome = sender.send(request, may_send=lambda: True, timeout_s=_TIMEOUT_S)
        if outcome is None or outcome.status != 200:
            raise NoResultError(f"not delivered: {outcome}")

    receiver.forget(path)
    before = receiver.connections().established
    with ThreadPoolExecutor(threads) as pool:
        started_at = time.perf_counter()
        list(pool.map(send, range(posts)))
        took_s = time.perf_counter() - started_at
    check_counts(receiver.counts(path), posts)
    return posts / took_s, receiver.connections().established - before


def main() -> int:
    """
    Compare; 1 when a kept connection is worth less than three times.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keep_alive")
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=8)
    chosen = parser.parse_args()
    print(describe())
    with Receiver.start(scheme="https", keep_bodies=False) as receiver:
        receiver.behave("/closed", Behaviour(says_close=True))
        sender = RequestsSender(
            now=lambda: datetime.now(UTC),
            user_agent="odim-relay/benchmark",
            egress=ANYWHERE,
            ca_file=receiver.ca_file,
            concurrency=chosen.threads,
        )
        taken = []
        for _ in range(chosen.pairs):
            closed = rate(sender, receiver, "/closed", posts=chosen.posts, threads=chosen.threads)
            kept = rate(sender, receiver, "/kept", posts=chosen.posts, threads=chosen.threads)
            taken.append((closed, kept))
        sender.close()
    ratios = sorted(kept[0] / closed[0] for closed, kept in taken)
    for name, each in (("a connection each", [one[0] for one in taken]), ("kept", [one[1] for one in taken])):
        most = max(handshakes for _, handshakes in each)
        print(f"{name:18} {statistics.median(found for found, _ in each):6.0f} events/s, at most {most} handshakes")
    median = statistics.median(ratios)
    print(f"median ratio {median:.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f} in {len(ratios)} pairs of {chosen.posts})")
    return 0 if median >= 3 else 1


if __name__ == "__main__":
    sys.exit(main())
