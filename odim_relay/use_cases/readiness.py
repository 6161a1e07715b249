"""
Whether the stores can be reached.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Lock, Thread

from odim_relay.errors import OdimRelayError

_MOST_THREADS = 3
"""
Per store.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """
    A store that does not answer.

    Attributes:
        store: `redis`, `broker`, `kafka` or `odim`.
    """

    store: str
    reason: str


class Readiness:
    """
    Asks all stores at once, and waits no longer than its deadline, even for one that hangs. Threads may share it.
    """

    def __init__(self, checks: Mapping[str, Callable[[], object]], deadline_s: float) -> None:
        """
        Args:
            checks: by store; each asks it something and raises when it does not answer.
        """
        self._checks = checks
        self._deadline_s = deadline_s
        self._lock = Lock()
        self._asked: dict[str, list[Future[None]]] = {}

    def __call__(self) -> list[Unreachable]:
        """
        What is wrong, in the order of the checks; nothing when all is well.
        """
        asked = {store: self._ask(store, check) for store, check in self._checks.items()}
        wait(asked.values(), self._deadline_s)
        told = {store: self._told(answer) for store, answer in asked.items()}
        return [Unreachable(store=store, reason=reason) for store, reason in told.items() if reason]

    def _ask(self, store: str, check: Callable[[], object]) -> Future[None]:
        with self._lock:
            under_way = [answer for answer in self._asked.get(store, ()) if not answer.done()]
            # A store that hangs holds a few threads only, however often it is asked for.
            if len(under_way) >= _MOST_THREADS:
                return under_way[-1]
            answer: Future[None] = Future()
            self._asked[store] = [*under_way, answer]

        def ask() -> None:
            try:
                check()
            except Exception as exc:  # noqa: BLE001 - told by `_told`
                answer.set_exception(exc)
            else:
                answer.set_result(None)

        # Not of a pool: the interpreter would wait for its threads at the end of the process.
        Thread(target=ask, name=f"readiness-{store}", daemon=True).start()
        return answer

    def _told(self, answer: Future[None]) -> str:
        if not answer.done():
            return f"no answer within {self._deadline_s:g} s"
        failure = answer.exception()
        if failure is None:
            return ""
        return str(failure) if isinstance(failure, OdimRelayError) else f"{type(failure).__name__}: {failure}"
