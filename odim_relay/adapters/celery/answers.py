"""
Workers tell who they are, and are asked.
"""

import time
from collections.abc import Iterable
from typing import Any

from celery import Celery
from celery.worker.control import inspect_command

from odim_relay import __version__
from odim_relay.ports import WorkerFacts

_COMMAND = "odim_relay_facts"


@inspect_command(name=_COMMAND)  # type: ignore[untyped-decorator] # Celery has no types
def tell_facts(state: Any) -> dict[str, Any]:
    """
    Answer, in a worker that has imported this.
    """
    consumer = state.consumer.task_consumer
    return {
        "version": __version__,
        "now_ms": time.time_ns() // 1_000_000,
        "queues": [queue.name for queue in consumer.queues] if consumer else [],
    }


def ask_workers(app: Celery, wait_s: float) -> list[WorkerFacts]:
    """
    Ask all workers, by name; a worker of a version that does not know the question tells nothing but its name.

    Raises:
        OSError, OperationalError: the broker does not answer.
    """
    began_ms = time.time_ns() // 1_000_000
    answers: Iterable[dict[str, Any]] = app.control.broadcast(_COMMAND, reply=True, timeout=wait_s) or ()
    ended_ms = time.time_ns() // 1_000_000
    told = {name: answer for each in answers for name, answer in each.items()}
    return [_facts(name, answer, began_ms, ended_ms) for name, answer in sorted(told.items())]


def _facts(name: str, answer: Any, began_ms: int, ended_ms: int) -> WorkerFacts:
    if not isinstance(answer, dict) or "version" not in answer:
        return WorkerFacts(name=name)
    now_ms = int(answer["now_ms"])
    return WorkerFacts(
        name=name,
        version=str(answer["version"]),
        queues=frozenset(map(str, answer["queues"])),
        # When it answered is not known: any time in between is as it should be.
        ahead_ms=now_ms - min(max(now_ms, began_ms), ended_ms),
    )
