"""
Whether the stores can be reached.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from odim_relay.errors import TransientError


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """
    A store that does not answer.

    Attributes:
        store: `redis`, `broker` or `kafka`.
    """

    store: str
    reason: str


def readiness(checks: Mapping[str, Callable[[], object]]) -> list[Unreachable]:
    """
    Ask all stores at once; what is wrong comes in the order of `checks`, and nothing when all is well.

    Args:
        checks: by store; each asks it something and raises `TransientError` when it does not answer.
    """

    def ask(item: tuple[str, Callable[[], object]]) -> Unreachable | None:
        store, check = item
        try:
            check()
        except TransientError as exc:
            return Unreachable(store=store, reason=str(exc))
        return None

    with ThreadPoolExecutor(max_workers=max(len(checks), 1), thread_name_prefix="readiness") as pool:
        return [answer for answer in pool.map(ask, checks.items()) if answer is not None]
