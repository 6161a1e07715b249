"""
The ledger's rules hold whatever happens, in whatever order: see `machine`.

`RELAY_TEST_HYPOTHESIS_PROFILE=thorough` looks ten times as long: minutes.
"""

import os
from collections.abc import Iterator

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.ledger.machine import LedgerMachine
from tests.integration.ledger.machine_world import small_limits

pytestmark = pytest.mark.server

_PROFILES = {
    "default": settings(max_examples=100, stateful_step_count=40),
    "thorough": settings(max_examples=500, stateful_step_count=80),
}


@pytest.fixture
def profile() -> settings:
    chosen = _PROFILES[os.environ.get("RELAY_TEST_HYPOTHESIS_PROFILE", "default")]
    return settings(chosen, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@pytest.fixture
def limits() -> Iterator[None]:
    with small_limits():
        yield


@pytest.mark.usefixtures("limits")
def test_the_ledger_loses_nothing_and_sends_nothing_twice_whatever_happens(
    machine_redis: redis.Redis, profile: settings
) -> None:
    class Machine(LedgerMachine):
        client = machine_redis

    run_state_machine_as_test(Machine, settings=profile)
