"""
Scripts with one of them broken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.integration.ledger.bench import Bench
from tests.integration.ledger.steady_scripts import SteadyScripts

Test: TypeAlias = Callable[[Bench], None]


@dataclass(frozen=True, slots=True)
class Mutation:
    """
    In script `script`, or in all when it is one of the shared parts, `right` becomes `wrong`.

    Attributes:
        noticed_by: a test that must fail then; the machine when there is none.
    """

    name: str
    script: str
    right: str
    wrong: str
    noticed_by: Test | None = None


class MutatedScripts(SteadyScripts):
    """
    The scripts with one of them broken.
    """

    mutation: Mutation

    def source(self, name: str) -> str:
        """
        The script, broken if it is the one.
        """
        source = super().source(name)
        mutation = self.mutation
        if not mutation.script.startswith("_") and mutation.script != name:
            return source
        if source.count(mutation.right) != 1:
            raise LookupError(f"{name} has not exactly one {mutation.right!r} to break")
        return source.replace(mutation.right, mutation.wrong)
