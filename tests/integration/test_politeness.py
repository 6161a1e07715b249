"""
A dead destination is left in peace, and gets everything when it is back (S10 to S12, L30, L31): days of the real use
cases and scripts, in simulated time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest
import structlog

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Mode, RetryPolicy
from odim_relay.settings import LedgerSettings, Settings
from tests.fakes.samples import subscription
from tests.support.redis_server import RedisServer
from tests.support.simulated_relay import (
    FAILING,
    HANGING,
    REFUSING,
    SILENT,
    WELL,
    SimulatedDestination,
    SimulatedRelay,
    simulate,
)

pytestmark = pytest.mark.server

HOUR_S: Final = 3_600.0
DAY_S: Final = 24 * HOUR_S
WAITING: Final = 10_000
MOST_REQUESTS_A_DAY: Final = 320
PROBE_MAX_S: Final = 300.0
DEAD: Final = "https://dead.test/events"
ASKS_FOR_A_MINUTE: Final = Outcome(status=503, retry_after_s=60.0, duration_s=0.05)
UNREACHABLE: Final = (REFUSING, SILENT)


@pytest.fixture(scope="module")
def memory_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """
    In memory: what the disk keeps is not asked here.
    """
    with RedisServer(tmp_path_factory.mktemp("redis"), options={"appendonly": "no"}) as server:
        yield server


@pytest.fixture
def relay(memory_redis: RedisServer, request: pytest.FixtureRequest) -> Iterator[SimulatedRelay]:
    """
    An empty relay with the settings' defaults, or those of a parameter.
    """
    settings = Settings(_env_file=None, **getattr(request, "param", {}))
    with memory_redis.client() as client, structlog.testing.capture_logs():
        relay = simulate(client, settings)
        with relay.time:
            yield relay


@dataclass(frozen=True, slots=True)
class Recovery:
    """
    Seconds from a destination's return to its first and last event.
    """

    first_s: float
    last_s: float


def recover(relay: SimulatedRelay, destination: SimulatedDestination, *subscription_ids: str) -> Recovery:
    """
    Let the destination answer again, and wait until these subscriptions have no event less than all.
    """
    back_s = relay.time.now_s
    destination.answer = WELL
    expired = relay.figures.counters().get("deliveries:expired", 0)

    def has_everything() -> bool:
        created = sum(len(relay.created[subscription_id]) for subscription_id in subscription_ids)
        return len(destination.accepted) >= created - expired

    relay.time.run_until(back_s + HOUR_S, is_done=has_everything)
    return Recovery(destination.accepted_at_s[0] - back_s, destination.accepted_at_s[-1] - back_s)


def run_until_just_after_a_try(relay: SimulatedRelay, destination: SimulatedDestination) -> None:
    """
    Let time pass until it was just tried in vain: the worst moment to come back.
    """
    tries = len(destination.tries_at_s) + len(destination.knocks_at_s)
    relay.time.run_until(
        relay.time.now_s + HOUR_S, is_done=lambda: len(destination.tries_at_s) + len(destination.knocks_at_s) > tries
    )
    relay.time.run_until(relay.time.now_s + destination.answer.duration_s + 0.1)


def waiting_count(relay: SimulatedRelay, subscription_id: str) -> int:
    return sum(one.count for one in relay.listing.backlogs() if one.subscription_id == subscription_id)


@pytest.mark.parametrize(
    ("answer", "waiting"),
    [(FAILING, WAITING), (HANGING, 1_000), (REFUSING, WAITING), (SILENT, 1_000), (ASKS_FOR_A_MINUTE, 1_000)],
    ids=["500", "hangs", "refuses", "is_silent", "503_retry_after"],
)
def test_s11_s12_a_dead_destination_is_left_in_peace_for_a_day_and_then_gets_everything_once(
    relay: SimulatedRelay, answer: Outcome, waiting: int
) -> None:
    dead = relay.subscribe(subscription("dead", destination=DEAD))
    dead.answer = answer
    relay.ingest(waiting)
    relay.time.run_until(60)
    well = relay.subscribe(subscription("well", destination="https://well.test/events"))
    relay.time.every(60, lambda: relay.ingest(1))

    relay.time.run_until(DAY_S)

    requests, knocks = dead.request_count, len(dead.knocks_at_s)
    assert dead.request_count <= MOST_REQUESTS_A_DAY
    if answer in UNREACHABLE:
        assert dead.request_count == 0
        assert len(dead.tries_at_s) <= 5  # deliveries that met it before anybody knew; afterwards only knocks
        assert max(dead.tries_at_s) < 60
    assert len(well.accepted) >= len(relay.created["well"]) - 1
    # A queue that the dead one held up would make the other late.
    assert all(at_s % 60 < 1 for at_s in well.accepted_at_s)
    created = len(relay.created["dead"])
    assert created > waiting + 1_400
    assert waiting_count(relay, "dead") >= created - 1

    run_until_just_after_a_try(relay, dead)
    recovery = recover(relay, dead, "dead")

    print(
        f"{requests} requests and {knocks} connections in 24 h, first event after {recovery.first_s:.0f} s, "
        f"{len(dead.accepted)} drained {recovery.last_s - recovery.first_s:.0f} s later"
    )
    assert recovery.first_s <= (60 if answer in UNREACHABLE else PROBE_MAX_S + 30)
    assert recovery.last_s - recovery.first_s <= 60
    assert set(dead.accepted) == relay.created["dead"]
    assert set(dead.accepted.values()) == {1}
    assert set(well.accepted.values()) == {1}
    counters = relay.figures.counters()
    assert counters["deliveries:delivered"] == len(dead.accepted) + len(well.accepted)
    assert not [name for name in counters if name.startswith("deliveries:") and name != "deliveries:delivered"]


def test_s11_subscriptions_of_one_destination_share_its_probes(relay: SimulatedRelay) -> None:
    plain = subscription("plain", destination=DEAD)
    dead = relay.subscribe(plain)
    relay.subscribe(replace(plain, subscription_id="ordered", mode=Mode.ORDERED))
    relay.subscribe(replace(plain, subscription_id="steady", retry_policy=RetryPolicy.FOREVER))
    dead.answer = FAILING
    relay.ingest(500)
    relay.time.every(300, lambda: relay.ingest(1))

    relay.time.run_until(DAY_S)

    assert dead.request_count <= MOST_REQUESTS_A_DAY
    run_until_just_after_a_try(relay, dead)
    recovery = recover(relay, dead, *relay.created)
    assert recovery.first_s <= PROBE_MAX_S + 30
    assert set(dead.accepted) == set().union(*relay.created.values())
    assert set(dead.accepted.values()) == {1}
    ordered = [int(id_.partition("/")[0]) for id_ in dead.accepted if id_.endswith("/ordered")]
    assert ordered == sorted(ordered)


# A week of looking every 5 s for what lapsed would take a minute, and nothing lapses.
@pytest.mark.parametrize("relay", [{"ledger": LedgerSettings(reap_interval_s=60)}], indirect=True)
def test_l32_events_that_always_fail_do_not_hold_up_the_others(relay: SimulatedRelay) -> None:
    bad = relay.subscribe(subscription("bad", destination="https://bad.test/events"))
    relay.ingest(2_000)
    bad.chokes_on = frozenset(sorted(relay.created["bad"])[:20]).__contains__
    relay.time.every(30, lambda: relay.ingest(1))

    relay.time.run_until(HOUR_S)
    under_way = 1  # the event of this half minute
    assert len(bad.accepted) >= len(relay.created["bad"]) - 20 - under_way

    relay.time.run_until(6 * HOUR_S)
    assert len(bad.accepted) >= len(relay.created["bad"]) - 20 - under_way
    assert max(bad.accepted.values()) == 1
    assert {backlog.reason for backlog in relay.listing.backlogs()} == {ParkReason.EXHAUSTED}


def test_s10_what_waits_is_kept_for_a_week_and_what_expires_is_counted_and_told(relay: SimulatedRelay) -> None:
    dead = relay.subscribe(subscription("dead", destination=DEAD))
    dead.answer = FAILING
    relay.ingest(1_000)
    relay.time.every(1_800, lambda: relay.ingest(1))

    relay.time.run_until(7 * DAY_S - 1)

    assert waiting_count(relay, "dead") == len(relay.created["dead"]) == 1_000 + 7 * 48 - 1
    assert "deliveries:expired" not in relay.figures.counters()
    assert dead.request_count <= 7 * MOST_REQUESTS_A_DAY

    relay.time.run_until(8 * DAY_S + 90)

    expired = 1_000 + 48
    assert relay.figures.counters()["deliveries:expired"] == expired
    kept = len(relay.created["dead"]) - expired
    assert waiting_count(relay, "dead") == kept
    assert dead.request_count <= 8 * MOST_REQUESTS_A_DAY

    run_until_just_after_a_try(relay, dead)
    expired = relay.figures.counters()["deliveries:expired"]
    recover(relay, dead, "dead")

    assert len(dead.notices) == 1
    assert set(dead.accepted.values()) == {1}
    assert len(dead.accepted) + expired == len(relay.created["dead"])
    assert relay.figures.counters()["deliveries:delivered"] == len(dead.accepted)
