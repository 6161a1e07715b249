"""
The machine fails when a script is broken: else its silence would say nothing.
"""

from collections.abc import Iterator

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.ledger.machine import LedgerMachine
from tests.integration.ledger.machine_world import small_limits
from tests.integration.ledger.mutations import MUTATIONS, MutatedScripts, Mutation

pytestmark = pytest.mark.server

_SAME_EACH_TIME = settings(
    max_examples=300,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def limits() -> Iterator[None]:
    with small_limits():
        yield


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda it: it.name.replace(" ", "-"))
def test_the_machine_notices_when(mutation: Mutation, machine_redis: redis.Redis) -> None:
    class Broken(MutatedScripts):
        pass

    class Machine(LedgerMachine):
        client = machine_redis
        new_scripts = Broken

    Broken.mutation = mutation

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Machine, settings=_SAME_EACH_TIME)
