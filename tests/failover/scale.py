"""
More and fewer bridges and workers, under load (S16, S20; L9, L10).
"""

import time
from dataclasses import replace

from tests.failover.kills import PER_S, RESUMES_S
from tests.failover.result import Result
from tests.failover.stage import Stage
from tests.support.events import events
from tests.support.relay import Relay
from tests.support.relay_process import start_all
from tests.support.waiting import wait_until

PARTITIONS = 4
EVENTS = 2_000
SUBSCRIBERS = 4
ROUNDS = 20
# Bridges, workers: each step adds or takes away.
STEPS = ((1, 1), (1, 2), (1, 4), (2, 4), (2, 2), (2, 1))


def steps(stage: Stage) -> Result:
    """
    One and two bridges, one, two and four workers on four partitions; 4 subscribers.
    """
    relay = stage.relay(bridges=2, workers=4, partitions=PARTITIONS)
    paths = [relay.subscribe().path for _ in range(SUBSCRIBERS)]
    figures = []
    for number, (bridges, workers) in enumerate(STEPS):
        _become(relay, bridges, workers)
        figures.append(f"{bridges}x{workers}: {_throughput(stage, relay, paths, number):.0f}/s")
    for process in relay.processes:
        if not process.running:
            process.start()
    result = stage.result(relay, notes=["throughput, bridges x workers: " + ", ".join(figures)])
    return replace(result, recovery_s=None)  # nothing was broken


def _become(relay: Relay, bridges: int, workers: int) -> None:
    wanted = [*relay.bridges[:bridges], *relay.workers[:workers]]
    for process in [*relay.bridges, *relay.workers]:
        if process.running and process not in wanted:
            assert process.terminate() == 0, f"{process.name} ended with {process.returncode}"
    start_all([process for process in wanted if not process.running])
    # All partitions are read again when the change is over.
    place = relay.publish(events(PARTITIONS, first=10_000_000))
    wait_until(lambda: relay.unread_count() == 0, timeout_s=60, what=f"{len(place)} partitions to be read")


def _throughput(stage: Stage, relay: Relay, paths: list[str], number: int) -> float:
    stage.settle(relay)
    began_at = time.time()
    relay.publish(events(EVENTS, first=number * EVENTS))
    stage.settle(relay)
    at = [arrival.at for arrival in stage.journal().arrivals if arrival.at > began_at]
    assert len(at) >= EVENTS * len(paths)
    return len(at) / (at[-1] - at[0])


def joins_and_leaves(stage: Stage) -> Result:
    """
    A second bridge joins and leaves, by SIGTERM and by SIGKILL in turns.
    """
    relay = stage.relay(bridges=2, workers=2, partitions=PARTITIONS)
    for _ in range(SUBSCRIBERS):
        relay.subscribe()
    with relay.under_load(PER_S):
        for number in range(ROUNDS):
            leaving = relay.bridges[number % 2]
            stage.pause(0.5, 3)
            if number % 4 < 2:
                assert leaving.terminate() == 0
            else:
                leaving.kill()
            stage.pause(0, 2)
            leaving.start()
    return stage.result(relay, recovers_within_s=RESUMES_S)
