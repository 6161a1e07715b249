"""
Whether a process is alive, as a supervisor's probe sees it: a store that is away is no reason to start anything again.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from odim_relay.domain.liveness import age_s
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.processes import free_port
from tests.support.redis_server import RedisServer
from tests.support.relay_process import ROOT, RelayProcess, procfile_command, start_all
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

READY = {"bridge": "bridge.started", "worker": " ready.", "maintenance": " ready.", "beat": "beat: Starting..."}
FURTHER_SIGNS = 2
LONGEST_GAP_S = 30.0
"""
Half of what the chart's probes allow.
"""


class Living(RelayProcess):
    """
    A process that gives signs of life.
    """

    def __init__(self, name: str, folder: Path, env: dict[str, str]) -> None:
        self.sign = folder / f"{name}.alive"
        super().__init__(
            name,
            procfile_command(name),
            folder,
            {**env, "ODIM_RELAY_LIVENESS__FILE": str(self.sign)},
            ready=READY[name],
        )

    def age_s(self) -> float:
        return age_s(self.sign.read_text(), time.monotonic())

    def given_at_s(self) -> float:
        return float(self.sign.read_text())

    def gives_signs(self, count: int = FURTHER_SIGNS) -> float:
        """
        Wait for so many after the first, and return the longest time between two of them.
        """
        # Beat says that it starts before its loop, which gives the signs, does.
        wait_until(self.sign.exists, timeout_s=LONGEST_GAP_S, what=f"the first sign of life of {self.name}")
        longest_s, last_at_s = 0.0, self.given_at_s()
        for _ in range(count):
            before = last_at_s
            wait_until(
                lambda: self.given_at_s() > before,  # noqa: B023 - done with before the next
                timeout_s=LONGEST_GAP_S,
                what=f"a sign of life of {self.name}",
            )
            last_at_s = self.given_at_s()
            longest_s = max(longest_s, last_at_s - before)
        return longest_s

    def probe(self, within_s: float) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "odim_relay", "alive", str(self.sign), "--within", str(within_s)]
        return subprocess.run(
            argv,
            cwd=self.folder,
            env={**self.env, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def env(fresh_redis: RedisServer, kafka: KafkaServer | KafkaMock, topic: str) -> dict[str, str]:
    return {
        "ODIM_RELAY_REDIS__URL": fresh_redis.url(),
        "ODIM_RELAY_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ODIM_RELAY_KAFKA__TOPICS": f'["{topic}"]',
        "ODIM_RELAY_LOG__FORMAT": "json",
    }


@pytest.fixture
def living(env: dict[str, str], tmp_path: Path) -> Iterator[list[Living]]:
    processes = [Living(name, tmp_path, env) for name in READY]
    yield processes
    for process in processes:
        process.kill()


def tell_gaps(processes: list[Living]) -> None:
    with ThreadPoolExecutor(len(processes)) as pool:
        gaps = dict(zip([one.name for one in processes], pool.map(Living.gives_signs, processes), strict=True))
    print("longest time between two signs: " + ", ".join(f"{name} {gap:.1f} s" for name, gap in gaps.items()))
    assert max(gaps.values()) < LONGEST_GAP_S


def test_who_waits_for_a_redis_that_is_away_hangs_or_comes_back_is_alive(
    living: list[Living], fresh_redis: RedisServer
) -> None:
    start_all(living)
    tell_gaps(living)

    fresh_redis.kill()
    tell_gaps(living)
    fresh_redis.start()
    tell_gaps(living)

    fresh_redis.stop()
    tell_gaps(living)
    fresh_redis.cont()
    tell_gaps(living)

    for process in living:
        assert process.running
        assert process.probe(LONGEST_GAP_S).returncode == 0


def test_workers_and_beat_that_start_without_a_redis_are_alive(living: list[Living], fresh_redis: RedisServer) -> None:
    fresh_redis.kill()
    started = [process for process in living if process.name != "bridge"]  # that gives up, and says so
    for process in started:
        process.launch()
    for process in started:
        wait_until(process.sign.exists, timeout_s=60, what=f"a sign of life of {process.name}")
    tell_gaps(started)


def test_who_hangs_is_not_alive_and_the_probe_says_since_when(living: list[Living]) -> None:
    start_all(living)
    for process in living:
        process.gives_signs(1)
        process.stop()
    for process in living:
        wait_until(lambda: process.age_s() > 5, timeout_s=20, what="the sign to be old")  # noqa: B023 - done with
        done = process.probe(5)
        assert done.returncode == 1
        assert "the last sign of life is" in done.stderr
        process.cont()
    tell_gaps(living)


def test_a_worker_on_a_rabbitmq_that_is_away_is_alive(env: dict[str, str], tmp_path: Path) -> None:
    worker = Living(
        "worker", tmp_path, {**env, "ODIM_RELAY_BROKER__URL": f"amqp://guest:guest@127.0.0.1:{free_port()}//"}
    )
    worker.launch()
    try:
        wait_until(worker.sign.exists, timeout_s=60, what="a sign of life")
        tell_gaps([worker])
    finally:
        worker.kill()


@pytest.mark.parametrize("name", sorted(READY))
def test_a_file_that_cannot_be_written_ends_the_process_with_the_settings_name(
    name: str, env: dict[str, str], tmp_path: Path
) -> None:
    process = RelayProcess(
        name, procfile_command(name), tmp_path, {**env, "ODIM_RELAY_LIVENESS__FILE": "/nowhere/alive"}, ready="never"
    )
    process.launch()
    try:
        wait_until(lambda: not process.running, timeout_s=60, what=f"{name} to end")
    finally:
        process.kill()
    assert process.returncode == 2
    assert "LIVENESS__FILE: /nowhere/alive cannot be written" in process.log()
