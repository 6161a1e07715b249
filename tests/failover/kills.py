"""
kill -9 and SIGTERM of the product's processes, at random moments, under load (S13, S16, S20).
"""

import time
from collections.abc import Mapping

from odim_relay.domain.subscription import Mode
from tests.failover.killed_work import Kills
from tests.failover.result import Goal, Result
from tests.failover.stage import Stage
from tests.support.receiver import Behaviour
from tests.support.relay import Relay
from tests.support.relay_process import RelayProcess
from tests.support.subscriber import Subscriber
from tests.support.waiting import wait_until

PER_S = 40
RESUMES_S = 60.0
# One attempt of each is long enough to be hit by a kill.
ANSWER = Behaviour(delay_s=0.1)
ENDS_S = 17.0  # the timeout of an attempt, and 2 s


def subscribe_both(relay: Relay) -> Subscriber:
    """
    One without order, which is returned, and one with.
    """
    plain = relay.subscribe()
    relay.receiver.behave(plain.path, ANSWER)
    relay.subscribe(mode=Mode.ORDERED)
    return plain


def silence(stage: Stage, subscriber: Subscriber) -> str:
    """
    How long a subscriber got nothing, in words.
    """
    silence_s = stage.journal().of(subscriber.path).longest_silence_s()
    return f"longest time without a delivery to the unordered subscriber {silence_s:.1f} s"


def workers(stage: Stage) -> Result:
    """
    One of two workers, each time with what it has in hand.
    """
    relay = stage.relay(workers=2)
    plain = subscribe_both(relay)
    kills = Kills(relay)
    with relay.under_load(PER_S):
        for number in range(stage.times):
            stage.pause(0.3, 2)
            kills.kill_and_start(relay.workers[number % 2])
    stage.settle(relay)
    return stage.result(
        relay,
        allowed_doubled=kills.in_hand_count,
        recovery_s=kills.slowest_resend_s(stage.journal()),
        recovers_within_s=RESUMES_S,
        goals=[Goal(name="kills while sending", value=kills.hit_count, bound=stage.times // 4, is_floor=True)],
        notes=[f"in hand at the kills {kills.in_hand_count}", silence(stage, plain)],
    )


def bridges(stage: Stage) -> Result:
    """
    The bridge, while it reads. It leaves records unread, and deliveries in the ledger whose tasks it did not publish.
    """
    relay = stage.relay(partitions=2)
    subscribe_both(relay)
    kills = Kills(relay)
    slowest_s = 0.0
    with relay.under_load(PER_S):
        for _ in range(stage.times):
            stage.pause(0, 1)
            before = relay.ledger.positions(relay.topic)
            began_at = time.monotonic()
            kills.kill_and_start(relay.bridge)
            wait_until(
                lambda before=before: relay.ledger.positions(relay.topic) != before,  # type: ignore[misc]
                timeout_s=RESUMES_S,
                what="the bridge to read",
            )
            slowest_s = max(slowest_s, time.monotonic() - began_at)
    stage.settle(relay)
    return stage.result(
        relay,
        recovery_s=max(slowest_s, kills.slowest_resend_s(stage.journal())),
        recovers_within_s=RESUMES_S,
        notes=[f"reads again after at most {slowest_s:.1f} s"],
    )


def maintenance(stage: Stage) -> Result:
    """
    What replays and reaps.
    """
    return _helper(stage, "maintenance")


def beat(stage: Stage) -> Result:
    """
    What wakes those that replay and reap.
    """
    return _helper(stage, "beat")


# Minutes become seconds, so that there is replaying and reaping to do between two kills.
HELPED: Mapping[str, object] = {
    "LEDGER__REAP_INTERVAL_S": 1,
    "DEAD_LETTERS__REPLAY_INTERVAL_S": 1,
    "BREAKER__PROBE_INTERVAL_S": 1,
    "BREAKER__PROBE_MAX_INTERVAL_S": 4,
    "DELIVERY__RETRY_INTERVAL_S": 1,
}
PROBED_WITHIN_S = 34.0  # the longest probe interval, and 30 s


def _helper(stage: Stage, name: str) -> Result:
    relay = stage.relay(settings=HELPED)
    plain = subscribe_both(relay)
    shaky = relay.subscribe()
    process: RelayProcess = getattr(relay, name)
    kills = Kills(relay)
    with relay.under_load(PER_S):
        for number in range(stage.times):
            # Two kills up, two down, and down at the end.
            is_down = (stage.times - 1 - number) % 4 < 2
            relay.receiver.behave(shaky.path, Behaviour(status=503) if is_down else ANSWER)
            stage.pause(0.3, 3)
            process.kill()
            if number % 5 == 0:
                kills.kill_and_start(relay.worker)
            process.start()
        relay.receiver.behave(shaky.path, ANSWER)
        up_at = time.time()
    stage.settle(relay)
    again = min(
        (at for at in stage.journal().of(shaky.path).accepted_at().values() if at > up_at), default=float("inf")
    )
    return stage.result(
        relay,
        allowed_doubled=kills.in_hand_count,
        recovery_s=kills.slowest_resend_s(stage.journal()),
        recovers_within_s=RESUMES_S,
        goals=[Goal(name="who was down got one after", value=again - up_at, bound=PROBED_WITHIN_S, unit="s")],
        notes=[silence(stage, plain)],
    )


def rolling(stage: Stage) -> Result:
    """
    All processes by turns, told to end as a supervisor does.
    """
    relay = stage.relay(bridges=2, workers=2, partitions=4)
    subscribe_both(relay)
    slowest_s = 0.0
    with relay.under_load(PER_S):
        for number in range(stage.times):
            process = relay.processes[number % len(relay.processes)]
            stage.pause(0, 1.5)
            began_at = time.monotonic()
            status = process.terminate()
            slowest_s = max(slowest_s, time.monotonic() - began_at)
            assert status == 0, f"{process.name} ended with {status}"
            process.start()
    return stage.result(
        relay,
        recovers_within_s=RESUMES_S,
        goals=[Goal(name="slowest end", value=slowest_s, bound=ENDS_S, unit="s")],
    )
