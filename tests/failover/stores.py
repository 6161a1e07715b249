"""
The stores go away and come back, under load: nothing is lost, nobody is restarted (S14, S15).
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TypeAlias

from tests.failover.journal import first_after_s, wanted
from tests.failover.kills import PER_S, subscribe_both
from tests.failover.result import Goal, Result
from tests.failover.stage import Stage
from tests.support.events import events
from tests.support.processes import LocalProcess
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.waiting import wait_until

DOWN_S = 5.0
HUNG_S = 30.0
AGAIN_WITHIN_S = 15.0
FLUSHES = 3
LEAST_FLUSHED = 5
FAST_ONES = 4
FOUND_WITHIN_S = 60.0
TAIL_S = 2.0


def killed(server: LocalProcess) -> None:
    """
    SIGKILL, and start it again after a while.
    """
    server.kill()
    time.sleep(DOWN_S)
    server.start()


def hung(server: LocalProcess) -> None:
    """
    SIGSTOP for half a minute.
    """
    server.stop()
    try:
        time.sleep(HUNG_S)
    finally:
        server.cont()


Harm: TypeAlias = Callable[[LocalProcess], None]


def redis(stage: Stage, harm: Harm) -> Result:
    """
    The ledger's Redis; the tasks are elsewhere.
    """
    relay = stage.relay()
    # While a disk is slow, Redis keeps what it has answered for up to two seconds to itself.
    return _away_and_back(stage, relay, stage.redis, harm, tail_s=TAIL_S if harm is killed else 0)


def broker(stage: Stage, harm: Harm) -> Result:
    """
    Where the tasks are.
    """
    relay = stage.relay()
    return _away_and_back(stage, relay, stage.broker, harm)


def kafka(stage: Stage, harm: Harm) -> Result:
    """
    Where the events come from.
    """
    server = stage.own_kafka()
    relay = stage.relay(partitions=2)
    return _away_and_back(stage, relay, server, harm)


def _away_and_back(stage: Stage, relay: Relay, server: LocalProcess, harm: Harm, *, tail_s: float = 0) -> Result:
    subscribe_both(relay)
    pids = [process.pid for process in relay.processes]
    with relay.under_load(PER_S):
        stage.pause(2, 4)
        away_at = time.time()
        harm(server)
        back_at = time.time()
        time.sleep(DOWN_S)
    stage.settle(relay)
    journal = stage.journal()
    again_s = first_after_s(wanted(relay), journal.accepted_at(), since=away_at, moment=back_at)
    restarted = sum(process.pid != pid for process, pid in zip(relay.processes, pids, strict=True))
    return stage.result(
        relay,
        allowed_doubled=journal.accepted_between(away_at - tail_s, away_at) if tail_s else 0,
        recovery_s=again_s,
        recovers_within_s=AGAIN_WITHIN_S,
        goals=[Goal(name="processes restarted", value=restarted, bound=0)],
    )


def flushed(stage: Stage) -> Result:
    """
    FLUSHDB of the broker's database, with tasks in it.
    """
    relay = stage.relay()
    subscribe_both(relay)
    for _ in range(FAST_ONES):
        relay.subscribe()
    counts = []
    for number in range(FLUSHES):
        with relay.under_load(PER_S):
            stage.pause(1, 3)
            # A worker would have taken them in.
            relay.worker.stop()
            relay.publish(events(300, first=1_000_000 + number * 1_000))
            wait_until(lambda: relay.ledger.queue_depth() > LEAST_FLUSHED, timeout_s=20, what="tasks to wait")
            counts.append(relay.ledger.flush_broker())
            relay.worker.cont()
            stage.pause(1, 3)
        # What is met by two flushes waits twice.
        relay.wait_for_all(2 * FOUND_WITHIN_S)
    return stage.result(relay, recovers_within_s=FOUND_WITHIN_S, notes=[f"tasks flushed {counts}"])


def aof_of(server: RedisServer) -> Path:
    """
    The file that Redis appends to now; version 7 and newer keep it in a folder of parts.
    """
    parts = sorted(server.folder.glob("appendonlydir/*.incr.aof"))
    return parts[-1] if parts else server.folder / "appendonly.aof"


@contextmanager
def sizes(file: Path) -> Iterator[list[tuple[float, int]]]:
    """
    How a file grows meanwhile: times and sizes.
    """
    seen: list[tuple[float, int]] = []
    done = Event()

    def look() -> None:
        while not done.wait(0.05):
            seen.append((time.time(), file.stat().st_size))

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join(5)


def tail_cut_off(stage: Stage) -> Result:
    """
    The last two seconds of the AOF missing, as after a power cut.
    """
    relay = stage.relay(partitions=2)
    subscribe_both(relay)
    file = aof_of(stage.redis)
    with relay.under_load(PER_S):
        with sizes(file) as seen:
            stage.pause(4, 6)
            stage.redis.kill()
        died_at = time.time()
        kept_at, kept_bytes = [one for one in seen if one[0] <= died_at - TAIL_S][-1]
        missing_bytes = file.stat().st_size - kept_bytes
        # A command written by half: the file does not end where one ends.
        os.truncate(file, kept_bytes + 40)
        time.sleep(DOWN_S)
        stage.redis.start()
        back_at = time.time()
        time.sleep(DOWN_S)
    stage.settle(relay)
    journal = stage.journal()
    # Answered since then, or on the way then: the ledger cannot know.
    tail = journal.accepted_between(kept_at - 1, back_at)
    return stage.result(
        relay,
        allowed_doubled=tail,
        recovery_s=first_after_s(wanted(relay), journal.accepted_at(), since=died_at, moment=back_at),
        recovers_within_s=AGAIN_WITHIN_S,
        goals=[Goal(name="answers in the tail", value=tail, bound=1, is_floor=True)],
        notes=[f"cut off {missing_bytes} bytes, {died_at - kept_at:.1f} s"],
    )
