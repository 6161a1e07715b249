"""
Several threads' operations in one round trip.
"""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Op = TypeVar("Op")
Result = TypeVar("Result")


class _Slot(Generic[Op, Result]):
    __slots__ = ("error", "leads", "op", "result", "turn")

    def __init__(self, op: Op) -> None:
        self.op = op
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.turn = Lock()


class Grouping(Generic[Op, Result]):
    """
    Group commit: while one thread's round trip is under way, the others' operations gather and go with the next one.

    A lone thread pays nothing for it; sixteen busy ones share each round trip.
    """

    def __init__(self, execute: Callable[[Sequence[Op]], Sequence[Result]], *, most: int = 64) -> None:
        """
        Args:
            execute: does all operations at once and returns their results in order; its exception goes to every caller.
            most: operations in one group.
        """
        self._execute = execute
        self._most = most
        self._lock = Lock()
        self._gathered: list[_Slot[Op, Result]] = []
        self._busy = False

    def submit(self, op: Op) -> Result:
        """
        Do `op`, together with what other threads submit meanwhile; returns its result or raises what `execute` raised.
        """
        slot: _Slot[Op, Result] = _Slot(op)
        with self._lock:
            self._gathered.append(slot)
            if self._busy:
                slot.turn.acquire()
            else:
                self._busy = slot.leads = True
        if not slot.leads:
            slot.turn.acquire()  # released by a leader: either with our result, or for us to lead
        if slot.leads:
            self._lead()
        if slot.error is not None:
            raise slot.error
        return slot.result  # type: ignore[return-value]

    def _lead(self) -> None:
        with self._lock:
            group, self._gathered = self._gathered[: self._most], self._gathered[self._most :]
        try:
            for slot, result in zip(group, self._execute([slot.op for slot in group]), strict=True):
                slot.result = result
        except BaseException as exc:  # noqa: BLE001 - it is the callers', each of whom raises it
            for slot in group:
                slot.error = exc
        with self._lock:
            heir = self._gathered[0] if self._gathered else None
            if heir is None:
                self._busy = False
            else:
                heir.leads = True
        for slot in group:
            if not slot.leads:
                slot.turn.release()
        if heir is not None:
            heir.turn.release()
