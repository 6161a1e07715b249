"""
One side's worker processes, emptying a queue that was filled before.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import redis

from benchmarks.figures import NoResultError, Run, check_counts
from benchmarks.measuring import measure
from tests.support.processes import LocalProcess
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[1]
HOOK = "/hook"
_BROKER_DATABASE = 1
# The queue is filled here and moved to the workers' database at once, when all of them wait for it.
_FILLING_DATABASE = 2
_FROM, _TO = 0.03, 0.95
_PREFIX = "odim-relay:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """
    What is measured.

    Attributes:
        prefetch: of the plain task's workers; odim-relay has its own.
        app: what Celery is told to run, if not the side's own.
        env: more settings of the workers.
    """

    name: str
    processes: int = 2
    threads: int = 8
    events: bool = False
    prefetch: int = 4
    app: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        return self.name == "odim-relay"

    @property
    def queue(self) -> str:
        return "deliveries" if self.is_ours else "celery"

    @property
    def most_reserved(self) -> int:
        """
        How many deliveries the workers can have taken and not yet sent.
        """
        return self.processes * self.threads * (1 + self.prefetch)

    def environment(self, server: RedisServer, database: int, receiver: Receiver) -> dict[str, str]:
        ca_file = str(receiver.ca_file or "")
        events = str(self.events).lower()
        if not self.is_ours:
            return {
                **clean_environment(),
                "PLAIN_BROKER": server.url(database),
                "PLAIN_PREFETCH": str(self.prefetch),
                "PLAIN_TASK_EVENTS": events,
                **({"REQUESTS_CA_BUNDLE": ca_file} if ca_file else {}),
                **self.env,
            }
        ours = {
            **clean_environment(),
            "ODIM_RELAY_REDIS__URL": server.url(0),
            "ODIM_RELAY_EGRESS__ALLOW": '["127.0.0.0/8"]',
            "ODIM_RELAY_BROKER__URL": server.url(database),
            "ODIM_RELAY_DELIVERY__CONCURRENCY": str(self.threads),
            "ODIM_RELAY_FLOWER__TASK_EVENTS": events,
            "ODIM_RELAY_LOG__LEVEL": "WARNING",
            **self.env,
        }
        if ca_file:
            ours["ODIM_RELAY_DELIVERY__CA_FILE"] = ca_file
        return ours

    def worker(self, number: int, folder: Path, env: Mapping[str, str]) -> LocalProcess:
        app = self.app or ("odim_relay" if self.is_ours else "benchmarks.plain_task")
        words = f"worker -P threads -c {self.threads} -n {self.name}-{number}@localhost -Q {self.queue} -l WARNING"
        quiet = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
        argv = [sys.executable, "-m", "celery", "-A", app, *words.split(), *quiet]
        return LocalProcess(f"worker-{number}", argv, folder, env=env)


def clean_environment() -> dict[str, str]:
    """
    What every process gets: the checkout to import from, and nothing from outside that would change what is measured.
    """
    for name in list(os.environ):
        if name.upper().startswith("ODIM_RELAY_") or name.upper().endswith(("_PROXY", "_CA_BUNDLE")):
            del os.environ[name]
    return {"PYTHONPATH": str(ROOT)}


def drain(side: Side, receiver: Receiver, count: int) -> Run:
    """
    Fill a queue with `count` deliveries, let the workers empty it, and count what came.

    Measured from 3 % to 95 % of the queue taken, or from when the workers' reserves are full if that is later.

    Raises:
        NoResultError: a delivery is missing or came twice, or it took too long.
    """
    receiver.forget(HOOK)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        server = stack.enter_context(RedisServer(folder / "redis"))
        env = side.environment(server, _BROKER_DATABASE, receiver)
        workers = [side.worker(number, folder, env) for number in range(side.processes)]
        for worker in workers:
            stack.callback(worker.kill)
            worker.launch()
        _fill(side, server, receiver, count, folder)
        broker = stack.enter_context(server.client(_BROKER_DATABASE))
        _wait_for_workers(broker, workers)
        _hand_over(server, side.queue, count)
        stretch = measure(
            lambda: count - int(str(broker.llen(side.queue))),
            start_at=min(max(int(count * _FROM), side.most_reserved), count // 2),
            stop_at=int(count * _TO),
            pids={
                "workers": [worker.pid for worker in workers],
                "redis": [server.pid],
                **{f"receiver-{pid}": [pid] for pid in receiver.pids},
            },
        )
        _settle(receiver, count, workers)
        if side.is_ours:
            _check_ledger(server, count)
    return Run(
        rate=stretch.rate,
        cpu_us=stretch.cpu_us("workers"),
        redis_us=stretch.cpu_us("redis"),
        receiver_share=max(stretch.cpu_s[f"receiver-{pid}"] for pid in receiver.pids) / stretch.seconds,
    )


def _fill(side: Side, server: RedisServer, receiver: Receiver, count: int, folder: Path) -> None:
    argv = [sys.executable, "-m", "benchmarks.preload", side.name, "--count", str(count), "--url", receiver.url(HOOK)]
    filling = LocalProcess("preload", argv, folder, env=side.environment(server, _FILLING_DATABASE, receiver))
    filling.launch()
    try:
        wait_until(lambda: not filling.running, timeout_s=120, what="the queue to be filled")
    finally:
        filling.kill()
    if filling.returncode:
        raise NoResultError(f"filling the queue failed:\n{filling.log_tail()}")


def _wait_for_workers(broker: redis.Redis, workers: list[LocalProcess]) -> None:
    def are_ready() -> bool:
        for worker in workers:
            if not worker.running:
                raise NoResultError(f"a worker ended:\n{worker.log_tail()}")
        waiting = [client for client in broker.client_list() if client["cmd"] == "brpop" and "b" in client["flags"]]
        return len(waiting) >= len(workers)

    wait_until(are_ready, timeout_s=60, what="the workers to wait for tasks")


def _hand_over(server: RedisServer, queue: str, count: int) -> None:
    with server.client(_FILLING_DATABASE) as client:
        filled = client.llen(queue)
        if filled != count:
            raise NoResultError(f"{filled} of {count} tasks were published")
        client.move(queue, _BROKER_DATABASE)


def _settle(receiver: Receiver, count: int, workers: list[LocalProcess]) -> None:
    with contextlib.suppress(AssertionError):  # the counts will say what is missing
        receiver.wait_for(HOOK, count, timeout_s=30)
    try:
        # What a second copy of a delivery would do, it has done when the workers have ended in good order.
        for worker in workers:
            worker.terminate(30)
    except RuntimeError as exc:
        raise NoResultError(str(exc)) from exc
    check_counts(receiver.counts(HOOK), count)


def _check_ledger(server: RedisServer, count: int) -> None:
    with server.client(0) as client:
        counters = client.hgetall(f"{_PREFIX}counters")
        delivered = int(counters.get(b"deliveries:delivered", 0))
        left = sum(1 for _ in client.scan_iter(f"{_PREFIX}delivery:*")) + int(
            str(client.hlen(f"{_PREFIX}dead-letters"))
        )
    if delivered != count or left:
        raise NoResultError(f"the ledger counts {delivered} of {count} as delivered and still holds {left}")
