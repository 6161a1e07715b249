"""
The app of `benchmarks.shares`: odim-relay's, with a clock around each part. Every worker leaves its sums in a file.
"""

import json
import os
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import celery.concurrency.thread
from celery.signals import worker_shutdown

from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.celery import app
from odim_relay.use_cases.deliver import Deliver
from odim_relay.use_cases.patience import PatientLedger

__all__ = ["app"]

_FOLDER = Path(os.environ["SHARES_FOLDER"])
_local = threading.local()
_of_threads: list[Counter[str]] = []
_before: dict[str, float] = {}


def _sums() -> Counter[str]:
    if not hasattr(_local, "sums"):
        _local.sums = Counter()
        _of_threads.append(_local.sums)
    found: Counter[str] = _local.sums
    return found


def _clocked(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def clocked(*arguments: Any, **named: Any) -> Any:
        started_ns = time.thread_time_ns()
        try:
            return function(*arguments, **named)
        finally:
            sums = _sums()
            sums[name] += time.thread_time_ns() - started_ns
            sums[f"{name} calls"] += 1

    return clocked


def _process() -> dict[str, float]:
    """
    CPU seconds of the process so far, by kind and of its main thread.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    fields = Path(f"/proc/self/task/{os.getpid()}/stat").read_text().rpartition(")")[2].split()
    main = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return {"user": used.ru_utime, "system": used.ru_stime, "main": main, "switches": used.ru_nvcsw + used.ru_nivcsw}


def _from_the_first_on(function: Callable[..., Any]) -> Callable[..., Any]:
    def watched(*arguments: Any, **named: Any) -> Any:
        if not _before:
            _before.update(_process())
        return function(*arguments, **named)

    return watched


PatientLedger.claim = _clocked("claim", PatientLedger.claim)  # type: ignore[method-assign]
PatientLedger.complete = _clocked("complete", PatientLedger.complete)  # type: ignore[method-assign]
RequestsSender.send = _clocked("send", RequestsSender.send)  # type: ignore[method-assign]
Deliver.__call__ = _clocked("deliver", Deliver.__call__)  # type: ignore[method-assign]
celery.concurrency.thread.apply_target = _from_the_first_on(
    _clocked("task", celery.concurrency.thread.apply_target),
)


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _leave_sums(**_: Any) -> None:
    total: Counter[str] = sum(_of_threads, Counter())
    spent = {name: value - _before.get(name, 0) for name, value in _process().items()}
    (_FOLDER / f"{os.getpid()}.json").write_text(json.dumps({**total, **spent}))
