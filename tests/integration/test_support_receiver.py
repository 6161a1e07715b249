"""
The receiver that other tests believe: what it counts, and that it leaves nothing behind.
"""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.receiver import Behaviour, Mode, Receiver
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]


def post(receiver: Receiver, path: str, webhook_id: str, body: bytes = b"{}") -> int:
    verify = str(receiver.ca_file) if receiver.ca_file else True
    headers = {"webhook-id": webhook_id}
    return requests.post(receiver.url(path), data=body, headers=headers, verify=verify, timeout=10).status_code


def test_every_request_is_counted_by_id_and_path() -> None:
    with Receiver.start() as receiver:
        receiver.behave("/a", Behaviour(first=(500, 503)))

        assert [post(receiver, "/a", "1") for _ in range(3)] == [500, 503, 200]
        assert post(receiver, "/a", "2", b"other") == 200
        assert post(receiver, "/b?x=y", "1") == 200

        assert receiver.wait_for("/a", 2, timeout_s=5) == {"1": 3, "2": 1}
        assert receiver.wait_for_accepted("/a", 2, timeout_s=5) == {"1": 1, "2": 1}
        assert receiver.wait_for_requests("/a", 4, timeout_s=5) == 4
        assert receiver.counts("/b") == {"1": 1}
        assert [webhook_id for webhook_id, _ in receiver.arrivals("/a")] == ["1", "1", "1", "2"]
        assert {key: len(digests) for key, digests in receiver.digests("/a").items()} == {"1": 1, "2": 1}

        receiver.forget("/a")
        assert receiver.counts("/a") == {}


def test_bodies_of_one_id_that_differ_are_told_apart() -> None:
    with Receiver.start(keep_bodies=False) as receiver:
        post(receiver, "/", "1", b"this")
        post(receiver, "/", "1", b"that")

        assert len(receiver.digests("/")["1"]) == 2
        assert receiver.bodies("/") == []


def test_workers_count_as_one() -> None:
    with Receiver.start(workers=2) as receiver, ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda number: post(receiver, "/", str(number)), range(80)))

        assert set(statuses) == {200}
        assert receiver.wait_for("/", 80, timeout_s=5) == {str(number): 1 for number in range(80)}
        assert receiver.connections().accepted == 80


def test_waiting_for_too_many_says_how_far_it_came() -> None:
    with Receiver.start() as receiver, pytest.raises(AssertionError, match="2 webhook-ids at /x"):
        receiver.wait_for("/x", 2, timeout_s=0.05)


def test_the_log_outlives_the_receiver(tmp_path: Path) -> None:
    log = tmp_path / "received.tsv"
    with Receiver.start(log=log) as receiver:
        post(receiver, "/a", "1")
        receiver.behave("/a", Behaviour(mode=Mode.CLOSE))
        with pytest.raises(requests.ConnectionError):
            post(receiver, "/a", "2")

    lines = [line.split("\t") for line in log.read_text().splitlines()]
    assert [(path, webhook_id, status) for _, path, webhook_id, _, status in lines] == [
        ("/a", "1", "200"),
        ("/a", "2", ""),
    ]


def test_it_refuses_and_comes_back_at_the_same_port() -> None:
    with Receiver.start(workers=2) as receiver:
        receiver.refuse()
        with pytest.raises(requests.ConnectionError):
            post(receiver, "/", "1")
        receiver.listen()

        assert post(receiver, "/", "1") == 200


def test_it_ends_with_its_parent() -> None:
    program = (
        "from tests.support.receiver import Receiver;"
        "receiver = Receiver.start(workers=2); print(*receiver.pids, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(workers) == 2

        parent.send_signal(signal.SIGKILL)

        wait_until(lambda: not any(map(is_alive, workers)), timeout_s=5, what="the workers to end")


def is_alive(process: psutil.Process) -> bool:
    # Whoever inherits the orphans may take a while to bury them.
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
