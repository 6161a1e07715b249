"""
What one POST costs the process that sends it: our sender beside a bare `requests.Session.post`.

    python -m benchmarks.http_send [--posts 2000] [--pairs 7]

Processor time only, of this process only: the receiver is another one. 1 KiB of body, kept connections, loopback. The
two take turns, so that whatever else the machine does meets both.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import requests

from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.domain.egress import ANYWHERE
from odim_relay.ports import OutgoingRequest
from tests.support.receiver import Receiver

_BODY = b"x" * 1024
_HEADERS = {
    "Content-Type": "application/json",
    "OData-Version": "4.0",
    "User-Agent": "odim-relay/benchmark",
    "webhook-id": "6f1f3a1e-2a5c-5b7e-9a53-0d6f6f64696d",
    "webhook-timestamp": "1767225600",
    "x-odim-relay-attempt": "1",
}
_TIMEOUT_S = 15.0


def cpu_us(send: Callable[[], None], posts: int) -> float:
    """
    Processor time of one `send`, in microseconds.
    """
    started_at = time.process_time()
    for _ in range(posts):
        send()
    return (time.process_time() - started_at) / posts * 1e6


def compare(scheme: Literal["http", "https"], posts: int, pairs: int) -> None:
    with Receiver.start(scheme=scheme, keep_bodies=False) as receiver, requests.Session() as session:
        url = receiver.url("/hook")
        verify = str(receiver.ca_file) if receiver.ca_file else True
        sender = RequestsSender(
            now=lambda: datetime.now(UTC),
            user_agent="odim-relay/benchmark",
            egress=ANYWHERE,
            ca_file=receiver.ca_file,
        )

        def bare() -> None:
            response = session.post(url, data=_BODY, headers=_HEADERS, timeout=_TIMEOUT_S, verify=verify)
            assert response.status_code == 200

        def ours() -> None:
            # Made anew each time, as a worker must.
            request = OutgoingRequest(url=url, body=_BODY, headers=tuple(_HEADERS.items()))
            outcome = sender.send(request, may_send=lambda: True, timeout_s=_TIMEOUT_S)
            assert outcome is not None
            assert outcome.status == 200

        # The first ones connect, import and fill caches.
        cpu_us(bare, 50)
        cpu_us(ours, 50)
        taken = [(cpu_us(bare, posts), cpu_us(ours, posts)) for _ in range(pairs)]
        connections = receiver.connections().accepted
        sender.close()
    bare_us = statistics.median(pair[0] for pair in taken)
    ours_us = statistics.median(pair[1] for pair in taken)
    ratios = sorted(ours / bare for bare, ours in taken)
    print(
        f"{scheme:5}  Session.post {bare_us:6.0f} us   odim-relay {ours_us:6.0f} us"
        f"   ratio {statistics.median(ratios):.2f}"
        f"  ({ratios[0]:.2f} to {ratios[-1]:.2f} in {pairs} pairs of {posts}; {connections} connections)"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=7)
    arguments = parser.parse_args()
    print(
        f"{datetime.now(UTC):%Y-%m-%d}; {platform.machine()}, {os.cpu_count()} processors; Python"
        f" {platform.python_version()}; requests {requests.__version__}"
    )
    compare("http", arguments.posts, arguments.pairs)
    compare("https", arguments.posts, arguments.pairs)


if __name__ == "__main__":
    main()
