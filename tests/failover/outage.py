"""
A destination is down while thousands of events wait for it, and comes back (S10 to S12).
"""

import math
import time
from collections.abc import Mapping

from odim_relay.domain.subscription import Filters
from tests.failover.killed_work import Kills
from tests.failover.kills import ANSWER
from tests.failover.result import Goal, Result
from tests.failover.stage import Stage
from tests.support.events import event
from tests.support.receiver import Behaviour
from tests.support.relay import Relay
from tests.support.subscriber import Subscriber
from tests.support.waiting import wait_until

WAITING = 10_000
KILLS = 4
PER_S = 20
DRAINED_WITHIN_S = 30.0
PROBE_S, PROBE_MAX_S = 0.5, 5.0
AFTER_ERRORS_S = PROBE_MAX_S + 30
AFTER_REFUSING_S = 60.0
# A day of outage in a quarter of an hour or so.
COMPRESSED: Mapping[str, object] = {
    "BREAKER__PROBE_INTERVAL_S": PROBE_S,
    "BREAKER__PROBE_MAX_INTERVAL_S": PROBE_MAX_S,
    "DEAD_LETTERS__REPLAY_INTERVAL_S": 1,
    "DELIVERY__RETRY_INTERVAL_S": 0.5,
}
DEAD = Filters(severities=("Critical",))
HEALTHY = Filters(severities=("OK",))


def answers_errors(stage: Stage) -> Result:
    """
    It answers 503; a healthy neighbour gets its events meanwhile.
    """
    relay = stage.relay(workers=2, partitions=2, settings=COMPRESSED)
    dead, healthy = relay.subscribe(filters=DEAD), relay.subscribe(filters=HEALTHY)
    relay.receiver.behave(healthy.path, ANSWER)
    relay.receiver.behave(dead.path, Behaviour(status=503))
    with relay.under_load(PER_S, wanted_by=[healthy]):
        down_at = time.time()
        kills = _outage(stage, relay, dead)
        relay.receiver.behave(dead.path, Behaviour())
        up_at = time.time()
        _drain(relay, dead)
    longest_s = up_at - down_at
    # Those on the way until it is found out, those that look whether it is true after a kill, and the probes: at
    # intervals twice as long each time, then at the longest.
    probes = math.ceil(math.log2(PROBE_MAX_S / PROBE_S)) + math.ceil(longest_s / PROBE_MAX_S)
    requests = len(stage.journal().of(dead.path).until(up_at).arrivals)
    return _account(
        stage,
        relay,
        dead,
        kills,
        up_at=up_at,
        first_within_s=AFTER_ERRORS_S,
        requests=Goal(
            name=f"requests in {longest_s:.0f} s of outage", value=requests, bound=probes + _in_flight_most(relay)
        ),
    )


def refuses_connections(stage: Stage) -> Result:
    """
    Nobody listens at its port.
    """
    relay = stage.relay(workers=2, partitions=2, settings=COMPRESSED)
    dead = relay.subscribe(filters=DEAD)
    stage.receiver.refuse()
    kills = _outage(stage, relay, dead)
    up_at = time.time()
    stage.receiver.listen()
    _drain(relay, dead)
    requests = len(stage.journal().until(up_at).arrivals)
    return _account(
        stage,
        relay,
        dead,
        kills,
        up_at=up_at,
        first_within_s=AFTER_REFUSING_S,
        requests=Goal(name="requests in the outage", value=requests, bound=0),
    )


def _in_flight_most(relay: Relay) -> int:
    return min(16, relay.concurrency * len(relay.workers) // 4)


def _outage(stage: Stage, relay: Relay, dead: Subscriber) -> Kills:
    """
    Let events come for the dead one and kill the workers meanwhile.
    """
    kills = Kills(relay)
    for number in range(KILLS):
        first = number * WAITING // KILLS
        relay.publish([event(first + n, severity="Critical") for n in range(WAITING // KILLS)], wanted_by=[dead])
        stage.pause(0.5, 2)
        kills.kill_and_start(relay.workers[number % 2])
    wait_until(lambda: relay.unread_count() == 0, timeout_s=90, what="all to be taken in")
    stage.pause(4 * PROBE_MAX_S, 5 * PROBE_MAX_S)
    return kills


def _drain(relay: Relay, dead: Subscriber) -> None:
    wait_until(
        lambda: len(relay.receiver.accepted(dead.path)) >= WAITING, timeout_s=180, what="the backlog to be drained"
    )


def _account(
    stage: Stage,
    relay: Relay,
    dead: Subscriber,
    kills: Kills,
    *,
    up_at: float,
    first_within_s: float,
    requests: Goal,
) -> Result:
    stage.settle(relay)
    at = sorted(stage.journal().of(dead.path).accepted_at().values())
    twice = sum(count - 1 for count in relay.receiver.accepted(dead.path).values())
    return stage.result(
        relay,
        allowed_doubled=kills.in_hand_count,
        recovery_s=at[0] - up_at,
        recovers_within_s=first_within_s,
        goals=[
            requests,
            Goal(name=f"{WAITING} drained in", value=at[-1] - at[0], bound=DRAINED_WITHIN_S, unit="s"),
            Goal(name="of these twice", value=twice, bound=0),
        ],
    )
