"""
The machine, or a test of its own, fails when a script is broken: else their silence would say nothing.
"""

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.ledger.bench import Bench
from tests.integration.ledger.machine import LedgerMachine
from tests.integration.ledger.machine_world import PREFIX, RULES, small_batches
from tests.integration.ledger.mutation import MutatedScripts, Mutation
from tests.integration.ledger.mutations import MUTATIONS

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
_NOTICED = (AssertionError, ValueError, LookupError, pytest.fail.Exception)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda it: it.name.replace(" ", "-"))
def test_somebody_notices_when(mutation: Mutation, machine_redis: redis.Redis) -> None:
    class Broken(MutatedScripts):
        pass

    Broken.mutation = mutation
    machine_redis.flushall()
    scripts = Broken(machine_redis, PREFIX, RULES)
    scripts.source("step" if mutation.script.startswith("_") else mutation.script)  # there is something to break

    with pytest.raises(_NOTICED):
        run_machine(scripts) if mutation.noticed_by is None else mutation.noticed_by(Bench(machine_redis, Broken))


def run_machine(broken: MutatedScripts) -> None:
    class Machine(LedgerMachine):
        scripts = broken

    with small_batches():
        run_state_machine_as_test(Machine, settings=_SAME_EACH_TIME)
