"""
The ledger's rules hold whatever happens, in whatever order: see `machine`.

`RELAY_TEST_HYPOTHESIS_PROFILE=thorough` looks ten times as long: minutes.
"""

import os

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.ledger.machine import LedgerMachine
from tests.integration.ledger.machine_world import PREFIX, RULES, small_batches
from tests.integration.ledger.steady_scripts import SteadyScripts

pytestmark = pytest.mark.server

_PROFILES = {
    "default": settings(max_examples=100, stateful_step_count=40),
    "thorough": settings(max_examples=500, stateful_step_count=80),
}


@pytest.fixture
def profile() -> settings:
    chosen = _PROFILES[os.environ.get("RELAY_TEST_HYPOTHESIS_PROFILE", "default")]
    return settings(chosen, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


def test_the_ledger_loses_nothing_and_sends_nothing_twice_whatever_happens(
    machine_redis: redis.Redis, profile: settings
) -> None:
    class Machine(LedgerMachine):
        scripts = SteadyScripts(machine_redis, PREFIX, RULES)

    with small_batches():
        run_state_machine_as_test(Machine, settings=profile)
